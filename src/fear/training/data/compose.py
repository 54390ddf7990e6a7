"""Samples that teach what trackers fail at: look-alikes beside the target, occluders over it, and targets of few pixels.

A composed sample begins as a sample of `Sampler`, or with a pasted object as the target on the pictures of any clip. Then objects are
pasted beside the target or over a part of it, and all crops may lose detail. Boxes stay exact: a pasted target lies where its box says,
and other pasted objects do not move the target. A second random stream of (seed, epoch, number) decides all of this, so a sample is still a
function of these three. All numbers are our choice where no source is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from fear.config import NetworkConfig
from fear.datasets.frames import FrameReference
from fear.geometry.boxes import Box
from fear.training.data import sampler
from fear.training.data.cutouts import Cutouts, Paste
from fear.training.data.sampler import NOWHERE, Pool, Sample, Sampler, View
from fear.training.sections import ComposeSection, SamplingSection

SMALL_SIDES = (6.0, 20.0)
"""Least and largest side of a target that has lost its detail, in pixels."""
SAME_KIND = 0.7
"""Share of the neighbours that are of the target's own kind, where the kind is known and has other objects."""
COVERED = (0.1, 0.6)
"""Least and largest share of the target's box under the box of an occluder."""
_TRIES = 6  # placements of an occluder
_NEIGHBOURS = (1, 3)
_NEIGHBOUR_SIZE, _OCCLUDER_SIZE = (-0.6, 0.4), (-0.6, 0.3)  # logarithms of their sides in sides of the target
_NEIGHBOUR_DISTANCE, _OCCLUDER_DISTANCE = (0.95, 2.0), (0.3, 0.85)  # from the target's centre; the boxes touch at 1
_USUAL = 5.0  # side of the whole search context in sides of the target (published code)
_TARGET_SHARE = (0.06, 0.4)  # sides of pasted targets, as shares of the shorter side of the picture
_STRAY = 1.0  # how far a pasted target moves between its crops, in its own sides
_GROWTH, _STRETCH = 0.25, 0.1  # how much it changes its size and its ratio, as logarithms
_BACKGROUND_DISTANCE = 12  # frames between the backgrounds of a pasted target
_RATIOS = (0.25, 4.0)  # least and largest ratio of width to height of a pasted object
_LIGHT, _FLICKER, _OTHER_LIGHT = 0.3, 0.08, 0.2  # logarithms of gains: of a target, from crop to crop, of other objects


class _Pose(NamedTuple):
    """A pasted target in one picture."""

    frame: FrameReference
    box_xywh: Box
    """In pixels of the picture."""


