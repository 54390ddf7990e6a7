"""The tracker: `init(frame, box)`, then `update(frame)` for every frame. It owns all state; the network has none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fear.config import TrackerConfig
from fear.errors import FearError
from fear.geometry.boxes import parse_box, require_overlap
from fear.geometry.context import search_side
from fear.loading.load import load
from fear.media.image import Picture, require_frame
from fear.runtime.protocol import Crops, Network
from fear.tracking.target import Target
from fear.tracking.template import Features
from fear.tracking.track import Track


class MultiTracker:
    """Follows several targets; one network call a frame serves all that are steady, and those that are not have calls of their own.

    Args:
        model: A name such as `fear-xs`, a `.safetensors` checkpoint, or an exported folder.
        runtime: `auto` takes the fastest that is installed; `openvino`, `onnx` or `torch`.
        device: `cpu`, or what the runtime knows, such as `cuda` for torch.
        threads: Of the network; None leaves it to the runtime.
        config: Rules around the network.

    Raises:
        WeightsError: no such model, or a damaged one.
        RuntimeMissingError: the runtime is not installed.
    """

    def __init__(
        self,
        model: str | Path | Network = "fear-xs",
        *,
        runtime: str = "auto",
        device: str = "cpu",
        threads: int | None = None,
        config: TrackerConfig | None = None,
    ) -> None:
        self.network: Network = load(model, runtime=runtime, device=device, threads=threads) if isinstance(model, str | Path) else model
        self.config = config or TrackerConfig()
        self._targets: list[Target] = []
        self._shape = (0, 0)

    def init(self, frame: Picture, boxes_xywh: Sequence[Iterable[Any]]) -> None:
        """Starts anew with these targets.

        Args:
            frame: (H, W, 3), uint8, RGB.
            boxes_xywh: One box a target, in pixels of the frame.

        Raises:
            FrameError: not such a frame.
            BoxError: a box is not four finite numbers, has no area, or lies outside the frame.
        """
        require_frame(frame)
        height, width = frame.shape[:2]
        boxes = [parse_box(box) for box in boxes_xywh]
        for box in boxes:
            require_overlap(box, height, width)
        self._shape = (height, width)
        self._targets = [Target(self.network, self.config, frame, box) for box in boxes]
        self._crops = {
            side: np.empty((len(boxes), side, side, 3), np.uint8)
            for side in (search_side(self.config, self.network.config, steady) for steady in (False, True))
        }

    def update(self, frame: Picture) -> list[Track]:
        """Finds every target in the next frame.

        Args:
            frame: (H, W, 3), uint8, RGB, of the first frame's size.

        Returns:
            One track a target, in the order of `init`.

        Raises:
            FrameError: not such a frame; the tracker can go on with a right one.
            FearError: `init` was not called.
        """
        if self._shape == (0, 0):
            raise FearError("expected init(frame, box) before update(frame); the tracker has no target yet")
        require_frame(frame, *self._shape)
        if not self._targets:
            return []
        tracks: dict[int, Track] = {}
        for side, crops in self._crops.items():
            rows = [row for row, target in enumerate(self._targets) if row not in tracks and target.side == side]
            for row in rows:
                self._targets[row].cut_search(frame, crops[row])
            tracks |= self._find(frame, crops, rows)
        return [tracks[row] for row in range(len(self._targets))]

    def _find(self, frame: Picture, crops: Crops, rows: list[int]) -> dict[int, Track]:
        """Tracks of the targets of these rows, whose crops were cut.

        In one call where that serves more than half of all targets; it has all rows then, for runtimes compile a network for each number
        of crops.
        """
        if 2 * len(rows) > len(self._targets):
            maps = self.network.match(crops, self._templates())
            return {row: self._targets[row].advance(frame, maps, row) for row in rows}
        found = {}
        for row in rows:
            target = self._targets[row]
            found[row] = target.advance(frame, self.network.match(crops[row : row + 1], target.template.features), 0)
        return found

    def _templates(self) -> Features:
        """(N, C, T, T)"""
        if len(self._targets) == 1:
            return self._targets[0].template.features
        return np.concatenate([target.template.features for target in self._targets])


class Tracker:
    """Follows one target.

    Example:
        >>> import fear, numpy
        >>> frame = numpy.zeros((240, 320, 3), numpy.uint8)
        >>> tracker = fear.Tracker("fear-xs")
        >>> tracker.init(frame, (100, 80, 40, 40))
        >>> track = tracker.update(frame)
        >>> 0 <= track.score <= 1
        True

    Arguments and errors are those of `MultiTracker`.
    """

    def __init__(
        self,
        model: str | Path | Network = "fear-xs",
        *,
        runtime: str = "auto",
        device: str = "cpu",
        threads: int | None = None,
        config: TrackerConfig | None = None,
    ) -> None:
        self._tracker = MultiTracker(model, runtime=runtime, device=device, threads=threads, config=config)

    @property
    def network(self) -> Network:
        """The network that this tracker runs."""
        return self._tracker.network

    @property
    def config(self) -> TrackerConfig:
        """The rules around the network."""
        return self._tracker.config

    def init(self, frame: Picture, box_xywh: Iterable[Any]) -> None:
        """Starts anew with this target; see `MultiTracker.init`."""
        self._tracker.init(frame, [box_xywh])

    def update(self, frame: Picture) -> Track:
        """Finds the target in the next frame; see `MultiTracker.update`."""
        return self._tracker.update(frame)[0]
