"""The two light heads: one gives a confidence for each cell, the other a box.

Each consists of two Conv-BN-ReLU and a last convolution (FEAR, section 3.3). Their outputs are scaled as in the published code: logits
times 0.1; distances `exp(scale·y + shift)` with learnable scale and shift that start at 0.1 and 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fear.network.fusion import ConvolutionUnit

_LOGIT_SCALE = 0.1


class ScoreHead(nn.Module):
    """(B, C, S, S) → confidence logits (B, 1, S, S)."""

    def __init__(self, width: int, unit: ConvolutionUnit, last: nn.Module) -> None:
        super().__init__()
        self.tower = nn.Sequential(unit(width, width), unit(width, width))
        self.last = last

    def forward(self, features: Tensor) -> Tensor:
        return self.scaled(self.tower(features))

    def scaled(self, towered: Tensor) -> Tensor:
        """Applies the last convolution and the scaling: (B, C, S, S) → logits (B, 1, S, S)."""
        logits: Tensor = self.last(towered)
        return logits * _LOGIT_SCALE


class BoxHead(nn.Module):
    """(B, C, S, S) → distances left, top, right, bottom (B, 4, S, S), above zero, in search pixels."""

    def __init__(self, width: int, unit: ConvolutionUnit, last: nn.Module) -> None:
        super().__init__()
        self.tower = nn.Sequential(unit(width, width), unit(width, width))
        self.last = last
        self.scale = nn.Parameter(torch.tensor(0.1))
        self.shift = nn.Parameter(torch.tensor(1.0))

    def forward(self, features: Tensor) -> Tensor:
        return self.scaled(self.tower(features)).exp()

    def scaled(self, towered: Tensor) -> Tensor:
        """Applies the last convolution and the scaling: (B, C, S, S) → logarithms of the distances (B, 4, S, S)."""
        y: Tensor = self.last(towered)
        return y * self.scale + self.shift
