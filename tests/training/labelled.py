"""A batch of random crops with boxes, the last of which shows no target."""

from __future__ import annotations

import torch

from fear.training.data.batch import Batch, SampleCrops

BOXES = torch.tensor([[30.0, 40.0, 50.0, 44.0], [100.0, 90.0, 50.0, 60.0], [0.0, 0.0, 0.0, 0.0]])
PRESENT = torch.tensor([True, True, False])


def batch() -> Batch:
    """Templates of 128 and searches of 192 pixels, the same ones at each call."""
    generator = torch.Generator().manual_seed(0)
    static, dynamic = (torch.rand(3, 3, 128, 128, generator=generator) * 255 for _ in range(2))
    search, negative = (torch.rand(3, 3, 192, 192, generator=generator) * 255 for _ in range(2))
    return Batch(SampleCrops(static, search, dynamic, negative), BOXES, PRESENT)
