"""The backbones of the family, cut at stride 16.

Parameter names are those of the libraries whose ImageNet weights people have: torchvision's for ResNet-50 and RegNetX-8GF, timm's for
FBNet-C. In every module a batch norm is registered directly after the convolution that it belongs to; `folding` relies on that order.

Sources: FBNet (arXiv 1812.03443), ResNet (1512.03385; stride in the 3×3, as torchvision), RegNet (2003.13678).
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from fear.config import Backbone


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Returns a convolution that keeps the size at stride 1 and has no bias, since a batch norm follows."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)


Part = Callable[[Tensor], Tensor]


def _blocks(stage: nn.Module) -> list[Part]:
    return list(stage.children())


class StagedBackbone(nn.Module, ABC):
    """A backbone as a chain of parts, each a function of the output of the part before; distillation can teach each part alone.

    (B, 3, H, W) → (B, `channels`, H/16, W/16).
    """

    channels: int

    @abstractmethod
    def stages(self) -> list[list[Part]]:
        """Returns the stem alone, then the blocks of each stage, in the order in which data passes them."""

    def parts(self) -> list[Part]:
        """Returns the stem and all blocks."""
        return [part for stage in self.stages() for part in stage]

    def stage_starts(self) -> list[int]:
        """Places in `parts` of the first block of each stage, without the stem."""
        lengths = [len(stage) for stage in self.stages()]
        return list(itertools.accumulate(lengths[:-1]))

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts():
            x = part(x)
        return x


# ---------------------------------------------------------------------------------------------------------------------- FBNet-C
@dataclass(frozen=True)
class _Block:
    outputs: int
    kernel: int
    stride: int
    expansion: int


# stages of FBNet-C to stride 16 (published code); a tuple is (outputs, kernel, stride, expansion)
_FBNET_C = (
    (_Block(16, 3, 1, 1),),
    (_Block(24, 3, 2, 6), _Block(24, 3, 1, 1), _Block(24, 3, 1, 1)),
    (_Block(32, 5, 2, 6), _Block(32, 5, 1, 3), _Block(32, 5, 1, 6), _Block(32, 3, 1, 6)),
    (_Block(64, 5, 2, 6), _Block(64, 5, 1, 3), _Block(64, 5, 1, 6), _Block(64, 5, 1, 6)),
    (_Block(112, 5, 1, 6), _Block(112, 5, 1, 6), _Block(112, 5, 1, 6), _Block(112, 5, 1, 3)),
)


# the part that FEAR-nano has: the first blocks of each stage, with fewer hidden channels
_FBNET_C_SLIM = (
    (_Block(16, 3, 1, 1),),
    (_Block(24, 3, 2, 3), _Block(24, 3, 1, 1)),
    (_Block(32, 5, 2, 3), _Block(32, 5, 1, 2), _Block(32, 5, 1, 2)),
    (_Block(64, 5, 2, 4), _Block(64, 5, 1, 3), _Block(64, 5, 1, 3)),
    (_Block(112, 5, 1, 4), _Block(112, 5, 1, 3), _Block(112, 5, 1, 3)),
)


class InvertedResidual(nn.Module):
    """1×1 expansion, depthwise convolution, 1×1 projection without activation; a shortcut where the shape allows."""

    def __init__(self, inputs: int, block: _Block, expand: bool) -> None:
        super().__init__()
        middle = inputs * block.expansion
        self.conv_pw = convolution(inputs, middle, 1) if expand else nn.Identity()
        self.bn1 = nn.BatchNorm2d(middle) if expand else nn.Identity()
        self.act1 = nn.ReLU(inplace=True) if expand else nn.Identity()
        self.conv_dw = convolution(middle, middle, block.kernel, block.stride, groups=middle)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv_pwl = convolution(middle, block.outputs, 1)
        self.bn3 = nn.BatchNorm2d(block.outputs)
        self.shortcut = inputs == block.outputs and block.stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.act1(self.bn1(self.conv_pw(x)))
        y = self.bn2(self.conv_dw(y)).relu()
        y = self.bn3(self.conv_pwl(y))
        return x.add(y) if self.shortcut else y


class FBNetC(StagedBackbone):
    """FBNet-C, or a part of it.

    Args:
        stages: Blocks of each stage.
        expand_always: Blocks of expansion 1 have their 1×1 convolution too, as timm's `fbnetc_100` does; the published FEAR leaves it out.
    """

    channels = 112

    def __init__(self, stages: tuple[tuple[_Block, ...], ...] = _FBNET_C, expand_always: bool = False) -> None:
        super().__init__()
        self.conv_stem = convolution(3, 16, 3, 2)
        self.bn1 = nn.BatchNorm2d(16)
        modules: list[nn.Module] = []
        inputs = 16
        for stage in stages:
            blocks: list[nn.Module] = []
            for block in stage:
                blocks.append(InvertedResidual(inputs, block, expand=expand_always or block.expansion != 1))
                inputs = block.outputs
            modules.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*modules)

    def stages(self) -> list[list[Part]]:
        return [[self._stem], *map(_blocks, self.blocks.children())]

    def _stem(self, x: Tensor) -> Tensor:
        y: Tensor = self.bn1(self.conv_stem(x))
        return y.relu()


# ---------------------------------------------------------------------------------------------------------------------- ResNet-50
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1, four times as wide at the end."""

    def __init__(self, inputs: int, middle: int, stride: int) -> None:
        super().__init__()
        outputs = middle * 4
        self.conv1 = convolution(inputs, middle, 1)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = convolution(middle, middle, 3, stride)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = convolution(middle, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        changes = stride != 1 or inputs != outputs
        self.downsample = nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        y = self.downsample(x).add(self.bn3(self.conv3(y)))
        return y.relu()


class ResNet50(StagedBackbone):
    """ResNet-50."""

    channels = 1024

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = convolution(3, 64, 7, 2)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._layer(64, 64, 3, stride=1)
        self.layer2 = self._layer(256, 128, 4, stride=2)
        self.layer3 = self._layer(512, 256, 6, stride=2)

    @staticmethod
    def _layer(inputs: int, middle: int, blocks: int, stride: int) -> nn.Sequential:
        rest = [Bottleneck(middle * 4, middle, 1) for _ in range(blocks - 1)]
        return nn.Sequential(Bottleneck(inputs, middle, stride), *rest)

    def stages(self) -> list[list[Part]]:
        return [[self._stem], *map(_blocks, (self.layer1, self.layer2, self.layer3))]

    def _stem(self, x: Tensor) -> Tensor:
        y: Tensor = self.maxpool(self.bn1(self.conv1(x)).relu())
        return y


# ---------------------------------------------------------------------------------------------------------------------- RegNetX-8GF
class RegNetBlock(nn.Module):
    """1×1, grouped 3×3, 1×1, all of one width."""

    def __init__(self, inputs: int, outputs: int, group_width: int, stride: int) -> None:
        super().__init__()
        if inputs != outputs or stride != 1:
            self.proj = nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))
        else:
            self.proj = nn.Sequential()
        self.f = nn.Sequential()
        self.f.add_module("a", nn.Sequential(convolution(inputs, outputs, 1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)))
        grouped = convolution(outputs, outputs, 3, stride, groups=outputs // group_width)
        self.f.add_module("b", nn.Sequential(grouped, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)))
        self.f.add_module("c", nn.Sequential(convolution(outputs, outputs, 1), nn.BatchNorm2d(outputs)))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.proj(x) + self.f(x)
        return y.relu()


