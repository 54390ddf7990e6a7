from __future__ import annotations

from types import SimpleNamespace

import pytest

from fear.training.stages.optimiser import make_optimiser


def test_backbones_learn_at_their_own_rate(small: SimpleNamespace) -> None:
    network = small.network(0)
    stage = small.stage.model_copy(update={"rate": 1e-2, "backbone_rate": 0.25, "warm_up": 0})
    groups = make_optimiser(network, stage, 10)["optimizer"].param_groups
    rates = {id(group["params"][0]): group["initial_lr"] for group in groups}
    assert rates[id(network.get_parameter("backbone.conv_stem.weight"))] == pytest.approx(0.25e-2)
    assert rates[id(network.get_parameter("adjust.0.weight"))] == pytest.approx(0.25e-2)
    assert rates[id(network.dynamic_weight)] == pytest.approx(1e-2)
