"""What a training sample shows: which frames, which part of them, and where the target is in each crop.

A sample is a function of seed, epoch and number alone. So every rank knows its part without asking, and a run resumes in the middle of an
epoch with the next number. The sampler decides about geometry; `crops` cuts the pictures, `photometric` changes light and colour.

Geometry and distances between frames are those of the published code. The dynamic template lies between template and search in time. The
negative crop shows no target (paper): it comes from the frame of the dynamic template where it fits, else from another clip (our choice).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fear.config import NetworkConfig, TrackerConfig
from fear.datasets.clip import Clip
from fear.datasets.frames import FrameReference
from fear.datasets.proposals import invented_box
from fear.errors import DatasetError
from fear.geometry.boxes import Box
from fear.geometry.context import search_side, search_window, template_window
from fear.geometry.window import Window
from fear.training.data.cutouts import Paste
from fear.training.sections import SamplingSection

NOWHERE: Box = (math.nan, math.nan, math.nan, math.nan)
"""The box of a crop without the target, or with a target whose box is not known."""

# published code
FIRST_GROWTH, GROWTH, LARGEST_DISTANCE = 15, 2, 150  # epoch from 0, frames in each epoch, frames
TEMPLATE_SHIFT, TEMPLATE_SCALE = 8.0, 0.05  # pixels of the crop; share of the window's size
SEARCH_SHIFT, SEARCH_SCALE = 48.0, (0.65, 1.35)
# our choices
MIRRORED = 0.5  # share of the samples
INVENTED_DISTANCE = 12  # frames between template and search around an invented box, which does not follow what moves
SHAKEN_SIZE, SHAKEN_SHIFT = 0.12, 0.06  # of a shaken box: spread of the logarithm of its sides, and of its place in template sides
_LEAST_SIDE = 2.0  # pixels of a box that can be a target
_TRIES = 8  # placements of a negative crop in the frame of the dynamic template


class View(NamedTuple):
    """One crop to be cut."""

    frame: FrameReference
    window: Window
    """The part of the frame that the crop shows, and the side of the crop."""
    flip: bool
    """Left and right change places."""
    box_xywh: Box
    """The target in pixels of the crop, or `NOWHERE`."""
    pastes: tuple[Paste, ...] = ()
    """Objects that are pasted into the crop, after it was mirrored."""
    detail: float = 1.0
    """Share of its side to which the crop is shrunk before it is enlarged again; 1 keeps all detail."""


class Sample(NamedTuple):
    """The four crops of one training sample."""

    static_template: View
    dynamic_template: View
    search: View
    negative: View
    kind: str = ""
    """What the target is, in the words of its data set; empty where that says nothing."""


class Pool(NamedTuple):
    """A data set and its share of the samples."""

    clips: Sequence[Clip]
    weight: float


class Sampler:
    """Draws samples.

    Args:
        pools: Data sets with their weights.
        network: Sides of the crops.
        sampling: Distances and shares.
        seed: Seed of all samples.
        size_of: Height and width of a frame.
        rules: What the crops show, as in tracking.

    Raises:
        DatasetError: there is no clip to draw from, or none with a box where boxes are needed.
    """

    def __init__(
        self,
        pools: Sequence[Pool],
        network: NetworkConfig,
        sampling: SamplingSection,
        seed: int,
        size_of: Callable[[FrameReference], tuple[int, int]],
        rules: TrackerConfig | None = None,
    ) -> None:
        self._sampling, self._seed, self._size_of = sampling, seed, size_of
        self._network, self._rules = network, rules or TrackerConfig()
        self.search_side = search_side(self._rules, network)
        """Of search and negative crops, in pixels."""
        self._pools = [[clip for clip in pool.clips if sampling.without_boxes or len(labelled_frames(clip))] for pool in pools]
        if not self._pools or not all(self._pools):
            raise DatasetError("expected clips in every data set, with boxes unless the sampling is without_boxes; found none")
        weights = np.array([pool.weight for pool in pools], np.float64)
        self._shares = weights / weights.sum()
        self._inside: list[NDArray[np.float64] | None] = [None] * len(self._pools)

    def prefer(self, weights: Mapping[str, float]) -> None:
        """Draws clips in proportion to their weights from now on.

        Args:
            weights: By name, see `difficulty`; a clip without one counts as the average of its data set.
        """
        self._inside = [shares([clip.name for clip in pool], weights) for pool in self._pools]

    def sample(self, epoch: int, number: int) -> Sample:
        """The sample of that number in that epoch."""
        rng = np.random.default_rng((self._seed, epoch, number))
        clip = self._clip(rng)
        labelled = labelled_frames(clip)
        known = len(labelled) > 0 and not (self._sampling.without_boxes and rng.random() >= self._sampling.labelled)
        if known:
            moments = self._moments(rng, labelled, self._distance(epoch))
            boxes = [_box(clip, moment) for moment in moments]
        else:
            moments = self._moments(rng, np.arange(len(clip)), INVENTED_DISTANCE)
            boxes = [invented_box(rng, *self._size_of(clip.frames[moments[0]]))] * 3
        flip = bool(rng.random() < MIRRORED)
        first, recent, now = (clip.frames[moment] for moment in moments)
        static = self._template(rng, first, boxes[0], flip)
        dynamic = self._template(rng, recent, boxes[1], flip, shaken=self._is_shaken(rng))
        absent = rng.random() < self._sampling.absent
        search = self._elsewhere(rng, clip, flip) if absent else self._search(rng, now, boxes[2], flip, known)
        negative = self._beside(rng, recent, boxes[1], flip) or self._elsewhere(rng, clip, flip)
        return Sample(static, dynamic, search, negative, clip.attributes[0] if clip.attributes else "")

    # ------------------------------------------------------------------------------------------------------------ which frames
    def _clip(self, rng: np.random.Generator) -> Clip:
        number = int(rng.choice(len(self._pools), p=self._shares))
        pool, inside = self._pools[number], self._inside[number]
        return pool[int(rng.integers(len(pool))) if inside is None else int(rng.choice(len(pool), p=inside))]

    def _distance(self, epoch: int) -> int:
        return min(self._sampling.distance + GROWTH * max(0, epoch - FIRST_GROWTH + 1), max(LARGEST_DISTANCE, self._sampling.distance))

    def _moments(self, rng: np.random.Generator, frames: NDArray[np.int64], distance: int) -> tuple[int, int, int]:
        """Frames of static template, dynamic template and search; the second lies between the others in time."""
        first = int(frames[rng.integers(len(frames))])
        near = frames[np.abs(frames - first) <= distance]
        last = int(near[rng.integers(len(near))])
        between = near[(near >= min(first, last)) & (near <= max(first, last))]
        if self._sampling.recent is not None:
            between = between[np.abs(between - last) <= self._sampling.recent]
        return first, int(between[rng.integers(len(between))]), last

    # ----------------------------------------------------------------------------------------------------------- which windows
    def _is_shaken(self, rng: np.random.Generator) -> bool:
        return self._sampling.shaken > 0 and rng.random() < self._sampling.shaken

    def _template(self, rng: np.random.Generator, frame: FrameReference, box: Box, flip: bool, shaken: bool = False) -> View:
        """A template crop; a shaken one is cut as a tracker cuts it, at a box that it found and that is a little wrong."""
        scale = rng.uniform(1 - TEMPLATE_SCALE, 1 + TEMPLATE_SCALE)
        window = template_window(box, self._rules, self._network)
        window = _moved(rng, window, scale, scale, TEMPLATE_SHIFT / window.side)
        if shaken:
            across, down = np.exp(rng.uniform(-SHAKEN_SIZE, SHAKEN_SIZE, 2)).tolist()
            window = _moved(rng, window, across, down, SHAKEN_SHIFT)
        return _view(frame, window, flip, box)

    def _search(self, rng: np.random.Generator, frame: FrameReference, box: Box, flip: bool, known: bool) -> View:
        return _view(frame, self._search_window(rng, box), flip, box if known else NOWHERE)

    def _search_window(self, rng: np.random.Generator, box: Box) -> Window:
        scale, spread = rng.uniform(*SEARCH_SCALE), self._sampling.search_ratio
        across, down = (scale * math.exp(rng.uniform(-spread, spread)) for _ in range(2))
        window = search_window(box, self._rules, self._network)
        return _moved(rng, window, across, down, SEARCH_SHIFT / window.side)

    def _beside(self, rng: np.random.Generator, frame: FrameReference, box: Box, flip: bool) -> View | None:
        """A part of the same picture, as large as a search, without the target; None where none was found."""
        height, width = self._size_of(frame)
        window = self._search_window(rng, box)
        if window.width > width or window.height > height:
            return None
        for _ in range(_TRIES):
            placed = window._replace(x=rng.uniform(0, width - window.width), y=rng.uniform(0, height - window.height))
            if _apart(placed, box):
                return _view(frame, placed, flip, NOWHERE)
        return None

    def _elsewhere(self, rng: np.random.Generator, clip: Clip, flip: bool) -> View:
        """Something of another clip; where there is none, a part of this clip without the target, or what lies beyond its picture."""
        drawn = (self._clip(rng) for _ in range(_TRIES))
        any_other = (other for pool in self._pools for other in pool if other is not clip)
        other = next((other for other in drawn if other is not clip), None) or next(any_other, clip)
        labelled = labelled_frames(other)
        moment = int(rng.choice(labelled if len(labelled) else len(other)))
        frame = other.frames[moment]
        height, width = self._size_of(frame)
        box = _box(other, moment) if len(labelled) else invented_box(rng, height, width)
        if other is not clip:
            return self._search(rng, frame, box, flip, known=False)
        beyond = Window(float(width), float(height), float(width), float(height), self.search_side)
        return self._beside(rng, frame, box, flip) or _view(frame, beyond, flip, NOWHERE)


def shares(names: Sequence[str], weights: Mapping[str, float]) -> NDArray[np.float64] | None:
    """The share of each clip in the samples of its data set; None where no weight is known, and all have the same.

    Args:
        names: Of the clips of one data set.
        weights: By name; a clip without one counts as the average of the others.
    """
    known = [weights[name] for name in names if name in weights]
    if not known:
        return None
    usual = sum(known) / len(known)
    each = np.array([weights.get(name, usual) for name in names])
    return np.asarray(each / each.sum())


def labelled_frames(clip: Clip) -> NDArray[np.int64]:
    """The frames with a box of at least two pixels a side."""
    boxes = clip.boxes_xywh
    with np.errstate(invalid="ignore"):
        return np.flatnonzero(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] >= _LEAST_SIDE).all(axis=1))


def _box(clip: Clip, moment: int) -> Box:
    x, y, w, h = clip.boxes_xywh[moment].tolist()
    return x, y, w, h


def _apart(window: Window, box: Box) -> bool:
    """Whether a window shows nothing of a box."""
    x, y, w, h = box
    return x + w <= window.x or window.x + window.width <= x or y + h <= window.y or window.y + window.height <= y


def _moved(rng: np.random.Generator, window: Window, across: float, down: float, shift: float) -> Window:
    """The window, scaled around its centre, then moved by up to `shift` of its own size."""
    width, height = window.width * across, window.height * down
    x = window.x + (window.width - width) / 2 + rng.uniform(-shift, shift) * width
    y = window.y + (window.height - height) / 2 + rng.uniform(-shift, shift) * height
    return window._replace(x=x, y=y, width=width, height=height)


def _view(frame: FrameReference, window: Window, flip: bool, box: Box) -> View:
    x, y, w, h = window.to_crop(box)
    return View(frame, window, flip, (window.side - x - w if flip else x, y, w, h))
