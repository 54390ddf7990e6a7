"""The network that a run starts from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from fear.loading.reference import find_model
from fear.network import FearNetwork, build_network, load_checkpoint, load_imagenet
from fear.network.checkpoint import load_exactly
from fear.training.sections import NetworkSection
from fear.training.slim import slim
from fear.training.stages.teacher import Teacher


def load_network(name: str) -> FearNetwork:
    """Loads the network of any model that has a checkpoint; `find_model` tells how models are named.

    Raises:
        WeightsError: there is no such model, or it is an exported folder.
    """
    return load_checkpoint(find_model(name).require_checkpoint("learning or teaching"))[0]


def start_network(section: NetworkSection, teacher: Teacher | None) -> FearNetwork:
    """The network that the first stage begins with, in training mode.

    Args:
        section: What it is, and the weights that it starts from.
        teacher: Tells the strongest channels where the network is smaller than the weights.
    """
    network = _fresh(section) if section.weights is None else _continued(section, section.weights, teacher)
    if section.dynamic_weight is not None:
        with torch.no_grad():
            network.dynamic_weight.fill_(section.dynamic_weight)
    return network.train()


def _fresh(section: NetworkSection) -> FearNetwork:
    """Random weights, or those of ImageNet in the backbone."""
    network = build_network(section.config())
    if section.imagenet is not None:
        load_imagenet(network, section.imagenet)
    return network


def _continued(section: NetworkSection, weights: str, teacher: Teacher | None) -> FearNetwork:
    """The weights of another network, or those of its strongest channels."""
    source, config = load_network(weights), section.config()
    if section.template_backbone is None and config.backbone == source.config.backbone:
        config = replace(config, template_backbone=source.config.template_backbone)  # an encoder of the templates' own stays
    if any(getattr(config, part) != getattr(source.config, part) for part in ("backbone", "template_backbone", "width")):
        return slim(source, config, None if teacher is None else teacher.network)
    # weights that were folded for delivery learn on as they are, without batch norms
    network = build_network(replace(config, folded=source.config.folded))
    load_exactly(network, source.state_dict(), Path(weights))
    return network
