"""From score and box maps to one box and its score.

Options of the published code, off there and configurable here: a cosine window that prefers cells near the last position, a penalty on
sudden changes of scale and ratio (both as in SiamRPN, CVPR 2018), and smoothing of the size.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fear.config import STRIDE, TrackerConfig
from fear.geometry.boxes import Box
from fear.geometry.cells import Floats, best_cell, box_at


class Peak(NamedTuple):
    """The best cell of a search crop."""

    box_xywh: Box
    """In pixels of the crop."""
    score: float
    """The network's confidence there, 0 to 1, untouched by window and penalty."""


@cache
def cosine_window(cells: int) -> Floats:
    """(cells, cells): highest in the middle, 0 at the border."""
    line = np.hanning(cells)
    window: Floats = np.outer(line, line).astype(np.float32)
    window.setflags(write=False)  # one array serves all trackers
    return window


def decode(scores: Floats, boxes_ltrb: Floats, size_before: tuple[float, float], rules: TrackerConfig) -> Peak:
    """Chooses the best cell and reads its box.

    Args:
        scores: (S, S) confidence, 0 to 1.
        boxes_ltrb: (4, S, S) distances from the place of each cell to the sides of the box, in crop pixels.
        size_before: Width and height of the last box in pixels of this crop.
        rules: Window, penalty and size smoothing.
    """
    return next(peaks(scores, boxes_ltrb, size_before, rules))


def peaks(scores: Floats, boxes_ltrb: Floats, size_before: tuple[float, float], rules: TrackerConfig) -> Iterator[Peak]:
    """Chooses cells one after the other, the best first. A cell whose box has its centre inside the box of a chosen cell is left out.

    The arguments are those of `decode`.
    """
    penalty = None if rules.penalty == 0 else change_penalty(boxes_ltrb, size_before, rules.penalty)  # (S, S)
    ranking = scores if penalty is None else scores * penalty
    if rules.window > 0:
        ranking = ranking * (1 - rules.window) + cosine_window(scores.shape[0]) * rules.window
    taken: NDArray[np.bool_] | None = None
    while True:
        cell = best_cell(ranking)
        yield _read(cell, scores, boxes_ltrb, size_before, 0.0 if rules.size_rate is None else rules.size_rate, penalty)
        inside = _centred_inside(boxes_ltrb, cell)
        taken = inside if taken is None else taken | inside
        if taken.all():
            return
        ranking = np.where(taken, -np.inf, ranking)


def _read(
    cell: tuple[int, int], scores: Floats, boxes_ltrb: Floats, size_before: tuple[float, float], size_rate: float, penalty: Floats | None
) -> Peak:
    """The box of a cell (row, column); its size is smoothed where the rate is above zero."""
    row, column = cell
    score = float(scores[row, column])
    centre_x, centre_y, width, height = box_at(boxes_ltrb, row, column)
    if size_rate > 0:
        rate = size_rate * score * (1.0 if penalty is None else float(penalty[row, column]))
        width = size_before[0] + rate * (width - size_before[0])
        height = size_before[1] + rate * (height - size_before[1])
    return Peak((centre_x - width / 2, centre_y - height / 2, width, height), score)


def _centred_inside(boxes_ltrb: Floats, cell: tuple[int, int]) -> NDArray[np.bool_]:
    """(S, S): whether the box of each cell has its centre inside the box of the chosen cell; always true for that cell itself."""
    row, column = cell
    places = np.arange(boxes_ltrb.shape[1]) * STRIDE
    left, top, right, bottom = boxes_ltrb
    chosen_left, chosen_right = places[column] - left[row, column], places[column] + right[row, column]
    chosen_top, chosen_bottom = places[row] - top[row, column], places[row] + bottom[row, column]
    centre_x, centre_y = places[None, :] + (right - left) / 2, places[:, None] + (bottom - top) / 2
    inside: NDArray[np.bool_] = (centre_x > chosen_left) & (centre_x < chosen_right) & (centre_y > chosen_top) & (centre_y < chosen_bottom)
    inside[row, column] = True
    return inside


_SIZES = 1e-3, 1e6
"""Crop pixels. A box beyond them is wrong anyway, and its size must not become NaN."""


def change_penalty(boxes_ltrb: Floats, size_before: tuple[float, float], strength: float) -> Floats:
    """How much each cell's box keeps scale and ratio of the last one: 1 for no change, towards 0 for a large one.

    Args:
        boxes_ltrb: (4, S, S)
        size_before: Width and height of the last box in the same pixels.
        strength: k in `exp(−k·(change of ratio · change of scale − 1))`.

    Returns:
        (S, S)
    """
    left, top, right, bottom = boxes_ltrb
    widths, heights = np.clip(left + right, *_SIZES), np.clip(top + bottom, *_SIZES)
    width, height = np.clip(size_before, *_SIZES)

    def change(ratio: Any) -> Any:
        return np.maximum(ratio, 1 / ratio)

    def padded_size(w: Any, h: Any) -> Any:
        pad = (w + h) / 2
        return np.sqrt((w + pad) * (h + pad))

    scale = change(padded_size(widths, heights) / padded_size(width, height))
    ratio = change((widths / heights) / (width / height))
    penalty: Floats = np.exp(-strength * (scale * ratio - 1))
    return penalty
