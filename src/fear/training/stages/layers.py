"""The layers of student and teacher that distillation compares, and how it compares them.

An encoder (backbone and AdjustLayer) is a chain of layers; each head is a chain of four: encoded, fused, towered, output. FitNets
(arXiv 1412.6550) compares layers inside of networks in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from torch import Tensor

from fear.config import NetworkConfig
from fear.network import Encoder, FearNetwork
from fear.network.backbones import StagedBackbone
from fear.training.stages.sub_crop import resize_weights

_QUIET = 0.05  # share of the mean variance that is added to each channel's, so that channels that hardly vary do not rule the error

MatchedLayers = list[tuple[int, int]]
"""Pairs of places in the activations of student and teacher that mean the same, from the crops to the features."""


class HeadMaps(NamedTuple):
    """The maps inside of one head, in the order in which they are computed; (B, C, S, S) where nothing else is said."""

    encoded: Tensor
    fused: Tensor
    towered: Tensor
    output: Tensor
    """(B, 1, S, S) logits, or (B, 4, S, S) logarithms of distances."""


class Activations(NamedTuple):
    """What a network computes of one batch."""

    template: list[Tensor]
    """The normalised template crops and the output of every layer of the encoder."""
    search: list[Tensor]
    """The same of the search crops."""
    heads: dict[str, HeadMaps]
    """By `score` and `box`."""


def encoder_layers(encoder: FearNetwork | Encoder) -> list[Any]:
    """The layers of backbone and AdjustLayer as functions to be called one after another; of a network, those of its search encoder."""
    backbone: Any = encoder.backbone
    return [*backbone.parts(), encoder.adjust]


def encoder_activations(network: FearNetwork, crops: Tensor, of_template: bool = False) -> list[Tensor]:
    """The normalised crops, then the output of every layer.

    Args:
        network: Whose encoder.
        crops: (B, 3, side, side), 0 to 255.
        of_template: Take the encoder of the templates where they have their own.
    """
    found = [network.normalise(crops)]
    for layer in encoder_layers((network.template_encoder if of_template else None) or network):
        found.append(layer(found[-1]))
    return found


def head_maps(network: FearNetwork, template: Tensor, search: Tensor) -> dict[str, HeadMaps]:
    """The maps inside of both heads, given features (B, C, T, T) and (B, C, S, S)."""
    found = {}
    for name, fusion, head in heads_of(network):
        encoded = fusion.encode(search)
        fused = fusion.fuse(template, encoded)
        towered = head.tower(fused)
        found[name] = HeadMaps(encoded, fused, towered, head.scaled(towered))
    return found


def activations(network: FearNetwork, template_crops: Tensor, search_crops: Tensor) -> Activations:
    """All that a network computes of crops (B, 3, side, side)."""
    template = encoder_activations(network, template_crops, of_template=True)
    search = encoder_activations(network, search_crops)
    return Activations(template, search, head_maps(network, template[-1], search[-1]))


def heads_of(network: FearNetwork) -> Iterator[tuple[str, Any, Any]]:
    """Name, fusion and head of the score and of the box."""
    yield "score", network.score_fusion, network.score_head
    yield "box", network.box_fusion, network.box_head


def matched_layers(student: FearNetwork, teacher: FearNetwork) -> MatchedLayers:
    """The layers of the search encoders that mean the same.

    All layers match in networks of one structure. A smaller backbone of the same kind matches behind the first block of every stage except
    the first stage. Other backbones match at both ends only.
    """
    ours, theirs = student.backbone, teacher.backbone
    ends = len(encoder_layers(student)), len(encoder_layers(teacher))
    if _structure(student) == _structure(teacher):
        return [(place, place) for place in range(ends[0] + 1)]
    if not isinstance(ours, StagedBackbone) or type(ours) is not type(theirs):
        return [(0, 0), ends]
    starts = zip(ours.stage_starts()[1:], theirs.stage_starts()[1:], strict=True)
    return [(0, 0), *((mine + 1, other + 1) for mine, other in starts), ends]


def matched_template_layers(student: FearNetwork, teacher: FearNetwork) -> MatchedLayers:
    """The layers of the template encoders that mean the same."""
    ours, theirs = student.config, teacher.config
    if ours.template_backbone is None and theirs.template_backbone is None:
        return matched_layers(student, teacher)
    ends = tuple(len(encoder_layers(network.template_encoder or network)) for network in (student, teacher))
    same = (ours.template_backbone or ours.backbone) == (theirs.template_backbone or theirs.backbone)
    return [(place, place) for place in range(ends[0] + 1)] if same else [(0, 0), (ends[0], ends[1])]


def _structure(network: FearNetwork) -> NetworkConfig:
    """The configuration without what does not change the layers of the search encoder."""
    return replace(network.config, name="", folded=False, template_backbone=None, least_search_size=network.config.search_size)


def relative_error(y: Tensor, truth: Tensor, weights: Tensor | None = None) -> Tensor:
    """Squared error divided by variance in each channel, then the mean over channels.

    Args:
        y: (B, K, H, W), of the student.
        truth: (B, K, H, W), of the teacher.
        weights: (cells, cells), how much each cell of the last map counts, see `sub_crop.border_weights`. None: all count the same.
    """
    squares = (y - truth).square()
    if weights is not None:
        squares = squares * resize_weights(weights, y)
    error, variance = squares.mean(dim=(0, 2, 3)), truth.var(dim=(0, 2, 3))
    return (error / (variance + _QUIET * variance.mean() + 1e-8)).mean()
