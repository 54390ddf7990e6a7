from __future__ import annotations

from dataclasses import replace

import torch

from fear.config import FEAR_NANO
from fear.network import build_network, parameter_count
from research.stark.costs import VARIANTS, measure, table
from research.stark.network import StarkNetwork

SMALL = replace(FEAR_NANO, width=16, template_size=32, search_size=64)


def test_without_its_options_it_is_the_fear_network() -> None:
    stark = StarkNetwork(SMALL, concatenate=False, learned_update=False)
    fear = build_network(SMALL)
    assert list(stark.state_dict()) == list(fear.state_dict())
    fear.load_state_dict(stark.state_dict())
    template, search = torch.rand(1, 16, 2, 2), torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        for ours, theirs in zip(stark.eval().match(search, template), fear.eval().match(search, template), strict=True):
            assert torch.equal(ours, theirs)


def test_concatenated_templates_keep_both_features() -> None:
    static, dynamic = torch.rand(1, 16, 2, 2), torch.rand(1, 16, 2, 2)
    merged = StarkNetwork(SMALL).merge(static, dynamic)
    assert merged.shape == (1, 16, 4, 2)
    assert torch.equal(merged[:, :, :2], static)
    assert torch.equal(merged[:, :, 2:], dynamic)


def test_the_update_head_learns_from_both_embeddings() -> None:
    network = StarkNetwork(SMALL)
    template, embedding = torch.rand(2, 16, 4, 2, requires_grad=True), torch.rand(2, 16, requires_grad=True)
    logits = network.judge(template, embedding)
    assert logits is not None
    assert logits.shape == (2, 1)
    logits.sum().backward()
    assert template.grad is not None
    assert embedding.grad is not None
    assert StarkNetwork(SMALL, learned_update=False).judge(template, embedding) is None


def test_both_options_cost_something() -> None:
    names = list(VARIANTS)
    costs = measure(SMALL, timed=3, variants=[names[0], names[-1]])
    fear, stark = costs.values()
    assert fear.parameters == parameter_count(build_network(replace(SMALL, folded=True)))
    assert fear.parameters < stark.parameters
    assert fear.macs < stark.macs
    assert all(cost.seconds.shape == (3,) for cost in costs.values())
    assert table(costs).count("\n") == 3
