from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fear.config import FEAR_NANO, TrackerConfig
from fear.network import FearNetwork, build_network, fold, parameter_count
from fear.training.sections import StageSection
from research.stark.costs import VARIANTS, measure, table
from research.stark.network import StarkNetwork, UpdateHead, from_fear
from research.stark.template import StarkTemplate, StarkTracker
from research.stark.training import UpdateStage

SMALL = replace(FEAR_NANO, width=16, template_size=32, search_size=64)
CROP = np.zeros((32, 32, 3), np.uint8)


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


def trained() -> FearNetwork:
    """A folded network with a dynamic weight and a template encoder of its own, as fear-xs has them; its weights are random."""
    network = fold(build_network(replace(SMALL, template_backbone=SMALL.backbone)))
    with torch.no_grad():
        network.dynamic_weight.fill_(0.4)
    return network


def test_a_copy_with_concatenated_templates_computes_what_the_weighted_sum_does() -> None:
    fear = trained()
    stark = from_fear(fear, concatenate=True).eval()
    static, dynamic, search = torch.rand(2, 16, 2, 2), torch.rand(2, 16, 2, 2), torch.rand(2, 16, 4, 4)
    with torch.no_grad():
        for ours, theirs in ((stark.score_fusion, fear.score_fusion), (stark.box_fusion, fear.box_fusion)):
            fused = ours(stark.merge(static, dynamic), search)
            assert torch.allclose(fused, theirs(fear.merge(static, dynamic), search), atol=1e-6)
            assert not torch.allclose(fused, theirs(static, search), atol=1e-4)


def test_only_the_head_learns_in_its_stage() -> None:
    network = from_fear(trained(), concatenate=False, learned_update=True)
    UpdateStage(network, StageSection(name="head", epochs=1, samples=8, batch=8))
    learning = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert learning == {f"update_head.{name}" for name, _ in UpdateHead(16).named_parameters()}


def test_concatenated_templates_of_a_track_keep_the_static_one() -> None:
    static, dynamic = np.zeros((1, 16, 2, 2), np.float32), np.ones((1, 16, 2, 2), np.float32)
    template = StarkTemplate(static, 0.4, TrackerConfig(update_interval=1), concatenate=True, head=None)
    assert template.observe(0.9, lambda: CROP, lambda crop: dynamic)
    assert np.array_equal(template.features, np.concatenate((static, dynamic), axis=2))


@pytest.mark.parametrize(("bias", "renewed"), [(5.0, True), (-5.0, False)])
def test_the_head_decides_about_the_renewal_instead_of_the_similarity(bias: float, renewed: bool) -> None:
    head = UpdateHead(16)
    for parameter in head.parameters():
        parameter.data.zero_()
    last = head.layers[-1]
    assert isinstance(last, torch.nn.Linear)
    last.bias.data.fill_(bias)
    features = np.ones((1, 16, 2, 2), np.float32)
    template = StarkTemplate(features, 0.4, TrackerConfig(update_interval=1), concatenate=False, head=head)
    similarity = template.similarity(np.ones(16, np.float32))
    assert template.observe(similarity, lambda: CROP, lambda crop: features) is renewed


def test_a_stark_tracker_follows() -> None:
    tracker = StarkTracker(from_fear(trained(), concatenate=True), TrackerConfig(update_interval=2, redetection=False))
    frame = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    tracker.init(frame, [(60, 40, 30, 30)])
    assert [len(tracker.update(frame)) for _ in range(4)] == [1, 1, 1, 1]
