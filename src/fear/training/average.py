"""Averages of weights: the moving one, which validation uses and which a run gives, and the mix with the weights of the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor, nn


class MovingAverage(WeightAveraging):
    """Exponential moving average that follows fast at first: its decay grows from 0.1 towards the final value.

    Args:
        decay: Final share of the old average in each step; 0 switches the average off.
    """

    def __init__(self, decay: float) -> None:
        def average(averaged: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int) -> None:
            steps = int(count)
            decay_now = min(decay, (1 + steps) / (10 + steps))
            for old, new in zip(averaged, current, strict=True):
                if old.is_floating_point():
                    old.lerp_(new, 1 - decay_now)
                else:
                    old.copy_(new)

        super().__init__(use_buffers=True, multi_avg_fn=average)


def mix_with_start(network: nn.Module, start: Mapping[str, Tensor], share: float) -> None:
    """Mixes weights of an earlier time into those of a network.

    Args:
        network: After a stage.
        start: What it was before, as from `state_dict`.
        share: Of the earlier weights, 0 to 1.
    """
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                tensor.lerp_(start[name].to(tensor), share)
