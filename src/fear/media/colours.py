"""Frames as brightness and two colour differences at half of the resolution, as nearly all video holds them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fear.media.matrices import CHANGES, Matrix
from fear.media.pixels import add_colours, planes_of_rgb

Bytes = NDArray[np.uint8]


def split(packed: Bytes) -> tuple[Bytes, Bytes, Bytes]:
    """Views of the three planes in one array of (3·H/2, W), where they lie behind each other."""
    width = packed.shape[1]
    height = packed.shape[0] * 2 // 3
    u, v = packed[height:].reshape(2, height // 2, width // 2)
    return packed[:height], u, v


@lru_cache
def code(colour: tuple[int, int, int], matrix: Matrix) -> tuple[int, int, int]:
    """Brightness and colour differences of one RGB colour."""
    y, u, v = planes_of_rgb(np.full((2, 2, 3), colour, np.uint8), matrix)
    return int(y[0, 0]), int(u[0, 0]), int(v[0, 0])


def change_matrix(packed: Bytes, old: Matrix, new: Matrix) -> None:
    """Codes planes by another matrix, in place, without going to RGB and back.

    Both matrices give grey the same brightness, so that only the share of the colours in the brightness changes.

    Args:
        packed: (3·H/2, W), three planes behind each other.
        old: How they are coded.
        new: How they shall be coded.
    """
    if old != new:
        add_colours(*split(packed), CHANGES[new])