class ComposedSampler(Sampler):
    """Draws samples and composes them.

    Args:
        pools: Data sets with their weights.
        network: Sides of the crops.
        sampling: Distances and shares.
        seed: Seed of all samples.
        size_of: Height and width of a frame.
        cutouts: The objects that can be pasted.
        options: How often each change is made.

    Raises:
        DatasetError: as `Sampler`.
    """

    def __init__(
        self,
        pools: Sequence[Pool],
        network: NetworkConfig,
        sampling: SamplingSection,
        seed: int,
        size_of: Callable[[FrameReference], tuple[int, int]],
        cutouts: Cutouts,
        options: ComposeSection,
    ) -> None:
        super().__init__(pools, network, sampling, seed, size_of)
        self._cutouts, self._options = cutouts, options
        self._usual_side = network.search_size / _USUAL

    def sample(self, epoch: int, number: int) -> Sample:
        """The sample of that number in that epoch."""
        rng = np.random.default_rng((self._seed, epoch, number, 1))
        sample = self._with_pasted_target(rng) if rng.random() < self._options.pasted else super().sample(epoch, number)
        beside, over = rng.random() < self._options.neighbours, rng.random() < self._options.occluded
        search, negative = sample.search, sample.negative
        if beside:
            search, negative = (self._with_neighbours(rng, view, sample.kind) for view in (search, negative))
        if over:
            search = self._occluded(rng, search, sample.kind)
        sample = sample._replace(search=search, negative=negative)
        return self._small(rng, sample) if rng.random() < self._options.small else sample

    # ------------------------------------------------------------------------------------------------------- pasted targets
    def _with_pasted_target(self, rng: np.random.Generator) -> Sample:
        """A sample whose target is an object on the pictures of another clip."""
        number = int(rng.integers(len(self._cutouts.items)))
        item = self._cutouts.items[number]
        clip = self._clip(rng)
        moments = self._moments(rng, np.arange(len(clip)), _BACKGROUND_DISTANCE)
        first, recent, now = self._poses(rng, item.aspect, [clip.frames[moment] for moment in moments])
        flip = bool(rng.random() < sampler.MIRRORED)
        light = _gain(rng, _LIGHT)

        def paste(view: View) -> View:
            red, green, blue = (float(a * b) for a, b in zip(light, _gain(rng, _FLICKER), strict=True))
            return view._replace(pastes=(Paste(number, view.box_xywh, flip, (red, green, blue)),))

        static = paste(self._template(rng, first.frame, first.box_xywh, flip))
        dynamic = paste(self._template(rng, recent.frame, recent.box_xywh, flip, self._is_shaken(rng)))
        search = self._search(rng, now.frame, now.box_xywh, flip, known=True)
        search = search._replace(box_xywh=NOWHERE) if rng.random() < self._sampling.absent else paste(search)
        negative = self._beside(rng, recent.frame, recent.box_xywh, flip) or self._elsewhere(rng, clip, flip)
        return Sample(static, dynamic, search, negative, item.kind)

    def _poses(self, rng: np.random.Generator, aspect: float, frames: list[FrameReference]) -> list[_Pose]:
        """Where a pasted target is in each picture: it moves, and changes its size and its ratio a little."""
        height, width = self._size_of(frames[0])
        low, high = (math.log(share * min(height, width)) for share in _TARGET_SHARE)
        side = math.exp(rng.uniform(low, high))
        x, y = rng.uniform(0, width), rng.uniform(0, height)  # centre
        poses = []
        for frame in frames:
            size, ratio = side * math.exp(rng.uniform(-_GROWTH, _GROWTH)), aspect * math.exp(rng.uniform(-_STRETCH, _STRETCH))
            w, h = size * math.sqrt(ratio), size / math.sqrt(ratio)
            height, width = self._size_of(frame)
            centre_x = _inside(x + rng.uniform(-_STRAY, _STRAY) * w, w, width)
            centre_y = _inside(y + rng.uniform(-_STRAY, _STRAY) * h, h, height)
            poses.append(_Pose(frame, (centre_x - w / 2, centre_y - h / 2, w, h)))
        return poses

    # ------------------------------------------------------------------------------------------- beside, over, of few pixels
    def _with_neighbours(self, rng: np.random.Generator, view: View, kind: str) -> View:
        """The view with one to three objects beside the target; in a view without the target they lie anywhere."""
        pastes = []
        for _ in range(int(rng.integers(_NEIGHBOURS[0], _NEIGHBOURS[1] + 1))):
            number = self._choose(rng, kind)
            width, height = self._size_in(view, number, math.exp(rng.uniform(*_NEIGHBOUR_SIZE)))
            x, y, w, h = view.box_xywh
            if math.isfinite(x):
                centre_x, centre_y = _around(rng, (x, y, w, h), width, height, rng.uniform(*_NEIGHBOUR_DISTANCE))
            else:
                centre_x, centre_y = rng.uniform(0, self.search_side, 2).tolist()
            box = (centre_x - width / 2, centre_y - height / 2, width, height)
            pastes.append(Paste(number, box, bool(rng.random() < 0.5), _gain(rng, _OTHER_LIGHT)))
        return view._replace(pastes=(*view.pastes, *pastes))

    def _occluded(self, rng: np.random.Generator, view: View, kind: str) -> View:
        """The view with an object of another kind over a part of the target; the view itself where there is no target, or none fits."""
        if not math.isfinite(view.box_xywh[0]):
            return view
        for _ in range(_TRIES):
            number = int(rng.integers(len(self._cutouts.items)))
            width, height = self._size_in(view, number, math.exp(rng.uniform(*_OCCLUDER_SIZE)))
            x, y = _around(rng, view.box_xywh, width, height, rng.uniform(*_OCCLUDER_DISTANCE))
            box = (x - width / 2, y - height / 2, width, height)
            if COVERED[0] <= _covered(view.box_xywh, box) <= COVERED[1] and self._cutouts.items[number].kind != kind:
                return view._replace(pastes=(*view.pastes, Paste(number, box, bool(rng.random() < 0.5), _gain(rng, _OTHER_LIGHT))))
        return view

    def _choose(self, rng: np.random.Generator, kind: str) -> int:
        """The number of a cut-out beside a target of that kind."""
        same = self._cutouts.by_kind.get(kind, [])
        if len(same) > 1 and rng.random() < SAME_KIND:
            return same[int(rng.integers(len(same)))]
        return int(rng.integers(len(self._cutouts.items)))

    def _size_in(self, view: View, number: int, scale: float) -> tuple[float, float]:
        """Width and height in crop pixels of an object that is `scale` times as large as the target; it keeps its own ratio."""
        _, _, w, h = view.box_xywh
        side = math.sqrt(w * h) if math.isfinite(w) else self._usual_side
        stretch = view.window.height / view.window.width  # crops stretch width and height apart
        ratio = min(max(self._cutouts.items[number].aspect * stretch, _RATIOS[0]), _RATIOS[1])
        return scale * side * math.sqrt(ratio), scale * side / math.sqrt(ratio)

    def _small(self, rng: np.random.Generator, sample: Sample) -> Sample:
        """The same sample, its target shrunk to a few pixels in every crop."""
        low, high = SMALL_SIDES
        pixels = math.exp(rng.uniform(math.log(low), math.log(high)))

        def shrink(view: View) -> View:
            _, _, w, h = view.box_xywh
            side = math.sqrt(w * h) if math.isfinite(w) else self._usual_side
            return view._replace(detail=min(1.0, pixels / side))

        return sample._replace(
            static_template=shrink(sample.static_template),
            dynamic_template=shrink(sample.dynamic_template),
            search=shrink(sample.search),
            negative=shrink(sample.negative),
        )


