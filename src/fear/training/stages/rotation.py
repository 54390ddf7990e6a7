"""Searches that are rotated: a target that its template shows upright. The teacher needs no box to answer, so any angle can be taught."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


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
