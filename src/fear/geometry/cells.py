"""From a cell of the network's maps to a box in the crop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fear.config import STRIDE

Floats = NDArray[np.float32]


def best_cell(scores: Floats) -> tuple[int, int]:
    """Returns row and column of the highest of the scores (S, S)."""
    row, column = divmod(int(scores.argmax()), scores.shape[1])
    return row, column


def box_at(boxes_ltrb: Floats, row: int, column: int) -> tuple[float, float, float, float]:
    """Reads the box of one cell.

    Args:
        boxes_ltrb: (4, S, S), distances from each cell's place to the sides of the box, in crop pixels.
        row: Row of the cell.
        column: Column of the cell.

    Returns:
        Centre x, centre y, width and height in crop pixels.
    """
    left, top, right, bottom = boxes_ltrb[:, row, column].tolist()
    # cell (i, j) stands at ((j − S/2)·16 + side/2, …) (published code), which is (16·j, 16·i)
    return column * STRIDE + (right - left) / 2, row * STRIDE + (bottom - top) / 2, left + right, top + bottom
