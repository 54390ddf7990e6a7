from __future__ import annotations

from types import SimpleNamespace

import pytest

from fear.training.stages.optimiser import make_optimiser
from fear.training.stages.stage import Stage


def test_backbones_learn_at_their_own_rate(small: SimpleNamespace) -> None:
    network = small.network(0)
    stage = small.stage.model_copy(update={"rate": 1e-2, "backbone_rate": 0.25, "warm_up": 0})
    groups = make_optimiser(network, stage, 10)["optimizer"].param_groups
    rates = {id(group["params"][0]): group["initial_lr"] for group in groups}
    assert rates[id(network.get_parameter("backbone.conv_stem.weight"))] == pytest.approx(0.25e-2)
    assert rates[id(network.get_parameter("adjust.0.weight"))] == pytest.approx(0.25e-2)
    assert rates[id(network.dynamic_weight)] == pytest.approx(1e-2)


def test_the_first_layers_of_a_backbone_can_be_fixed(small: SimpleNamespace) -> None:
    network = small.network(0)
    Stage(network, small.stage.model_copy(update={"fixed_layers": 3}), [])
    layers = network.backbone.parts()
    assert not network.get_parameter("backbone.conv_stem.weight").requires_grad
    assert not any(parameter.requires_grad for layer in layers[1:3] for parameter in layer.parameters())
    assert all(parameter.requires_grad for layer in layers[3:] for parameter in layer.parameters())
    assert all(parameter.requires_grad for parameter in network.adjust.parameters())