def _inside(centre: float, length: float, room: int) -> float:
    """The nearest centre at which something of that length lies inside; of a longer one, a part of that length."""
    half = min(length, room) / 2
    return min(max(centre, half), room - half)


def _gain(rng: np.random.Generator, spread: float) -> tuple[float, float, float]:
    """Factors of red, green and blue: a common factor times a smaller one for each."""
    common = rng.uniform(-spread, spread)
    red, green, blue = np.exp(common + rng.uniform(-spread / 3, spread / 3, 3)).tolist()
    return red, green, blue


def _around(rng: np.random.Generator, box_xywh: Box, width: float, height: float, apart: float) -> tuple[float, float]:
    """The centre of an object of that width and height in any direction from a box; both touch where `apart` is 1."""
    x, y, w, h = box_xywh
    angle = rng.uniform(0, 2 * math.pi)
    across, down = math.cos(angle), math.sin(angle)
    reach = min((w + width) / 2 / max(abs(across), 1e-6), (h + height) / 2 / max(abs(down), 1e-6))
    return x + w / 2 + apart * reach * across, y + h / 2 + apart * reach * down


def _covered(box_xywh: Box, other_xywh: Box) -> float:
    """Share of a box that lies under another."""
    (x, y, w, h), (left, top, width, height) = box_xywh, other_xywh
    shared = max(0.0, min(x + w, left + width) - max(x, left)) * max(0.0, min(y + h, top + height) - max(y, top))
    return shared / (w * h)
