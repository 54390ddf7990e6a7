"""How much a box looks like a thing, without a network that knows things: by what tells it from its surroundings.

A thing has other colours than what is around it (Alexe et al., "What is an object?", CVPR 2010), and often moves otherwise. Half a wall
differs on one side and goes on at the others, so each side is looked at by itself, and the two that differ least count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fear.geometry.boxes import Box
from fear.media.image import Image
from fear.media.opencv import require_opencv

_RING = 0.25
"""Width of the strip at each side to the side of the box."""
_BINS = 6
"""Of each of the three channels."""
_MOTION = 0.05
"""Difference of two motions, to the mean side of the box, that counts as fully different."""
_BORDER = 0.4
"""What a side at the border of the picture counts, behind which nothing is known."""
_LONG_SIDE = 480
"""Pictures are scaled down to it; colours and motion need no more."""


class Scene(NamedTuple):
    """What boxes of one frame are judged by."""

    colours: NDArray[np.uint8]
    """(H', W', 3), Lab."""
    motion: NDArray[np.float32]
    """(H', W', 2), pixels to a frame a little later."""
    scale: float
    """Of both to the frame."""


def observe(image: Image, later: Image) -> Scene:
    """Prepares a frame.

    Args:
        image: (H, W, 3), RGB.
        later: A frame some moments later, of the same size.

    Raises:
        RuntimeMissingError: There is no OpenCV, which computes the motion.
    """
    cv2 = require_opencv("judging what is followed")
    scale = min(_LONG_SIDE / max(image.shape[:2]), 1.0)
    first, second = (cv2.resize(one, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for one in (image, later))
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    unknown: NDArray[np.float32] = np.zeros((*first.shape[:2], 2), np.float32)
    motion = flow.calc(cv2.cvtColor(first, cv2.COLOR_RGB2GRAY), cv2.cvtColor(second, cv2.COLOR_RGB2GRAY), unknown)
    return Scene(np.asarray(cv2.cvtColor(first, cv2.COLOR_RGB2Lab), np.uint8), np.asarray(motion, np.float32), scale)


def separation(scene: Scene, box_xywh: Box) -> float:
    """How differently a box is coloured and moves from what is beside it, 0 (as its surroundings) to 1.

    Args:
        scene: The frame.
        box_xywh: In pixels of the frame.
    """
    inside, strips = _regions(scene, box_xywh)
    if _is_empty(scene, inside):
        return 0.0
    known = [strip for strip in strips if not _is_empty(scene, strip)]
    histogram, moved = _histogram(scene.colours[inside]), _median(scene.motion[inside])
    size = max(scene.scale * np.sqrt(box_xywh[2] * box_xywh[3]), 1.0)
    by_colour = [_distance(histogram, _histogram(scene.colours[strip])) for strip in known]
    by_motion = [min(float(np.linalg.norm(moved - _median(scene.motion[strip]))) / (_MOTION * size), 1.0) for strip in known]
    return (_two_least(by_colour) + _two_least(by_motion)) / 2


def _two_least(values: Sequence[float]) -> float:
    """The mean of the two least values of four, those of sides at the border included."""
    return float(np.mean(sorted([*values, *[_BORDER] * (4 - len(values))])[:2]))


_Region = tuple[slice, slice]


def _regions(scene: Scene, box_xywh: Box) -> tuple[_Region, list[_Region]]:
    """The box, and the strips left of it, right of it, above and below, as parts of the scene."""
    height, width = scene.colours.shape[:2]
    x, y, w, h = (value * scene.scale for value in box_xywh)
    left, right = (int(np.clip(round(value), 0, width)) for value in (x, x + w))
    top, bottom = (int(np.clip(round(value), 0, height)) for value in (y, y + h))
    across, down = max(round(_RING * w), 2), max(round(_RING * h), 2)
    lines, columns = slice(top, bottom), slice(left, right)
    strips = [
        (lines, slice(max(left - across, 0), left)),
        (lines, slice(right, min(right + across, width))),
        (slice(max(top - down, 0), top), columns),
        (slice(bottom, min(bottom + down, height)), columns),
    ]
    return (lines, columns), strips


def _is_empty(scene: Scene, region: _Region) -> bool:
    return bool(min(scene.colours[region].shape[:2]) < 2)


def _histogram(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Shares of the colours, (`_BINS`³,), blurred a little so that a shade on the border of two bins counts for both."""
    cv2 = require_opencv("judging what is followed")
    pixels = np.ascontiguousarray(colours.reshape(-1, 1, 3))
    bins: NDArray[np.float64] = cv2.calcHist([pixels], [0, 1, 2], None, [_BINS] * 3, [0, 256] * 3).astype(np.float64)
    for axis in range(3):
        bins = 0.5 * bins + 0.25 * np.roll(bins, 1, axis) + 0.25 * np.roll(bins, -1, axis)
    return np.asarray(bins.ravel() / bins.sum())


def _distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Hellinger distance of two histograms, 0 to 1."""
    return float(np.sqrt(max(1 - np.sqrt(first * second).sum(), 0)))


def _median(motion: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2,), the usual motion of a region."""
    return np.asarray(np.median(motion.reshape(-1, 2), axis=0), np.float32)
