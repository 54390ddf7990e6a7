"""The tracker: `init(frame, box)`, then `update(frame)` for every frame. It owns all state; the network has none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fear.boxes import Box, clip_box, parse_box, require_overlap
from fear.config import TrackerConfig
from fear.crop import Image, crop, mean_colour, require_frame, search_side, search_window, template_window
from fear.decode import decode
from fear.errors import FearError
from fear.pixels import Yuv420
from fear.runtime import Network, load
from fear.runtime.base import Crops, Maps
from fear.template import DualTemplate, Features

Picture = Image | Yuv420
"""A frame: an array, or a decoder's planes, of which only what is looked at is converted."""

_SMALLEST = 2.0  # pixels; a box below this holds nothing to search for, and one bad frame must not end a track


class Track(NamedTuple):
    """Where the target is in one frame."""

    box_xywh: Box
    """In pixels of the frame, within its borders."""
    score: float
    """The network's confidence at the chosen place, 0 to 1."""
    similarity: float
    """Cosine similarity of what was found and the target, −1 to 1."""
    lost: bool
    """The score is below `TrackerConfig.lost_score`: the target is probably hidden or gone."""


class _Target:
    """State of one target: where it was, and how it looks."""

    def __init__(self, network: Network, config: TrackerConfig, frame: Picture, box_xywh: Box) -> None:
        self._network, self._config = network, config
        self._height, self._width = frame.shape[:2]
        self._fill = mean_colour(frame)
        self._box = box_xywh
        self._calm = False  # how it moves is not known yet
        self._window = search_window(box_xywh, config, network.config)
        self.template = DualTemplate(
            network.embed(self._cut_template(frame)[None]), network, config.update_interval, config.dynamic_template
        )

    def _cut_template(self, frame: Picture) -> Image:
        return crop(frame, template_window(self._box, self._config), self._network.config.template_size, self._fill)

    @property
    def side(self) -> int:
        """Of the next search crop, in pixels."""
        return search_side(self._config, self._network.config, self._calm)

    def cut_search(self, frame: Picture, out: Image) -> None:
        """Writes the search crop around the last box into `out`, (side, side, 3)."""
        # exact all the same: the box is mapped back through the window that was cut
        self._window = search_window(self._box, self._config, self._network.config, self._calm).on_pixels()
        crop(frame, self._window, out.shape[0], self._fill, out)

    def advance(self, frame: Picture, maps: Maps, row: int) -> Track:
        """Takes one row of the network's answer to the last search crops."""
        size = self.side
        _, _, width, height = self._window.to_crop(self._box, size)
        peak = decode(maps.scores[row, 0], maps.boxes_ltrb[row], (width, height), self._config)
        similarity = self.template.similarity(maps.embeddings[row])
        lost = peak.score < self._config.lost_score
        before = self._box
        if peak.score >= self._config.hold_score:  # else what was found is hardly the target, and following it would lose the place
            self._box = self._keep_in_reach(self._window.to_frame(peak.box_xywh, size))
        self._calm = peak.score >= self._config.calm_score and step(before, self._box) <= self._config.calm_step
        self.template.observe(
            similarity if maps.updates is None else float(maps.updates[row, 0]),
            None if lost else lambda: self._cut_template(frame),
            lambda template_crop: self._network.embed(template_crop[None]),
        )
        return Track(clip_box(self._box, self._height, self._width), peak.score, similarity, lost)

    def _keep_in_reach(self, box_xywh: Box) -> Box:
        """The box itself, moved where its centre left the frame and grown where it vanished: so the next search sees the frame."""
        x, y, w, h = box_xywh
        centre_x = min(max(x + w / 2, 0.0), float(self._width))
        centre_y = min(max(y + h / 2, 0.0), float(self._height))
        w, h = min(max(w, _SMALLEST), 2.0 * self._width), min(max(h, _SMALLEST), 2.0 * self._height)
        return centre_x - w / 2, centre_y - h / 2, w, h


def step(before_xywh: Box, after_xywh: Box) -> float:
    """How far a box's centre moved, in widths or heights of the box before, whichever is more."""
    (x, y, w, h), (x_after, y_after, w_after, h_after) = before_xywh, after_xywh
    return max(abs(x_after + w_after / 2 - x - w / 2) / w, abs(y_after + h_after / 2 - y - h / 2) / h)


class MultiTracker:
    """Follows several targets; one network call a frame serves all that are calm, and those that are not have calls of their own.

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
        self._targets: list[_Target] = []
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
        self._targets = [_Target(self.network, self.config, frame, box) for box in boxes]
        self._crops = {
            side: np.empty((len(boxes), side, side, 3), np.uint8)
            for side in (search_side(self.config, self.network.config, calm) for calm in (False, True))
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


def track(
    source: str | Path | int,
    box_xywh: Iterable[Any],
    model: str | Path | Network = "fear-xs",
    *,
    runtime: str = "auto",
    device: str = "cpu",
    threads: int | None = None,
    config: TrackerConfig | None = None,
) -> Iterator[tuple[int, Track]]:
    """Follows one target through a video.

    Args:
        source: A video file, a folder of images, a camera's number, or a stream's URL.
        box_xywh: The target in frame 0, in pixels.
        model: As for `Tracker`.
        runtime: Likewise.
        device: Likewise.
        threads: Likewise.
        config: Likewise.

    Yields:
        Number of the frame and the track. Frame 0 is the given box, with score and similarity 1.

    Raises:
        VideoError: the source cannot be opened, or breaks off; frames before that were yielded.
    """
    from fear.video import open_source  # PyAV is not needed to track frames

    tracker = Tracker(model, runtime=runtime, device=device, threads=threads, config=config)
    box = parse_box(box_xywh)
    with open_source(source) as frames:
        for frame in frames:
            if frame.index == 0:
                tracker.init(frame.picture, box)
                yield 0, Track(box, 1.0, 1.0, False)
            else:
                yield frame.index, tracker.update(frame.picture)
