"""The operations of this package without OpenCV: ONNX Runtime resamples, FFmpeg converts colours, Pillow reads files and writes text.

Signatures and meaning are those of `with_opencv`, where each function is described.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fear.media.pixels.conversion import add_colours, planes_of_rgb, rgb_of_hsv, rgb_of_planes
from fear.media.pixels.drawing import disc, draw_filled, draw_outline, draw_text, text_size
from fear.media.pixels.files import decode, decode_animation, encode, is_picture
from fear.media.pixels.resampling import cut, enlarge, shrink, turn

__all__ = [
    "BACKEND",
    "add_colours",
    "cut",
    "decode",
    "decode_animation",
    "disc",
    "draw_filled",
    "draw_outline",
    "draw_text",
    "encode",
    "enlarge",
    "flip",
    "is_picture",
    "mean",
    "mix_channels",
    "planes_of_rgb",
    "rgb_of_hsv",
    "rgb_of_planes",
    "shrink",
    "text_size",
    "transpose",
    "turn",
]

Bytes = NDArray[np.uint8]
Colour = tuple[float, float, float]

BACKEND = "ONNX Runtime and FFmpeg"


def mean(image: Bytes) -> Colour:
    """See `with_opencv.mean`."""
    red, green, blue = (image.sum((0, 1), np.uint64) / (image.shape[0] * image.shape[1])).tolist()
    return red, green, blue


def mix_channels(values: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """See `with_opencv.mix_channels`."""
    return values @ rows.T


def transpose(plane: Bytes) -> Bytes:
    """See `with_opencv.transpose`."""
    return np.ascontiguousarray(plane.swapaxes(0, 1))


def flip(plane: Bytes, mirrored: bool, upside_down: bool) -> Bytes:
    """See `with_opencv.flip`."""
    rows = plane[::-1] if upside_down else plane
    return np.ascontiguousarray(rows[:, ::-1] if mirrored else rows)
