"""Pixel-wise fusion: where in the search crop each part of the template appears.

Each of the 8·8 positions of the template is a 1×1 kernel over the search features, which gives 64 maps. They are concatenated with the
search features and aggregated (FEAR, section 3.3; the correlation is Alpha-Refine's, arXiv 2012.06815).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

ConvolutionUnit = Callable[[int, int], nn.Module]
"""(inputs, outputs) → Conv-BN-ReLU that keeps the size."""


def regular_unit(inputs: int, outputs: int, kernel: int = 3) -> nn.Sequential:
    """Conv-BN-ReLU with a full convolution (FEAR-M, FEAR-L)."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def separable_unit(inputs: int, outputs: int) -> nn.Sequential:
    """3×3 depthwise, 1×1, BN, ReLU (published FEAR-XS)."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def correlate(template: Tensor, search: Tensor) -> Tensor:
    """Point-wise cross-correlation.

    Args:
        template: (B, C, T, T)
        search: (B, C, S, S)

    Returns:
        (B, T·T, S, S): the scalar product of each template position with each search position.
    """
    kernels = template.flatten(2).transpose(1, 2)  # (B, T·T, C)
    maps = torch.bmm(kernels, search.flatten(2))  # (B, T·T, S·S)
    return maps.view(-1, maps.shape[1], *search.shape[2:])  # (B, T·T, S, S)


class PixelwiseFusion(nn.Module):
    """Encodes the search features, correlates them with the template and aggregates both.

    Args:
        width: C, channels in and out.
        template_positions: T·T.
        encode: Makes the unit before the correlation.
        aggregate: Makes the unit after the concatenation.
    """

    def __init__(self, width: int, template_positions: int, encode: ConvolutionUnit, aggregate: ConvolutionUnit) -> None:
        super().__init__()
        self.encode = encode(width, width)
        self.aggregate = aggregate(width + template_positions, width)

    def forward(self, template: Tensor, search: Tensor) -> Tensor:
        """(B, C, T, T) and (B, C, S, S) → (B, C, S, S)."""
        return self.fuse(template, self.encode(search))

    def fuse(self, template: Tensor, encoded: Tensor) -> Tensor:
        """Correlates and aggregates encoded search features; (B, C, T, T) and (B, C, S, S) → (B, C, S, S)."""
        fused: Tensor = self.aggregate(torch.cat((encoded, correlate(template, encoded)), dim=1))
        return fused
