"""The FEAR network: one assembly for the whole family.

    template crop ─ backbone ─ adjust ─ F_T ┐
                                            ├ (1 − w)·F_T + w·F_d ─┬─ fusion ─ score head ─ logits
    dynamic crop ── backbone ─ adjust ─ F_d ┘                      │
    search crop ─── backbone ─ adjust ─ F_S ───────────────────────┴─ fusion ─ box head ─── left, top, right, bottom

The figure is FEAR's (arXiv 2112.07957, figure 2), where all crops go through the same backbone and adjust. With `template_backbone`
templates have a separate encoder. It runs once for a template, so it may be larger. It can also learn other features: a template's border
is meaningful, since the template ends there; that of a search crop is arbitrary and must not change its features.

The network holds no state of a track.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from fear.config import Backbone, NetworkConfig
from fear.network.backbones import build_backbone, convolution
from fear.network.folding import fold_batch_norms
from fear.network.fusion import PixelwiseFusion, regular_unit, separable_unit
from fear.network.heads import BoxHead, ScoreHead

_MEAN = (123.675, 116.28, 103.53)  # ImageNet's, RGB, 0 to 255
_STD = (58.395, 57.12, 57.375)


class Prediction(NamedTuple):
    """The network's answer to a batch of search crops."""

    logits: Tensor
    """(B, 1, S, S); confidence is their sigmoid."""
    boxes_ltrb: Tensor
    """(B, 4, S, S), distances from each cell's place to the sides of the box, in search pixels."""
    embedding: Tensor
    """(B, C), e_S: the average of the search features, weighted with the confidence."""


