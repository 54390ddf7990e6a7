"""A network that answers and never learns."""

from __future__ import annotations

from typing import Any, Self

import torch

from fear.network import FearNetwork, channels_last, fold


class Teacher:
    """A network that answers and never learns. It is no part of the module that it teaches, and no part of its checkpoints.

    Args:
        network: Any member of the family.
    """

    def __init__(self, network: FearNetwork) -> None:
        self.network = channels_last(fold(network).requires_grad_(False))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # the moving average copies the student and needs no second teacher

    def on(self, device: torch.device) -> FearNetwork:
        """The network on that device."""
        self.network.to(device)
        return self.network
