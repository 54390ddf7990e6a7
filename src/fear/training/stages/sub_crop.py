"""Sub-crops: the student sees a part of a search crop, and learns what the teacher answers who sees the whole.

A tracker searches steady targets in a smaller crop of the same scale. Convolutions pad their maps with zeros, so cells near the border of a
crop miss what lies behind it, and most cells of a small crop are near its border. A search of 128 instead of 192 pixels costs the published
network 0.017 AUC; it costs nothing where the network sees 192 pixels and only the choice of the cell is limited to the middle 128. So the
features suffer, and the student learns to give the teacher's features without what lies behind the border.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from fear.config import STRIDE

_PRESENT = 0.3  # score of the teacher; below it there is no target that could be put in the middle
_BORDER = (0.25, 0.75)  # weights of the outermost cells and of the next ones: not all that they miss can be learned


class SubCrop(NamedTuple):
    """A square part of every search crop of a batch."""

    corners: tuple[tuple[int, int], ...]
    """Top and left of the part in each crop, in pixels; multiples of the stride."""
    side: int
    """Side of the part, in pixels."""
    whole: int
    """Side of the crops, in pixels."""

    def of(self, maps: Tensor) -> Tensor:
        """The part of the crops, or of maps of any stride: (B, C, S, S) → (B, C, S · side / whole, S · side / whole)."""
        pixels = self.whole // maps.shape[-1]
        size = self.side // pixels
        places = ((top // pixels, left // pixels) for top, left in self.corners)
        return torch.stack([one[:, y : y + size, x : x + size] for one, (y, x) in zip(maps, places, strict=True)])


def choose_side(sides: tuple[int, ...], whole: int, seed: int) -> int:
    """One of the sides in pixels, at most `whole`; `whole` where there is no choice. The same seed chooses the same."""
    if not sides:
        return whole
    return min(whole, sides[int(torch.randint(len(sides), (), generator=torch.Generator().manual_seed(seed)))])


def choose_sub_crop(scores: Tensor, side: int, seed: int) -> SubCrop:
    """A part of every crop: with the target within one cell of its centre, as in tracking, or any part where there is no target.

    Args:
        scores: (B, 1, S, S), the teacher's, 0 to 1.
        side: Of the part, in pixels; no larger than the crop.
        seed: The same seed chooses the same.
    """
    generator = torch.Generator().manual_seed(seed)
    cells = scores.shape[-1]
    room = cells - side // STRIDE
    anywhere = torch.randint(room + 1, (len(scores), 2), generator=generator)
    aside = torch.randint(-1, 2, (len(scores), 2), generator=generator)
    best, place = scores.flatten(1).cpu().max(dim=1)
    peaks = torch.stack((place // cells, place % cells), dim=1)
    # cell k stands at 16·k, so the middle of a part is a cell where it has an even number of them
    around = (peaks - side // (2 * STRIDE) + aside).clamp(0, room)
    corners = torch.where(best[:, None] < _PRESENT, anywhere, around) * STRIDE
    return SubCrop(tuple((top, left) for top, left in corners.tolist()), side, cells * STRIDE)


def border_weights(cells: int) -> Tensor:
    """(cells, cells): 1 in the middle, less in the two outermost rings."""
    distance = torch.arange(cells)
    distance = torch.minimum(distance, distance.flip(0))
    line = torch.ones(cells)
    for ring, weight in enumerate(_BORDER):
        line[distance == ring] = weight
    return torch.outer(line, line)


def resize_weights(weights: Tensor, maps: Tensor) -> Tensor:
    """The weights of the last map for another map of the same crop: (cells, cells) and (B, C, S, S) → (S, S) with mean 1."""
    if weights.shape[-1] != maps.shape[-1]:
        weights = functional.interpolate(weights[None, None], size=maps.shape[-1], mode="nearest")[0, 0]
    return weights.to(maps) / weights.mean()
