from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from fear.config import FEAR_M
from fear.errors import ConfigError
from fear.network import build_network
from fear.training.stages.blocks import BlocksStage, start_from_teacher
from fear.training.stages.heads import HeadsStage
from fear.training.stages.layers import activations, encoder_activations, matched_layers
from fear.training.stages.teacher import Teacher
from fear.training.stages.whole import WholeStage

Kind = type[BlocksStage | HeadsStage | WholeStage]
KINDS = [BlocksStage, HeadsStage, WholeStage]
WithoutTrainer = Callable[[type, int], None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_student_that_equals_its_teacher_has_nothing_to_learn(
    kind: Kind, small: SimpleNamespace, without_trainer: WithoutTrainer
) -> None:
    without_trainer(kind, 1)  # at step 0 the blocks would start from the teacher's statistics, which changes the norms
    student = small.network(0)
    stage = kind(student, small.stage, [], small.distill, Teacher(student))
    student.eval()
    loss = stage.training_step(small.batch())
    least = 0.0
    if kind is WholeStage:  # cross-entropy with soft scores is not zero but the scores' entropy
        crops = small.batch().crops
        with torch.no_grad():
            logits = activations(student, crops.static_template, crops.search).heads["score"].output
        least = 2 * float(nn.functional.binary_cross_entropy_with_logits(logits, logits.sigmoid()))
    assert float(loss.detach()) == pytest.approx(least, abs=2e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_bring_the_student_closer(kind: Kind, small: SimpleNamespace, without_trainer: WithoutTrainer) -> None:
    without_trainer(kind, 1)
    student, batch = small.network(1), small.batch()
    stage = kind(student, small.stage, [], small.distill, Teacher(small.network(0)))
    start_from_teacher(student, stage._teacher.network, batch)
    optimiser = torch.optim.AdamW(student.parameters(), lr=2e-3)
    losses = []
    for _ in range(8):
        loss = stage.training_step(batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]


def test_teachers_that_do_not_fit(small: SimpleNamespace, without_trainer: WithoutTrainer) -> None:
    for other in (replace(small.config, width=16), replace(small.config, search_size=160)):
        with pytest.raises(ConfigError, match="expected one with the student's crop sizes and at least its width"):
            WholeStage(small.network(0), small.stage, [], small.distill, Teacher(build_network(other)))


def test_a_larger_member_teaches_end_to_end_alone(small: SimpleNamespace, without_trainer: WithoutTrainer) -> None:
    larger = Teacher(build_network(replace(FEAR_M, template_size=64, search_size=96, width=32)))
    student = small.network(0)
    last = len(encoder_activations(larger.network, small.batch().crops.search)) - 1
    assert matched_layers(student, larger.network) == [(0, 0), (18, last)]
    with pytest.raises(ConfigError, match="expected the student's structure"):
        BlocksStage(student, small.stage, [], small.distill, larger).on_fit_start()
    without_trainer(WholeStage, 1)
    assert WholeStage(student, small.stage, [], small.distill, larger).training_step(small.batch()).isfinite()
