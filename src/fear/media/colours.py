"""How RGB is coded as brightness and two colour differences, by the matrices that video uses, always in limited range.

The numbers are those of ITU-T H.273, which FFmpeg uses as well. Numbers of players without tags go by the picture's size: they take high
definition, from 720 rows on, for BT.709, and smaller pictures for BT.601.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

_HIGH_DEFINITION = 720  # rows


class Matrix(IntEnum):
    """Which of the two matrices; also the number of primaries and of the transfer function that go with it."""

    BT709 = 1
    BT601 = 6


def usual_matrix(height: int) -> Matrix:
    """The matrix that players assume for pictures of this height in pixels."""
    return Matrix.BT709 if height >= _HIGH_DEFINITION else Matrix.BT601


def to_planes(image: Bytes, matrix: Matrix) -> tuple[Bytes, Bytes, Bytes]:
    """Brightness, and colour differences at half of the resolution.

    Args:
        image: (H, W, 3), RGB; both even.
        matrix: How it is to be coded.

    Returns:
        (H, W), (H/2, W/2), (H/2, W/2)
    """
    height, width, _ = image.shape
    if matrix == Matrix.BT601:  # OpenCV has a fast way for this one
        packed = np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2YUV_I420), np.uint8)
        return split(packed)
    yuv = cv2.transform(image, _FROM_RGB)
    half = (width // 2, height // 2)
    y, u, v = (np.asarray(cv2.extractChannel(yuv, k), np.uint8) for k in range(3))
    u, v = (np.asarray(cv2.resize(plane, half, interpolation=cv2.INTER_AREA), np.uint8) for plane in (u, v))
    return y, u, v


def split(packed: Bytes) -> tuple[Bytes, Bytes, Bytes]:
    """Views of the three planes in one array of (3·H/2, W), where they lie behind each other."""
    width = packed.shape[1]
    height = packed.shape[0] * 2 // 3
    u, v = packed[height:].reshape(2, height // 2, width // 2)
    return packed[:height], u, v


def to_rgb_bt709(y: Bytes, u: Bytes, v: Bytes) -> Bytes:
    """RGB of planes that are coded by BT.709.

    Args:
        y: (H, W), both even.
        u: (H/2, W/2)
        v: (H/2, W/2)

    Returns:
        (H, W, 3)
    """
    size = (y.shape[1], y.shape[0])
    u, v = (np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST), np.uint8) for plane in (u, v))
    return np.asarray(cv2.transform(cv2.merge((y, u, v)), _TO_RGB), np.uint8)


@lru_cache
def code(colour: tuple[int, int, int], matrix: Matrix) -> tuple[int, int, int]:
    """Brightness and colour differences of one RGB colour."""
    y, u, v = to_planes(np.full((2, 2, 3), colour, np.uint8), matrix)
    return int(y[0, 0]), int(u[0, 0]), int(v[0, 0])


def _bt709() -> NDArray[np.float64]:
    """(3, 4): from RGB in 0 to 255 to limited range (ITU-R BT.709, item 3)."""
    red, green, blue = 0.2126, 0.7152, 0.0722
    rows = np.array(
        (
            (red, green, blue),
            (-red / 1.8556, -green / 1.8556, 0.5),
            (0.5, -green / 1.5748, -blue / 1.5748),
        )
    )
    return np.hstack((rows * np.array(((219,), (224,), (224,))) / 255, ((16,), (128,), (128,))))


_FROM_RGB = _bt709()
_INVERSE = np.linalg.inv(_FROM_RGB[:, :3])
_TO_RGB = np.hstack((_INVERSE, -_INVERSE @ _FROM_RGB[:, 3:]))
_FROM_BT601 = np.array(((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)))
_FROM_RGB601 = np.hstack((_FROM_BT601 * np.array(((219,), (224,), (224,))) / 255, ((16,), (128,), (128,))))


def change_matrix(packed: Bytes, old: Matrix, new: Matrix) -> None:
    """Codes planes by another matrix, in place, without going to RGB and back.

    Both matrices give grey the same brightness, so that only the share of the colours in the brightness changes.

    Args:
        packed: (3·H/2, W), three planes behind each other.
        old: How they are coded.
        new: How they shall be coded.
    """
    if old == new:
        return
    y, u, v = split(packed)
    rows = _CHANGES[new]
    changed = np.asarray(cv2.transform(cv2.merge((u, v)), rows), np.uint8)
    u[:], v[:] = cv2.extractChannel(changed, 1), cv2.extractChannel(changed, 2)
    added = cv2.resize(cv2.extractChannel(changed, 0), (y.shape[1], y.shape[0]), interpolation=cv2.INTER_NEAREST)
    cv2.addWeighted(y, 1, added, 1, -128, dst=y)


def _change(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3): from the old colour differences and 1 to what is added to the brightness, plus 128, and the new colour differences."""
    colours = (new[:, :3] @ np.linalg.inv(old[:, :3]))[:, 1:]
    return np.hstack((colours, 128 - 128 * colours.sum(1, keepdims=True)))


_CHANGES = {Matrix.BT709: _change(_FROM_RGB601, _FROM_RGB), Matrix.BT601: _change(_FROM_RGB, _FROM_RGB601)}
