"""The network that a run starts from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fear.errors import WeightsError
from fear.loading.published import published_checkpoint
from fear.network import FearNetwork, build_network, load_checkpoint, load_imagenet
from fear.network.checkpoint import load_exactly
from fear.training.sections import NetworkSection
from fear.training.slim import slim
from fear.training.stages.teacher import Teacher
from fear.weights import resolve


def load_network(name: str) -> FearNetwork:
    """A network by the name of packaged weights, a checkpoint's path, or `published:DIR`.

    Raises:
        WeightsError: there is no such checkpoint, or it is an exported folder.
    """
    if name.startswith("published:"):
        return load_checkpoint(published_checkpoint(Path(name.removeprefix("published:")).expanduser()))[0]
    checkpoint = resolve(name).checkpoint
    if checkpoint is None:
        raise WeightsError(f"{name}: expected a checkpoint, got an exported folder, which can neither learn nor teach")
    return load_checkpoint(checkpoint)[0]


def start_network(section: NetworkSection, teacher: Teacher | None) -> FearNetwork:
    """The network that the first stage begins with.

    Args:
        section: What it is, and the weights that it starts from.
        teacher: Tells the strongest channels where the network is smaller than the weights.
    """
    if section.weights is None:
        network = build_network(section.config())
        if section.imagenet is not None:
            load_imagenet(network, section.imagenet)
        return network.train()
    source, config = load_network(section.weights), section.config()
    if section.template_backbone is None and config.backbone == source.config.backbone:
        config = replace(config, template_backbone=source.config.template_backbone)  # an encoder of the templates' own stays
    if any(getattr(config, part) != getattr(source.config, part) for part in ("backbone", "template_backbone", "width")):
        return slim(source, config, None if teacher is None else teacher.network).train()
    # weights that were folded for delivery learn on as they are, without batch norms
    network = build_network(replace(config, folded=source.config.folded))
    load_exactly(network, source.state_dict(), Path(section.weights))
    return network.train()
