from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from fear.config import FEAR_M, FEAR_NANO, FEAR_XS, Backbone
from fear.errors import ConfigError
from fear.network import FearNetwork, build_network, fold, parameter_count
from fear.training.data.batch import Batch, SampleCrops
from fear.training.sections import DistillSection, StageSection
from fear.training.slim import kept_channels, slim
from fear.training.stages.blocks import BlocksStage
from fear.training.stages.heads import HeadsStage
from fear.training.stages.layers import encoder_activations, matched_layers
from fear.training.stages.teacher import Teacher
from fear.training.stages.whole import WholeStage

SMALL_XS = replace(FEAR_XS, template_size=64, search_size=96, width=48)
SMALL_NANO = replace(FEAR_NANO, template_size=64, search_size=96, width=32)


def wide(seed: int = 0) -> FearNetwork:
    torch.manual_seed(seed)
    return build_network(SMALL_XS).eval()


def crops(side: int) -> torch.Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(side)) * 255


def test_a_slim_network_of_the_same_size_is_the_same_network() -> None:
    source = wide()
    same = slim(source, SMALL_XS)
    template = source.encode_template(crops(64))
    for ours, truth in zip(same.match(crops(96), template), source.match(crops(96), template), strict=True):
        if ours is not None and truth is not None:
            torch.testing.assert_close(ours, truth, rtol=1e-3, atol=1e-4)


def test_channels_that_do_nothing_go_first() -> None:
    source = fold(wide())
    for head in ("score", "box"):
        with torch.no_grad():
            source.get_parameter(f"{head}_head.tower.1.1.weight")[::3].zero_()
    kept = kept_channels(source, 32)
    for head in ("score", "box"):
        assert kept.towered[head].tolist() == [k for k in range(48) if k % 3]


def test_silent_hidden_channels_change_nothing() -> None:
    source = fold(wide())
    narrow = build_network(replace(SMALL_NANO, width=48, folded=True))
    with torch.no_grad():
        for name, _ in source.backbone.named_modules():
            if name.endswith("conv_pwl") and f"backbone.{name}.weight" in narrow.state_dict():
                kept = narrow.state_dict()[f"backbone.{name}.weight"].shape[1]
                source.get_parameter(f"backbone.{name}.weight")[:, kept:].zero_()
    slimmed = slim(source, replace(SMALL_NANO, width=48))
    assert matched_layers(slimmed, source) == [(0, 0), (3, 3), (5, 6), (8, 10), (11, 14), (14, 18)]
    # up to the second stage's first block no block is missing, so there both are one function
    ours, theirs = encoder_activations(slimmed, crops(96))[3], encoder_activations(source, crops(96))[3]
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_the_templates_own_encoder_sees_what_the_source_sees() -> None:
    source = wide()
    config = replace(SMALL_NANO, template_backbone="fbnet_c")
    slimmed = slim(source, config)
    truth = source.encode_template(crops(64))[:, kept_channels(source, 32).features]
    torch.testing.assert_close(slimmed.encode_template(crops(64)), truth, rtol=1e-3, atol=1e-4)
    again = slim(slimmed, config)  # from a network that has one
    torch.testing.assert_close(again.encode_template(crops(64)), truth, rtol=1e-3, atol=1e-4)
    with pytest.raises(ConfigError, match="expected the template backbone of fear-xs, got fbnet_c_slim"):
        slim(source, replace(config, template_backbone="fbnet_c_slim"))


@pytest.mark.parametrize("template_backbone", ["fbnet_c", "fbnet_c_slim"])
@pytest.mark.parametrize("kind", [BlocksStage, WholeStage])
def test_an_encoder_of_the_templates_own_learns(
    kind: type[BlocksStage | WholeStage], template_backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = wide()
    torch.manual_seed(1)
    student = build_network(replace(SMALL_NANO, template_backbone=template_backbone)).train()
    section, options = StageSection(name="s", kind="whole", epochs=1, samples=2, batch=2), DistillSection(teacher="x", patch=96, patches=1)
    stage = kind(student, section, [], options, Teacher(source))
    stage.on_fit_start()
    monkeypatch.setattr(kind, "global_step", 1)
    monkeypatch.setattr(stage, "report", lambda parts, batch: None)
    stage.training_step(Batch(SampleCrops(crops(64), crops(96)), torch.zeros(2, 4), torch.ones(2, dtype=torch.bool))).backward()
    encoder = student.template_encoder
    assert encoder is not None
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in encoder.parameters())


def test_nano_costs_a_quarter() -> None:
    nano, xs = (parameter_count(fold(build_network(config))) for config in (FEAR_NANO, FEAR_XS))
    assert nano < 0.4 * xs


@pytest.mark.parametrize("kind", [BlocksStage, HeadsStage, WholeStage])
def test_a_narrow_student_learns_its_channels(kind: type[BlocksStage | HeadsStage | WholeStage], monkeypatch: pytest.MonkeyPatch) -> None:
    source = wide()
    student = slim(source, SMALL_NANO)
    with torch.no_grad():  # what is left of a random network is nearly right already; a trained one would lose more
        for parameter in student.parameters():
            parameter.mul_(1 + 0.2 * torch.randn(parameter.shape))
    section, options = StageSection(name="s", kind="whole", epochs=1, samples=2, batch=2), DistillSection(teacher="x", patch=96, patches=1)
    stage = kind(student, section, [], options, Teacher(source))
    stage.on_fit_start()
    monkeypatch.setattr(kind, "global_step", 0)
    losses = []
    stage.report = lambda parts, batch: losses.append({name: float(value.detach()) for name, value in parts.items()})  # type: ignore[method-assign]
    batch = Batch(SampleCrops(crops(64), crops(96)), torch.zeros(2, 4), torch.ones(2, dtype=torch.bool))
    optimiser = torch.optim.Adam(student.parameters(), 1e-3)
    for _ in range(30):
        loss = stage.training_step(batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1]["loss"] < 0.7 * losses[0]["loss"]
    if kind is WholeStage:
        assert losses[-1]["search"] < losses[0]["search"]


@pytest.mark.parametrize(
    ("source", "config"),
    [(SMALL_XS, replace(SMALL_XS, width=64)), (SMALL_XS, replace(SMALL_NANO, template_size=96)), (replace(FEAR_M, width=32), SMALL_NANO)],
)
def test_what_cannot_be_started_from(source: object, config: object) -> None:
    with pytest.raises(ConfigError, match="expected"):
        slim(build_network(source), config)  # type: ignore[arg-type]