class RegNetX8GF(StagedBackbone):
    """RegNetX-8.0GF."""

    channels = 720

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(convolution(3, 32, 3, 2), nn.BatchNorm2d(32), nn.ReLU(inplace=True))
        self.trunk_output = nn.Sequential()
        inputs = 32
        for number, (width, depth) in enumerate(((80, 2), (240, 5), (720, 15)), start=1):
            stage = nn.Sequential()
            for k in range(depth):
                block = RegNetBlock(inputs, width, group_width=min(120, width), stride=2 if k == 0 else 1)
                stage.add_module(f"block{number}-{k}", block)
                inputs = width
            self.trunk_output.add_module(f"block{number}", stage)

    def stages(self) -> list[list[Part]]:
        return [[self.stem], *map(_blocks, self.trunk_output.children())]


# ---------------------------------------------------------------------------------------------------------------------- by name
_BUILDERS: dict[Backbone, Callable[[], StagedBackbone]] = {
    "fbnet_c": FBNetC,
    "fbnetc_100": lambda: FBNetC(expand_always=True),
    "fbnet_c_slim": lambda: FBNetC(_FBNET_C_SLIM),
    "resnet50": ResNet50,
    "regnet_x_8gf": RegNetX8GF,
}


def build_backbone(name: Backbone) -> StagedBackbone:
    """Returns a backbone with random weights; `channels` is the number of channels of its output."""
    return _BUILDERS[name]()


# prefixes of those keys of a full ImageNet classifier that belong to layers beyond stride 16
BEYOND_STRIDE_16: dict[Backbone, tuple[str, ...]] = {
    "fbnet_c": ("blocks.5.", "blocks.6.", "blocks.7.", "conv_head.", "bn2.", "classifier."),
    "fbnetc_100": ("blocks.5.", "blocks.6.", "blocks.7.", "conv_head.", "bn2.", "classifier."),
    "fbnet_c_slim": (),
    "resnet50": ("layer4.", "fc."),
    "regnet_x_8gf": ("trunk_output.block4.", "fc."),
}
