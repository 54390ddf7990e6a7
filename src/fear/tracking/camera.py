"""How the camera moved from one frame to the next, or that it shows another scene, seen from the whole picture.

Phase correlation (Kuglin and Hines, 1975): two pictures of which one is a shifted copy of the other differ in the phases of their Fourier
transforms alone, and the inverse transform of the difference has a peak at the shift. Small overviews of the frames are enough.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fear.media.image import Picture
from fear.media.planes import Floats, brightness

_SIDE = 128  # pixels of an overview; with 256 the same targets were kept
_FLAT = 1e-6  # product of two spectra, of which one has nothing but rounding errors
_LEAST_PEAK = 0.1  # below it no shift explains the difference between the frames
_LEAST_COMMON, _LEVELS = 0.75, 16  # of the pixels; levels of brightness, 0 to 255, that count as one


def camera_motion(before: Picture, now: Picture) -> tuple[float, float] | None:
    """The shift of the static background from one frame to the next.

    Args:
        before: A frame, (H, W, 3).
        now: The next one, of the same size.

    Returns:
        Pixels of the frame: to the right, and down. No motion where it cannot be told, such as where a frame is of one colour. None where
        the frames show different scenes, as at a cut: no shift explains the difference, and their brightness differs as well.
    """
    height, width = now.shape[:2]
    down, across = _Sampling.of(height), _Sampling.of(width)
    old, new = (_overview(brightness(frame, down.places, across.places)) for frame in (before, now))
    difference = _spectrum(new) * np.conj(_spectrum(old))
    strength = np.abs(difference)
    if strength.max() < _FLAT:
        return 0.0, 0.0
    peaks = np.fft.irfft2(difference / (strength + 1e-9), s=(down.size, across.size))
    row, column = divmod(int(peaks.argmax()), across.size)
    if peaks[row, column] < _LEAST_PEAK:
        return None if _common_brightness(old, new) < _LEAST_COMMON else (0.0, 0.0)
    return _shift(peaks[row], column) * across.scale, _shift(peaks[:, column], row) * down.scale


class _Sampling(NamedTuple):
    """Which rows, or columns, of a frame its overview shows: evenly spaced ones around the middle, two for each pixel of the overview."""

    places: slice
    size: int
    """Pixels of the overview."""
    scale: int
    """Of the frame, for one of the overview."""

    @classmethod
    def of(cls, length: int) -> Self:
        step = max(length // (2 * _SIDE), 1)
        size = max(min(length // (2 * step), _SIDE), 1)
        used = min(2 * step * size, length)
        first = (length - used) // 2
        return cls(slice(first, first + used, step), size, 2 * step)


def _overview(samples: Floats) -> Floats:
    """The brightness of a frame in few pixels, 0 to 255: the means of samples."""
    rows, columns = (max(size // 2, 1) for size in samples.shape)
    grey: Floats = samples.reshape(rows, -1, columns, samples.shape[1] // columns).mean(axis=(1, 3))
    return grey


def _spectrum(overview: Floats) -> NDArray[Any]:
    """Fourier transform of an overview that fades out towards its borders, which do not belong to the scene."""
    rows, columns = overview.shape
    return np.fft.rfft2((overview - overview.mean()) * np.hanning(rows)[:, None] * np.hanning(columns))


def _common_brightness(old: Floats, new: Floats) -> float:
    """The share of pixels that two overviews have in common when only their brightness counts: the intersection of the histograms."""
    counts = [np.bincount((one // _LEVELS).astype(np.intp).ravel(), minlength=256 // _LEVELS) for one in (old, new)]
    return float(np.minimum(*counts).sum() / old.size)


def _shift(line: NDArray[Any], best: int) -> float:
    """Place of a peak on a line that is closed to a ring: that of a parabola through the best value and its neighbours."""
    left, middle, right = line[best - 1], line[best], line[(best + 1) % len(line)]
    bend = left - 2 * middle + right
    place = best + (0.5 * (left - right) / bend if bend < 0 else 0.0)
    return float(place - len(line) if place > len(line) / 2 else place)
