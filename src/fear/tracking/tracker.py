"""The tracker: `init(frame, box)`, then `update(frame)` for every frame. It owns all state; the network has none."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

import numpy as np

from fear.config import TrackerConfig
from fear.errors import BoxError, ConfigError, FearError
from fear.geometry.boxes import Box, doubt, parse_box, require_overlap, require_pixels
from fear.geometry.window import Window
from fear.loading.load import load
from fear.loading.reference import Model
from fear.media.image import Image, Picture, require_frame
from fear.media.planes import Bgr
from fear.runtime.protocol import Network, require_finite
from fear.tracking.assignment import assign, in_conflict
from fear.tracking.target import Detection, Target
from fear.tracking.track import Track

_log = logging.getLogger(__name__)

Colour = Literal["rgb", "bgr"]

_PEAKS = 3  # of each search that are compared where two targets are found at the same place


class _NotPicklable:
    """Refuses to be pickled or copied, because its network is compiled for this process."""

    def __reduce__(self) -> NoReturn:
        name = type(self).__name__
        raise FearError(
            f"expected not to pickle or copy a {name}, whose network is compiled for this process; "
            f"make a {name} in each worker process, such as in the initializer of its pool"
        )


class MultiTracker(_NotPicklable):
    """Follows several targets.

    The searches of all targets whose crops have the same side are answered by one call of the network.

    Examples:
        >>> import fear, numpy
        >>> frame = numpy.zeros((240, 320, 3), numpy.uint8)
        >>> tracker = fear.MultiTracker("fear-xs")
        >>> tracker.init(frame, [(100, 80, 40, 40), (200, 80, 40, 40)])
        >>> [track.id for track in tracker.update(frame)]
        [0, 1]
        >>> tracker.remove(0)
        >>> tracker.add(frame, (20, 20, 30, 30))
        2
        >>> [track.id for track in tracker.update(frame)]
        [1, 2]

    Args:
        model: A name such as `fear-xs`, a `.safetensors` checkpoint, an exported folder, or `published:DIR`; or a loaded network.
        runtime: `openvino`, `onnx` or `torch`. `auto` measures at the first use on a machine which one is the fastest; it may take an int8
            form of packaged weights where that is clearly faster.
        device: `cpu`, or what the runtime knows, such as `cuda`.
        threads: Of the network; None leaves their number to the runtime.
        config: Rules around the network.
        colour: Order of the channels in the frames: `rgb`, or `bgr` as OpenCV gives them.

    Raises:
        WeightsError: There is no such model, or it is damaged.
        RuntimeMissingError: The runtime is not installed.
        ConfigError: An option has a value that is not known.
    """

    def __init__(
        self,
        model: str | Path | Model | Network = "fear-xs",
        *,
        runtime: str = "auto",
        device: str = "cpu",
        threads: int | None = None,
        config: TrackerConfig | None = None,
        colour: Colour = "rgb",
    ) -> None:
        if colour not in get_args(Colour):
            raise ConfigError(f"colour: expected rgb or bgr, got {colour!r}")
        if config is not None and not isinstance(config, TrackerConfig):
            raise ConfigError(f"config: expected a fear.TrackerConfig, got {config!r}")
        self.config = config or TrackerConfig()
        if isinstance(model, str | Path | Model):
            model = load(model, runtime=runtime, device=device, threads=threads, rules=self.config)
        elif not hasattr(model, "encode_template"):
            raise ConfigError(f"model: expected a name, a path or a loaded network, got {model!r}")
        self.network: Network = model
        self._colour = colour
        self._targets: list[Target] = []
        self._next_id = 0
        self._shape = (0, 0)
        self._crops: dict[int, Image] = {}

    def init(self, frame: Picture, boxes_xywh: Sequence[Iterable[Any]]) -> None:
        """Starts anew with these targets.

        Args:
            frame: (H, W, 3), uint8.
            boxes_xywh: One box for each target: left, top, width, height in pixels of the frame. Their ids are 0, 1, 2, ….

        Raises:
            FrameError: The frame is not such an array.
            BoxError: A box is not four finite numbers, has no area, or lies outside the frame.
        """
        frame = self._picture(frame, first=True)
        if not isinstance(boxes_xywh, Iterable):
            raise BoxError(f"expected a box for each target, got {boxes_xywh!r}")
        boxes = [self._parse(box, frame) for box in boxes_xywh]
        self._shape, self._targets, self._next_id = frame.shape[:2], [], 0
        for box in boxes:
            self._start(frame, box)

    def add(self, frame: Picture, box_xywh: Iterable[Any]) -> int:
        """Adds a target while others are followed.

        Args:
            frame: The frame that `update` got last, or the first one.
            box_xywh: The target in that frame, in pixels.

        Returns:
            Its id. The ids of removed targets are not given again.

        Raises:
            FrameError: The frame is not such an array, or has another size than the frames before.
            BoxError: The box is not four finite numbers, has no area, or lies outside the frame.
        """
        frame = self._picture(frame)
        box = self._parse(box_xywh, frame)
        self._shape = frame.shape[:2]
        return self._start(frame, box)

    def correct(self, frame: Picture, id: int, box_xywh: Iterable[Any]) -> None:
        """Follows a target anew from its true box, under the same id; the others go on as they are.

        Args:
            frame: The frame that `update` got last.
            id: Of the target.
            box_xywh: Where it is in that frame, in pixels.

        Raises:
            FrameError: The frame is not such an array, or has another size than the frames before.
            BoxError: No target has this id; or the box is not four finite numbers, has no area, or lies outside the frame.
        """
        frame = self._picture(frame)
        box = self._parse(box_xywh, frame)
        place = next((place for place, target in enumerate(self._targets) if target.id == id), None)
        if place is None:
            raise self._unknown(id)
        self._targets[place] = Target(id, self.network, self.config, frame, box)

    def remove(self, id: int) -> None:
        """Stops following a target.

        Args:
            id: Of the target.

        Raises:
            BoxError: No target has this id.
        """
        kept = [target for target in self._targets if target.id != id]
        if len(kept) == len(self._targets):
            raise self._unknown(id)
        self._targets = kept

    def _unknown(self, id: object) -> BoxError:
        known = ", ".join(str(target.id) for target in self._targets) or "there is none"
        return BoxError(f"expected the id of a target ({known}), got {id!r}")

    def update(self, frame: Picture) -> list[Track]:
        """Finds every target in the next frame.

        Args:
            frame: (H, W, 3), uint8, of the size of the first frame.

        Returns:
            One track for each target, in the order in which they were given.

        Raises:
            FrameError: The frame is not such an array. The tracker can go on with a right one.
            FearError: Neither `init` nor `add` was called before.
        """
        if self._shape == (0, 0):
            raise FearError("expected init(frame, box) before update(frame); the tracker has no target yet")
        frame = self._picture(frame)
        several = len(self._targets) > 1
        for target in self._targets:
            target.limit_size(other for other in self._targets if other is not target)
        peaks = _PEAKS if several else 1
        local = self._search(frame, [(target, target.search_window()) for target in self._targets], peaks)
        local |= self._look_again(frame, local, peaks)
        wide = self._search(frame, [(target, window) for target in self._targets for window in target.wide_windows()], peaks)
        local |= self._choose(local)
        tracks: dict[int, Track] = {}
        for target in sorted(self._targets, key=lambda one: one.claimed_box is None):  # lost ones come last: they get what is left
            others = [other.claimed_box for other in self._targets if other is not target and other.claimed_box is not None]
            tracks[target.id] = target.advance(frame, local[target.id], wide.get(target.id, []), others)
        return [tracks[target.id] for target in self._targets]

    def _look_again(self, frame: Picture, local: dict[int, list[Detection]], count: int) -> dict[int, list[Detection]]:
        """What was found of targets that the camera had moved out of their local search."""
        windows = [(target, target.second_window(frame, local[target.id][0])) for target in self._targets]
        found = self._search(frame, [(target, window) for target, window in windows if window is not None], count)
        return {target.id: found[target.id] for target in self._targets if target.id in found and target.convinces(found[target.id][0])}

    def _choose(self, local: dict[int, list[Detection]]) -> dict[int, list[Detection]]:
        """Resolves conflicts between targets that are not lost: each keeps at most one detection, and no two keep the same object.

        Without a conflict the answer is empty.
        """
        following = [target for target in self._targets if target.claimed_box is not None]
        if not in_conflict([local[target.id][0].box_xywh for target in following]):
            return {}
        chosen = assign({target.id: target.options(local[target.id]) for target in following})
        return {number: [] if place is None else [local[number][place]] for number, place in chosen.items()}

    def _search(self, frame: Picture, searches: list[tuple[Target, Window]], count: int) -> dict[int, list[Detection]]:
        """What searches found, by the id of the target. Crops of one side are answered by one call of the network.

        Args:
            frame: Is searched.
            searches: Targets, each with what a search for it shows.
            count: Of places that each search gives, at most.
        """
        found: dict[int, list[Detection]] = {}
        for side in {window.side for _, window in searches}:
            alike = [(target, window) for target, window in searches if window.side == side]
            crops = self._buffer(side, len(alike))
            for (target, window), out in zip(alike, crops, strict=True):
                target.cut(frame, window, out)
            features = [target.template.features for target, _ in alike]
            maps = require_finite(self.network.match(crops, features[0] if len(features) == 1 else np.concatenate(features)))
            for row, (target, window) in enumerate(alike):
                found.setdefault(target.id, []).extend(target.read(window, maps, row, count))
        return found

    def _buffer(self, side: int, count: int) -> Image:
        """(count, side, side, 3), reused from frame to frame."""
        kept = self._crops.get(side)
        if kept is None or len(kept) < count:
            kept = self._crops[side] = np.empty((count, side, side, 3), np.uint8)
        return kept[:count]

    def _picture(self, frame: Picture, first: bool = False) -> Picture:
        """Checks the frame and returns it; the first one of a video may have any size. BGR pixels are converted when they are read."""
        require_frame(frame, *(self._shape if self._targets and not first else ()))
        return Bgr(frame) if self._colour == "bgr" and isinstance(frame, np.ndarray) else frame

    def _parse(self, box_xywh: Iterable[Any], frame: Picture) -> Box:
        box = parse_box(box_xywh)
        require_pixels(box, *frame.shape[:2])
        require_overlap(box, *frame.shape[:2])
        hint = doubt(box, *frame.shape[:2])
        if hint:
            _log.warning("hint: %s", hint)
        return box

    def _start(self, frame: Picture, box: Box) -> int:
        target = Target(self._next_id, self.network, self.config, frame, box)
        self._targets.append(target)
        self._next_id += 1
        return target.id


class Tracker(_NotPicklable):
    """Follows one target.

    Examples:
        >>> import fear, numpy
        >>> frame = numpy.zeros((240, 320, 3), numpy.uint8)
        >>> tracker = fear.Tracker("fear-xs")
        >>> tracker.init(frame, (100, 80, 40, 40))
        >>> track = tracker.update(frame)
        >>> 0 <= track.score <= 1
        True

    Args:
        model: A name such as `fear-xs`, a `.safetensors` checkpoint, an exported folder, or `published:DIR`; or a loaded network.
        runtime: `openvino`, `onnx` or `torch`. `auto` measures at the first use on a machine which one is the fastest; it may take an int8
            form of packaged weights where that is clearly faster.
        device: `cpu`, or what the runtime knows, such as `cuda`.
        threads: Of the network; None leaves their number to the runtime.
        config: Rules around the network.
        colour: Order of the channels in the frames: `rgb`, or `bgr` as OpenCV gives them.

    Raises:
        WeightsError: There is no such model, or it is damaged.
        RuntimeMissingError: The runtime is not installed.
        ConfigError: An option has a value that is not known.
    """

    def __init__(
        self,
        model: str | Path | Model | Network = "fear-xs",
        *,
        runtime: str = "auto",
        device: str = "cpu",
        threads: int | None = None,
        config: TrackerConfig | None = None,
        colour: Colour = "rgb",
    ) -> None:
        self._tracker = MultiTracker(model, runtime=runtime, device=device, threads=threads, config=config, colour=colour)

    @property
    def network(self) -> Network:
        """The network that this tracker runs."""
        return self._tracker.network

    @property
    def config(self) -> TrackerConfig:
        """The rules around the network."""
        return self._tracker.config

    def init(self, frame: Picture, box_xywh: Iterable[Any]) -> None:
        """Starts anew with this target.

        Args:
            frame: (H, W, 3), uint8.
            box_xywh: Left, top, width, height in pixels of the frame.

        Raises:
            FrameError: The frame is not such an array.
            BoxError: The box is not four finite numbers, has no area, or lies outside the frame.
        """
        self._tracker.init(frame, [box_xywh])

    def update(self, frame: Picture) -> Track:
        """Finds the target in the next frame.

        Args:
            frame: (H, W, 3), uint8, of the size of the first frame.

        Raises:
            FrameError: The frame is not such an array. The tracker can go on with a right one.
            FearError: `init` was not called before.
        """
        return self._tracker.update(frame)[0]
