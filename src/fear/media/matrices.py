"""How RGB is coded as brightness and two colour differences, by the matrices that video uses, always in limited range.

The numbers are those of ITU-T H.273, which FFmpeg uses as well. Numbers of players without tags go by the picture's size: they take high
definition, from 720 rows on, for BT.709, and smaller pictures for BT.601.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_HIGH_DEFINITION = 720  # rows


class Matrix(IntEnum):
    """Which of the two matrices; also the number of primaries and of the transfer function that go with it."""

    BT709 = 1
    BT601 = 6


def usual_matrix(height: int) -> Matrix:
    """The matrix that players assume for pictures of this height in pixels."""
    return Matrix.BT709 if height >= _HIGH_DEFINITION else Matrix.BT601


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


FROM_RGB709 = _bt709()
"""(3, 4): from red, green, blue and 1 to brightness and colour differences of BT.709."""

_FROM_BT601 = np.array(((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)))
FROM_RGB601 = np.hstack((_FROM_BT601 * np.array(((219,), (224,), (224,))) / 255, ((16,), (128,), (128,))))
"""(3, 4): as `FROM_RGB709`, of BT.601."""


def _change(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3): from the old colour differences and 1 to what is added to the brightness, plus 128, and the new colour differences."""
    colours = (new[:, :3] @ np.linalg.inv(old[:, :3]))[:, 1:]
    return np.hstack((colours, 128 - 128 * colours.sum(1, keepdims=True)))


CHANGES = {Matrix.BT709: _change(FROM_RGB601, FROM_RGB709), Matrix.BT601: _change(FROM_RGB709, FROM_RGB601)}
"""(3, 3) for the matrix that planes shall have: from two colour differences and 1 of the other matrix to what is added to the brightness,
plus 128, and the new colour differences."""
