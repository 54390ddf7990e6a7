"""A moving average of the weights, which validation uses and which a run gives."""

from __future__ import annotations

from collections.abc import Sequence

from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


class MovingAverage(WeightAveraging):
    """Exponential moving average that follows fast at first: its decay grows from 0.1 towards the final value.

    Args:
        decay: Final share of the old average in each step; 0 switches the average off.
    """

    def __init__(self, decay: float) -> None:
        def average(averaged: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int) -> None:
            steps = int(count)
            keep = min(decay, (1 + steps) / (10 + steps))
            for old, new in zip(averaged, current, strict=True):
                if old.is_floating_point():
                    old.lerp_(new, 1 - keep)
                else:
                    old.copy_(new)

        super().__init__(use_buffers=True, multi_avg_fn=average)
