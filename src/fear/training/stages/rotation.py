"""Searches that are rotated: a target that its template shows upright.

In distillation the teacher needs no box to answer, so any angle can be taught. Where labels count, quarter turns keep the boxes exact.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from fear.training.data.batch import Batch


def rotate(crops: Tensor, share: float, seed: int) -> Tensor:
    """Rotates some crops around their centre by any angle; corners are filled by reflection.

    Args:
        crops: (B, 3, side, side)
        share: Probability of each crop to be rotated.
        seed: The same seed rotates the same crops by the same angles.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.rand(len(crops), generator=generator) < share
    angles = torch.rand(len(crops), generator=generator) * 2 * torch.pi
    if not chosen.any():
        return crops
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    matrices = torch.stack((cos, -sin, zero, sin, cos, zero), dim=1).view(-1, 2, 3)[chosen].to(crops)
    grid = functional.affine_grid(matrices, [len(matrices), *crops.shape[1:]], align_corners=False)
    chosen = chosen.to(crops.device)
    rotated = crops.clone()
    rotated[chosen] = functional.grid_sample(crops[chosen], grid, padding_mode="reflection", align_corners=False)
    return rotated


def quarter_turns(batch: Batch, share: float, seed: int) -> Batch:
    """Turns some search crops by one, two or three quarters, and their boxes with them. Boxes stay exact, so labels hold as well.

    Args:
        batch: Of a stage with labels.
        share: Probability of each search crop to be turned.
        seed: The same seed turns the same crops in the same way.
    """
    generator = torch.Generator().manual_seed(seed)
    count, side = len(batch.present), batch.crops.search.shape[-1]
    chosen = torch.rand(count, generator=generator) < share
    turns = torch.where(chosen, torch.randint(1, 4, (count,), generator=generator), 0).tolist()
    search = torch.stack([torch.rot90(crop, turn, (1, 2)) for crop, turn in zip(batch.crops.search, turns, strict=True)])
    boxes_xywh = torch.stack([_turned(box, turn, side) for box, turn in zip(batch.boxes_xywh, turns, strict=True)])
    return batch._replace(crops=batch.crops._replace(search=search), boxes_xywh=boxes_xywh)


def _turned(box_xywh: Tensor, turns: int, side: int) -> Tensor:
    """A box (4,) after so many quarter turns of its crop against the clock."""
    for _ in range(turns):
        x, y, w, h = box_xywh
        box_xywh = torch.stack((y, side - x - w, h, w))
    return box_xywh
