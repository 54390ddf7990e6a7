"""How the camera moved from one frame to the next, seen from the whole picture.

Phase correlation (Kuglin and Hines, 1975): two pictures of which one is a shifted copy of the other differ in the phases of their Fourier
transforms alone, and the inverse transform of the difference has a peak at the shift. Small overviews of the frames are enough.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fear.geometry.window import Window
from fear.media.crop import crop
from fear.media.image import Picture

_SIDE = 128  # pixels of an overview; with 256 the same targets were kept
_LEAST_PEAK = 0.1  # below it the frames show different scenes; frames of one scene gave 0.16 and more
_BLACK = (0.0, 0.0, 0.0)


def camera_motion(before: Picture, now: Picture) -> tuple[float, float]:
    """How far what stands still in the scene moved in the picture.

    Args:
        before: A frame, (H, W, 3).
        now: The next one, of the same size.

    Returns:
        Pixels of the frame, across and down. No motion where the frames have too little in common to tell.
    """
    difference = _spectrum(now) * np.conj(_spectrum(before))
    peaks = np.fft.irfft2(difference / (np.abs(difference) + 1e-9), s=(_SIDE, _SIDE))
    row, column = divmod(int(peaks.argmax()), _SIDE)
    if peaks[row, column] < _LEAST_PEAK:
        return 0.0, 0.0
    height, width = now.shape[:2]
    return _shift(peaks[row], column) * width / _SIDE, _shift(peaks[:, column], row) * height / _SIDE


def _spectrum(frame: Picture) -> NDArray[Any]:
    """Fourier transform of a grey overview that fades out towards its borders, which do not belong to the scene."""
    height, width = frame.shape[:2]
    grey = crop(frame, Window(0, 0, width, height, _SIDE), _BLACK).mean(axis=2)
    fade = np.hanning(_SIDE)
    return np.fft.rfft2((grey - grey.mean()) * fade[:, None] * fade)


def _shift(line: NDArray[Any], best: int) -> float:
    """Place of a peak on a line that is closed to a ring: that of a parabola through the best value and its neighbours."""
    left, middle, right = line[best - 1], line[best], line[(best + 1) % _SIDE]
    bend = left - 2 * middle + right
    place = best + (0.5 * (left - right) / bend if bend < 0 else 0.0)
    return float(place - _SIDE if place > _SIDE / 2 else place)
