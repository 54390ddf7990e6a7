"""Colours without OpenCV: FFmpeg converts planes to RGB, NumPy does what happens less often."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from fear.media.matrices import FROM_RGB601, FROM_RGB709, Matrix

Bytes = NDArray[np.uint8]

_COLOURSPACES = {Matrix.BT709: 1, Matrix.BT601: 5}
"""FFmpeg's numbers."""


def rgb_of_planes(y: Bytes, u: Bytes, v: Bytes, matrix: Matrix) -> Bytes:
    """See `with_opencv.rgb_of_planes`; values differ from OpenCV's by up to three levels."""
    height, width = y.shape
    packed = np.empty((height * 3 // 2, width), np.uint8)
    packed[:height] = y
    for half, plane in zip(packed[height:].reshape(2, height // 2, width // 2), (u, v), strict=True):
        half[:] = plane
    picture = av.VideoFrame.from_ndarray(packed, format="yuv420p")
    picture.colorspace = _COLOURSPACES[matrix]
    # colours are repeated, not smoothed, so that each pixel is what it is in a conversion of the whole
    rgb = VideoReformatter().reformat(picture, format="rgb24", interpolation=Interpolation.POINT, threads=1)
    return np.asarray(rgb.to_ndarray(), np.uint8)


def planes_of_rgb(image: Bytes, matrix: Matrix) -> tuple[Bytes, Bytes, Bytes]:
    """See `with_opencv.planes_of_rgb`."""
    rows = (FROM_RGB709 if matrix == Matrix.BT709 else FROM_RGB601).astype(np.float32)
    y = _bytes(image @ rows[0, :3] + rows[0, 3])
    quarters = image.reshape(image.shape[0] // 2, 2, image.shape[1] // 2, 2, 3).sum((1, 3), np.uint16).astype(np.float32) / 4
    u, v = (_bytes(quarters @ row[:3] + row[3]) for row in rows[1:])
    return y, u, v


def rgb_of_hsv(hsv: Bytes) -> Bytes:
    """See `with_opencv.rgb_of_hsv`."""
    hue, saturation, value = (hsv[..., k] / span for k, span in enumerate((30, 255, 255)))
    # Smith 1978: each channel rises and falls along the six parts of the hue
    channels = [np.clip(np.abs((hue + shift) % 6 - 3) - 1, 0, 1) for shift in (0, 4, 2)]
    rgb: Bytes = np.rint(np.stack([value * (1 - saturation + saturation * channel) for channel in channels], -1) * 255).astype(np.uint8)
    return rgb


def add_colours(y: Bytes, u: Bytes, v: Bytes, rows: NDArray[np.float64]) -> None:
    """See `with_opencv.add_colours`."""
    old = u.astype(np.float32), v.astype(np.float32)
    added, first, second = (old[0] * np.float32(a) + old[1] * np.float32(b) + np.float32(c) for a, b, c in rows)
    u[:], v[:] = _bytes(first), _bytes(second)
    quarters = y.reshape(u.shape[0], 2, u.shape[1], 2)
    brighter = (np.rint(added) - 128).astype(np.int16)[:, None, :, None]
    quarters[:] = np.clip(quarters + brighter, 0, 255)


def _bytes(values: NDArray[np.float32]) -> Bytes:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
