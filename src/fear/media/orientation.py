"""The eight ways in which a camera may be held or a picture mirrored, as the display matrix of a video tells them."""

from __future__ import annotations

import struct
from typing import NamedTuple

import av
import numpy as np
from av.sidedata.sidedata import Type
from numpy.typing import NDArray

from fear.media import pixels


class Orientation(NamedTuple):
    """What is done to a stored picture to show it upright, in this order."""

    transposed: bool = False
    """Rows and columns are exchanged."""
    mirrored: bool = False
    """Left and right are exchanged."""
    upside_down: bool = False
    """Top and bottom are exchanged."""

    def apply(self, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The upright picture or plane.

        Args:
            plane: (H, W) or (H, W, 3).

        Returns:
            The same number of axes; H and W are exchanged where it is transposed.
        """
        if self.transposed:
            plane = pixels.transpose(plane)
        if self.mirrored or self.upside_down:
            plane = pixels.flip(plane, self.mirrored, self.upside_down)
        return plane


UPRIGHT = Orientation()


def orientation_of(picture: av.VideoFrame) -> Orientation:
    """The orientation by the display matrix of a picture; angles between the quarter turns are taken for the nearest of them.

    The matrix (ISO 14496-12, `tkhd`) maps a stored point (x, y) to a shown one: x' = a·x + c·y, y' = b·x + d·y.
    """
    try:
        data = picture.side_data[Type.DISPLAYMATRIX]  # type: ignore[typeddict-item]
    except KeyError:
        return UPRIGHT
    a, b, _, c, d = struct.unpack_from("=5i", bytes(data))
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, c < 0, b < 0)
    return Orientation(False, a < 0, d < 0)
