"""From true boxes to the true score and box maps.

Cell (i, j) of a map stands at pixel (16·j, 16·i) of the search crop, as in `fear.tracking.decode`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from fear.config import STRIDE

_RADIUS = 2  # cells (published code)


class Targets(NamedTuple):
    """True maps of a batch."""

    positive: Tensor
    """(B, 1, S, S), bool: cells that belong to the target; none where it is absent."""
    boxes_ltrb: Tensor
    """(B, 4, S, S), distances from each cell to the sides of the box, in pixels; negative outside the box."""


def cell_places(cells: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """X and y of each cell in crop pixels, (S, S) each."""
    line = torch.arange(cells, dtype=torch.float32, device=device) * STRIDE
    y, x = torch.meshgrid(line, line, indexing="ij")
    return x, y


def make_targets(boxes_xywh: Tensor, present: Tensor, cells: int) -> Targets:
    """Draws the true maps.

    Positive cells form a diamond: they lie inside of the box, at most two cells from the one nearest to its centre, in city-block distance
    (published code, which looks at the distance alone). The nearest cell is always positive, since a small box may contain no cell.

    Args:
        boxes_xywh: (B, 4), in pixels of the search crop.
        present: (B,), bool; False for a search without the target.
        cells: S, along one side of the map.
    """
    x, y = cell_places(cells, boxes_xywh.device)
    left, top, width, height = (boxes_xywh[:, k, None, None] for k in range(4))  # (B, 1, 1) each
    boxes_ltrb = torch.stack((x - left, y - top, left + width - x, top + height - y), dim=1)  # (B, 4, S, S)
    inside = (boxes_ltrb > 0).all(dim=1)  # (B, S, S)
    column = ((left + width / 2) / STRIDE).round().clamp(0, cells - 1)
    row = ((top + height / 2) / STRIDE).round().clamp(0, cells - 1)
    distance = (x / STRIDE - column).abs() + (y / STRIDE - row).abs()  # (B, S, S), in cells
    positive = (distance <= _RADIUS) & (inside | (distance == 0))
    return Targets((positive & present[:, None, None])[:, None], boxes_ltrb)
