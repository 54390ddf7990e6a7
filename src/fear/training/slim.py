"""A smaller network starts from a larger one: the channels that matter most stay, the others are left out.

A channel matters as much as it is written and read: the product of the norms of the weights on both sides, which stays the same when a
factor moves through a ReLU from one side to the other (magnitude pruning: Li et al., arXiv 1608.08710). The student is worse than its
source at first. It learns by distillation, where every channel that it kept still has its counterpart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from fear.config import NetworkConfig
from fear.errors import ConfigError
from fear.network import FearNetwork, build_network, fold
from fear.network.backbones import FBNetC
from fear.network.checkpoint import load_exactly

_HEADS = ("score", "box")


@dataclass(frozen=True)
class Kept:
    """Which channels of a wide network a narrow one has; indices, ascending."""

    features: Tensor
    """Channels of the AdjustLayer. The encoders of the heads keep the same ones, because the correlation pairs them."""
    fused: dict[str, Tensor]
    """Channels behind the fusion of each head, by `score` and `box`."""
    middle: dict[str, Tensor]
    """Channels in the middle of the tower of each head."""
    towered: dict[str, Tensor]
    """Channels behind the tower of each head."""


def slim(source: FearNetwork, config: NetworkConfig, judge: FearNetwork | None = None) -> FearNetwork:
    """A network of another configuration that starts with the strongest channels of this one.

    Args:
        source: A network with separable units and an FBNet-C backbone.
        config: The smaller network: fewer blocks in a stage, fewer hidden channels, or less width.
        judge: The network that tells which channels behind the backbone are the strongest, such as a teacher with the same channels.
            None: the source tells it.

    Returns:
        A folded network.

    Raises:
        ConfigError: the configuration needs something that the source does not have.
    """
    wide = fold(source)
    if not isinstance(wide.backbone, FBNetC) or not (wide.config.separable and config.separable):
        raise ConfigError(f"{config.name}: expected to start from a separable network on FBNet-C, got {wide.config.name}")
    if config.width > wide.config.width or config.template_shape[1:] != wide.config.template_shape[1:]:
        raise ConfigError(f"{config.name}: expected at most the width and the same template as {wide.config.name}, got {config}")
    narrow = build_network(replace(config, folded=True))
    weights = wide.state_dict()
    kept = kept_channels(judge or source, config.width)
    state = _backbone(weights, narrow) | _heads(weights, kept, wide.config.width) | _template_encoder(weights, wide.config, config, kept)
    for name in ("dynamic_weight", "box_head.scale", "box_head.shift", "box_head.last.1.bias", "score_head.last.1.bias"):
        state[name] = weights[name]
    load_exactly(narrow, state, Path(config.name))
    return narrow


def kept_channels(source: FearNetwork, width: int) -> Kept:
    """The strongest channels behind the backbone.

    Args:
        source: The wide network.
        width: How many of its channels stay.
    """
    weights = fold(source).state_dict()
    features = _written(weights, "adjust.0") * sum(_read(weights, f"{head}_fusion.encode") for head in _HEADS)
    for head in _HEADS:  # an encoder's output serves the correlation and, as the first of its inputs, the aggregation
        features = features * _written(weights, f"{head}_fusion.encode.1").sqrt()
    chains = {head: (f"{head}_fusion.aggregate", f"{head}_head.tower.0", f"{head}_head.tower.1", f"{head}_head.last") for head in _HEADS}
    between = [
        {head: _strongest(_written(weights, f"{chain[k]}.1") * _read(weights, chain[k + 1]), width) for head, chain in chains.items()}
        for k in range(3)
    ]
    return Kept(_strongest(features, width), *between)


def _backbone(weights: dict[str, Tensor], narrow: FearNetwork) -> dict[str, Tensor]:
    """The backbone keeps its trunk and the strongest hidden channels of each block; blocks that the narrow network lacks are left out."""
    state = {}
    for name, own in narrow.backbone.state_dict().items():
        key = f"backbone.{name}"
        if key not in weights:
            raise ConfigError(f"{key}: expected in the network to start from, which does not have it")
        block, _, part = key.rpartition(".conv_")
        if part and f"{block}.conv_pw.weight" in weights:
            hidden = narrow.state_dict()[f"{block}.conv_dw.weight"].shape[0]
            strength = _written(weights, f"{block}.conv_pw") * _written(weights, f"{block}.conv_dw")
            keep = _strongest(strength * _norms(weights[f"{block}.conv_pwl.weight"].transpose(0, 1)), hidden)
            projects = part.startswith("pwl")
            value = weights[key] if projects and part.endswith("bias") else weights[key].index_select(1 if projects else 0, keep)
        else:
            value = weights[key]
        state[key] = value.view(own.shape)
    return state


def _template_encoder(weights: dict[str, Tensor], wide: NetworkConfig, narrow: NetworkConfig, kept: Kept) -> dict[str, Tensor]:
    """The encoder of the templates keeps its backbone whole, because it runs once a template, and the channels that stay behind it."""
    if narrow.template_backbone is None:
        return {}
    if narrow.template_backbone != (wide.template_backbone or wide.backbone):
        raise ConfigError(f"{narrow.name}: expected the template backbone of {wide.name}, got {narrow.template_backbone}")
    prefix = "template_encoder." if wide.template_backbone is not None else ""
    taken = {name: value for name, value in weights.items() if name.startswith(f"{prefix}backbone.")}
    taken |= _rows(weights, f"{prefix}adjust.0", kept.features)
    return {f"template_encoder.{name.removeprefix(prefix)}": value for name, value in taken.items()}


def _heads(weights: dict[str, Tensor], kept: Kept, width: int) -> dict[str, Tensor]:
    state = _rows(weights, "adjust.0", kept.features)
    for head in _HEADS:
        maps = torch.arange(
            width, weights[f"{head}_fusion.aggregate.0.weight"].shape[0]
        )  # maps of the correlation, which follow the features
        fused, middle, towered = kept.fused[head], kept.middle[head], kept.towered[head]
        everything = torch.arange(weights[f"{head}_head.last.1.weight"].shape[0])
        for unit, inputs, outputs in (
            (f"{head}_fusion.encode", kept.features, kept.features),
            (f"{head}_fusion.aggregate", torch.cat((kept.features, maps)), fused),
            (f"{head}_head.tower.0", fused, middle),
            (f"{head}_head.tower.1", middle, towered),
            (f"{head}_head.last", towered, everything),
        ):
            state |= _rows(weights, f"{unit}.0", inputs)
            state |= {name: value[:, inputs] if value.dim() > 1 else value for name, value in _rows(weights, f"{unit}.1", outputs).items()}
    return state


def _rows(weights: dict[str, Tensor], name: str, outputs: Tensor) -> dict[str, Tensor]:
    """Weight and bias, where there is one, of some output channels of a convolution."""
    return {key: weights[key][outputs] for key in _present(weights, (f"{name}.weight", f"{name}.bias"))}


def _present(weights: dict[str, Tensor], names: Iterable[str]) -> list[str]:
    return [name for name in names if name in weights]


def _norms(weight: Tensor) -> Tensor:
    """Norm of the weights of each output channel of a convolution: (O, …) → (O,)."""
    return weight.flatten(1).square().sum(dim=1).sqrt()


def _written(weights: dict[str, Tensor], name: str) -> Tensor:
    """How strongly a convolution writes each of its output channels."""
    return _norms(weights[f"{name}.weight"])


def _read(weights: dict[str, Tensor], unit: str) -> Tensor:
    """How strongly a separable unit reads each of its input channels."""
    return _norms(weights[f"{unit}.0.weight"]) * _norms(weights[f"{unit}.1.weight"].transpose(0, 1))


def _strongest(strength: Tensor, count: int) -> Tensor:
    if count > len(strength):
        raise ConfigError(f"expected at most the {len(strength)} channels that are there, got {count}")
    return strength.topk(count).indices.sort().values