class Encoder(nn.Module):
    """A backbone and the AdjustLayer that follows it (FEAR, section 3.3).

    Args:
        backbone: (B, 3, H, W) → (B, K, H/16, W/16).
        adjust: (B, K, …) → (B, C, …).
    """

    def __init__(self, backbone: nn.Module, adjust: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.adjust = adjust


class Heads(NamedTuple):
    """The two branches behind the search encoder; each is a fusion and a head."""

    score_fusion: PixelwiseFusion
    """(B, C, T, T), (B, C, S, S) → (B, C, S, S)"""
    score_head: ScoreHead
    """(B, C, S, S) → logits (B, 1, S, S)"""
    box_fusion: PixelwiseFusion
    """(B, C, T, T), (B, C, S, S) → (B, C, S, S)"""
    box_head: BoxHead
    """(B, C, S, S) → distances (B, 4, S, S)"""


class FearNetwork(nn.Module):
    """Backbone, fusion and heads, put together.

    Args:
        config: The configuration of this network; it is stored with the weights.
        search_encoder: Encodes search crops, and template crops too where `template_encoder` is None.
        heads: Fusions and heads of score and box.
        template_encoder: A separate encoder of template crops, or None.
    """

    mean: Tensor
    std: Tensor | None

    def __init__(
        self,
        config: NetworkConfig,
        search_encoder: Encoder,
        heads: Heads,
        template_encoder: Encoder | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.backbone = search_encoder.backbone
        self.adjust = search_encoder.adjust
        self.score_fusion = heads.score_fusion
        self.score_head = heads.score_head
        self.box_fusion = heads.box_fusion
        self.box_head = heads.box_head
        self.template_encoder = template_encoder
        self.dynamic_weight = nn.Parameter(torch.zeros(()))
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)

    def encode_template(self, crops: Tensor) -> Tensor:
        """Returns the features of template crops.

        Args:
            crops: (B, 3, H, W), RGB, 0 to 255; any dtype.

        Returns:
            (B, C, H/16, W/16)
        """
        encoder = self.template_encoder or self
        features: Tensor = encoder.adjust(encoder.backbone(self.normalise(crops)))
        return features

    def encode_search(self, crops: Tensor) -> Tensor:
        """Returns the features of search crops; shapes as for `encode_template`."""
        features: Tensor = self.adjust(self.backbone(self.normalise(crops)))
        return features

    def normalise(self, crops: Tensor) -> Tensor:
        """Returns the crops as the backbone takes them: (B, 3, H, W), 0 to 255, any dtype → about −2 to 2."""
        centred = crops.to(self.mean.dtype) - self.mean
        return centred if self.std is None else centred / self.std

    def merge(self, static: Tensor, dynamic: Tensor) -> Tensor:
        """Returns F'_T of the dual template: (B, C, T, T) and (B, C, T, T) → (B, C, T, T)."""
        return (1 - self.dynamic_weight) * static + self.dynamic_weight * dynamic

    def match(self, search_crops: Tensor, template_features: Tensor) -> Prediction:
        """Finds the template in search crops.

        Args:
            search_crops: (B, 3, 256, 256), RGB, 0 to 255.
            template_features: (B, C, 8, 8), from `merge`.
        """
        return self.compare(self.encode_search(search_crops), template_features)

    def compare(self, search: Tensor, template_features: Tensor) -> Prediction:
        """Does the part of `match` after the encoder: search features (B, C, 16, 16) and template features (B, C, 8, 8)."""
        logits = self.score_head(self.score_fusion(template_features, search))
        boxes_ltrb = self.box_head(self.box_fusion(template_features, search))
        return Prediction(logits, boxes_ltrb, weighted_average(search, logits.sigmoid()))

    def forward(self, static_crops: Tensor, dynamic_crops: Tensor, search_crops: Tensor) -> Prediction:
        """Encodes both templates and searches in one call, as training needs it; crops (B, 3, side, side)."""
        return self.match(search_crops, self.merge(self.encode_template(static_crops), self.encode_template(dynamic_crops)))


def weighted_average(features: Tensor, weights: Tensor) -> Tensor:
    """Weighted average pooling: (B, C, S, S) and (B, 1, S, S) → (B, C)."""
    total = (features * weights).sum(dim=(2, 3))
    return total / weights.sum(dim=(2, 3)).clamp_min(1e-6)


def build_network(config: NetworkConfig) -> FearNetwork:
    """Returns a network with random weights; its batch norms are folded if the configuration says so."""
    search_encoder = build_encoder(config.backbone, config.width)
    heads = build_heads(config, config.template_cells**2)
    template_encoder = None if config.template_backbone is None else build_encoder(config.template_backbone, config.width)
    network = FearNetwork(config, search_encoder, heads, template_encoder)
    return fold_batch_norms(network) if config.folded else network


def build_encoder(backbone_name: Backbone, width: int) -> Encoder:
    """Returns a backbone with random weights and an AdjustLayer that gives `width` channels."""
    backbone = build_backbone(backbone_name)
    return Encoder(backbone, nn.Sequential(convolution(backbone.channels, width, 1), nn.BatchNorm2d(width)))


def build_heads(config: NetworkConfig, template_positions: int) -> Heads:
    """Returns both branches with random weights.

    Args:
        config: Width of the features and kind of the convolutions.
        template_positions: Number of positions in the template features, T·T.
    """
    width = config.width
    unit: Callable[[int, int], nn.Module] = separable_unit if config.separable else regular_unit
    # parity: the published FEAR-XS aggregates with a 3×3 separable unit; the paper's members with a 1×1 convolution
    aggregate = separable_unit if config.separable else lambda inputs, outputs: regular_unit(inputs, outputs, kernel=1)

    def last(outputs: int) -> nn.Module:
        if not config.separable:
            return nn.Conv2d(width, outputs, 3, padding=1)
        return nn.Sequential(convolution(width, width, 3, groups=width), nn.Conv2d(width, outputs, 1))

    return Heads(
        score_fusion=PixelwiseFusion(width, template_positions, unit, aggregate),
        score_head=ScoreHead(width, unit, last(1)),
        box_fusion=PixelwiseFusion(width, template_positions, unit, aggregate),
        box_head=BoxHead(width, unit, last(4)),
    )


def fold(network: FearNetwork) -> FearNetwork:
    """Returns a copy in evaluation mode with every batch norm merged into its convolution, ready for export.

    Of a network that is folded already it returns a plain copy.
    """
    folded = fold_batch_norms(network)
    folded.config = replace(network.config, folded=True)
    return folded


def merge_spread(network: FearNetwork) -> FearNetwork:
    """Returns a copy whose first convolutions divide by the standard deviation of colours, which saves one pass over the crop.

    The mean is still subtracted beforehand: convolutions pad with zeros, which have to mean the mean colour.
    """
    merged = copy.deepcopy(network)
    if merged.std is not None:
        own = merged.template_encoder
        for backbone in (merged.backbone,) if own is None else (merged.backbone, own.backbone):
            first = next(part for part in backbone.modules() if isinstance(part, nn.Conv2d))
            with torch.no_grad():
                first.weight.div_(merged.std)
        merged.std = None
    return merged


def channels_last(network: FearNetwork) -> FearNetwork:
    """Lays the weights out for images in NHWC order and returns the network itself; training steps take a third less time on processors."""
    return cast(FearNetwork, nn.Module.to(network, memory_format=torch.channels_last))  # type: ignore[call-overload]


def parameter_count(network: nn.Module) -> int:
    """Returns the number of parameters that take part in every frame, that is, without a separate template encoder."""
    return sum(parameter.numel() for parameter in network.parameters()) - template_parameter_count(network)


def template_parameter_count(network: nn.Module) -> int:
    """Returns the number of parameters of the separate template encoder; 0 where there is none."""
    own = getattr(network, "template_encoder", None)
    return 0 if own is None else sum(parameter.numel() for parameter in own.parameters())
