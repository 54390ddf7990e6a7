"""What a training sample shows: which frames, which part of them, and where the target is in each crop.

A sample is a function of seed, epoch and number alone. So every rank knows its part without asking, and a run resumes in the middle of an
epoch by going on with the next number. Only geometry is drawn here; pictures are cut by `pictures`, light and colour changed by
`photometric`.

Geometry and frame distances: the published code's. The dynamic template lies between template and search in time; the negative crop
shows no target, in the dynamic template's frame where it fits, else in another sequence (paper, and our choices where it is silent).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
from fear.training.recipe import Sampling

NOWHERE: Box = (math.nan, math.nan, math.nan, math.nan)
_TRIES = 8  # placements of a negative crop in the target's frame


class View(NamedTuple):
    """One crop to be cut."""

    path: FrameReference
    """The picture."""
    window: Window
    """The part of it that the crop shows."""
    flip: bool
    """Left and right changed places."""
    box_xywh: Box
    """The target in pixels of the crop; NaN where it is not there, or not known."""


class Sample(NamedTuple):
    """The four crops of one training sample."""

    static: View
    dynamic: View
    search: View
    negative: View


class Pool(NamedTuple):
    """A data set and its share of the samples."""

    sequences: Sequence[Clip]
    weight: float


class Sampler:
    """Draws samples.

    Args:
        pools: Data sets with their weights.
        network: Sides of the crops.
        sampling: Distances and geometry.
        seed: Of all samples.
        size_of: Height and width of a picture.
        rules: What the crops show, as in tracking.

    Raises:
        DatasetError: no sequence to draw from, or none with a box where boxes are needed.
    """

    def __init__(
        self,
        pools: Sequence[Pool],
        network: NetworkConfig,
        sampling: Sampling,
        seed: int,
        size_of: Callable[[FrameReference], tuple[int, int]],
        rules: TrackerConfig | None = None,
    ) -> None:
        self._sampling, self._seed, self._size_of = sampling, seed, size_of
        self._network, self._rules = network, rules or TrackerConfig()
        self.sides = network.template_size, search_side(self._rules, network)
        """Of template and search crops, in pixels."""
        self._pools = [[s for s in pool.sequences if sampling.without_boxes or len(labelled_frames(s))] for pool in pools]
        if not self._pools or not all(self._pools):
            raise DatasetError("expected sequences in every data set, with boxes unless the sampling is without_boxes; found none")
        weights = np.array([pool.weight for pool in pools], np.float64)
        self._shares = weights / weights.sum()

    def sample(self, epoch: int, number: int) -> Sample:
        """The sample of that number in that epoch."""
        rng = np.random.default_rng((self._seed, epoch, number))
        sequence = self._sequence(rng)
        labelled = labelled_frames(sequence)
        if len(labelled) and not (self._sampling.without_boxes and rng.random() >= self._sampling.labelled):
            moments = self._moments(rng, labelled, self._distance(epoch))
            boxes = [_box(sequence, moment) for moment in moments]
        else:
            moments = self._moments(rng, np.arange(len(sequence)), self._sampling.unlabelled_distance)
            boxes = [invented_box(rng, *self._size_of(sequence.frames[moments[0]]))] * 3
            labelled = labelled[:0]
        flip = bool(rng.random() < self._sampling.flip)
        first, recent, now = (sequence.frames[moment] for moment in moments)
        static, dynamic = (self._template(rng, path, box, flip) for path, box in ((first, boxes[0]), (recent, boxes[1])))
        if rng.random() < self._sampling.absent:
            search = self._elsewhere(rng, sequence, flip)
        else:
            search = self._search(rng, now, boxes[2], flip, known=len(labelled) > 0)
        negative = self._beside(rng, recent, boxes[1], flip) or self._elsewhere(rng, sequence, flip)
        return Sample(static, dynamic, search, negative)

    # ------------------------------------------------------------------------------------------------------------ which frames
    def _sequence(self, rng: np.random.Generator) -> Clip:
        pool = self._pools[int(rng.choice(len(self._pools), p=self._shares))]
        return pool[int(rng.integers(len(pool)))]

    def _distance(self, epoch: int) -> int:
        s = self._sampling
        return min(s.distance + s.distance_growth * max(0, epoch - s.distance_epoch + 1), s.distance_limit)

    @staticmethod
    def _moments(rng: np.random.Generator, frames: NDArray[np.int64], distance: int) -> tuple[int, int, int]:
        """Frames of static template, dynamic template and search; the second lies between the others in time."""
        first = int(frames[rng.integers(len(frames))])
        near = frames[np.abs(frames - first) <= distance]
        last = int(near[rng.integers(len(near))])
        between = near[(near >= min(first, last)) & (near <= max(first, last))]
        return first, int(between[rng.integers(len(between))]), last

    # ----------------------------------------------------------------------------------------------------------- which windows
    def _template(self, rng: np.random.Generator, path: FrameReference, box: Box, flip: bool) -> View:
        s, size = self._sampling, self.sides[0]
        scale = rng.uniform(1 - s.template_scale, 1 + s.template_scale)
        window = _moved(rng, template_window(box, self._rules, self._network), scale, scale, s.template_shift / size)
        return _view(path, window, flip, box)

    def _search(self, rng: np.random.Generator, path: FrameReference, box: Box, flip: bool, known: bool) -> View:
        return _view(path, self._search_window(rng, box), flip, box if known else NOWHERE)

    def _search_window(self, rng: np.random.Generator, box: Box) -> Window:
        s, size = self._sampling, self.sides[1]
        scale = rng.uniform(*s.search_scale)
        across, down = (scale * math.exp(rng.uniform(-s.search_ratio, s.search_ratio)) for _ in range(2))
        return _moved(rng, search_window(box, self._rules, self._network), across, down, s.search_shift / size)

    def _beside(self, rng: np.random.Generator, path: FrameReference, box: Box, flip: bool) -> View | None:
        """A search-sized part of the same picture without the target; None where none was found."""
        height, width = self._size_of(path)
        window = self._search_window(rng, box)
        if window.width > width or window.height > height:
            return None
        for _ in range(_TRIES):
            placed = window._replace(x=rng.uniform(0, width - window.width), y=rng.uniform(0, height - window.height))
            apart = max(
                box[0] - placed.x - placed.width, placed.x - box[0] - box[2], box[1] - placed.y - placed.height, placed.y - box[1] - box[3]
            )
            if apart >= 0:
                return _view(path, placed, flip, NOWHERE)
        return None

    def _elsewhere(self, rng: np.random.Generator, sequence: Clip, flip: bool) -> View:
        """Something of another sequence; where there is none, a part of this one without the target, or what lies beyond its picture."""
        drawn = (self._sequence(rng) for _ in range(_TRIES))
        any_other = (other for pool in self._pools for other in pool if other is not sequence)
        other = next((other for other in drawn if other is not sequence), None) or next(any_other, sequence)
        labelled = labelled_frames(other)
        moment = int(rng.choice(labelled if len(labelled) else len(other)))
        path = other.frames[moment]
        height, width = self._size_of(path)
        box = _box(other, moment) if len(labelled) else invented_box(rng, height, width)
        if other is not sequence:
            return self._search(rng, path, box, flip, known=False)
        beyond = Window(float(width), float(height), float(width), float(height), self.sides[1])
        return self._beside(rng, path, box, flip) or _view(path, beyond, flip, NOWHERE)


def labelled_frames(sequence: Clip) -> NDArray[np.int64]:
    """Frames with a box of at least two pixels a side."""
    boxes = sequence.boxes_xywh
    with np.errstate(invalid="ignore"):
        return np.flatnonzero(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] >= 2).all(axis=1))


def _box(sequence: Clip, moment: int) -> Box:
    x, y, w, h = sequence.boxes_xywh[moment].tolist()
    return x, y, w, h


def _overlap(window: Window, box: Box) -> bool:
    x, y, w, h = box
    return x < window.x + window.width and window.x < x + w and y < window.y + window.height and window.y < y + h


def _moved(rng: np.random.Generator, window: Window, across: float, down: float, shift: float) -> Window:
    """Scaled around its centre, then moved by up to `shift` of its own size."""
    width, height = window.width * across, window.height * down
    x = window.x + (window.width - width) / 2 + rng.uniform(-shift, shift) * width
    y = window.y + (window.height - height) / 2 + rng.uniform(-shift, shift) * height
    return Window(x, y, width, height, window.side)


def _view(path: FrameReference, window: Window, flip: bool, box: Box) -> View:
    x, y, w, h = window.to_crop(box)
    return View(path, window, flip, (window.side - x - w if flip else x, y, w, h))
