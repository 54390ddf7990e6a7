from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from fear.config import FEAR_M, FEAR_XS
from fear.errors import ConfigError
from fear.network import FearNetwork, build_network
from fear.training.data.batch import Batch
from fear.training.recipe import DistillSection, StageSection
from fear.training.stages.distill import (
    BlocksStage,
    HeadsStage,
    Teacher,
    WholeStage,
    activations,
    answers,
    cut_patches,
    meetings,
    relative_error,
    start_from_teacher,
    turn,
)

SMALL = replace(FEAR_XS, template_size=64, search_size=96, width=32)
OPTIONS = DistillSection(teacher="given", patch=64, patches=2)
STAGE = StageSection(name="stage", kind="blocks", epochs=1, samples=2, batch=2)


def batch(count: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(0)

    def crops(side: int) -> Tensor:
        coarse = torch.rand(count, 3, side // 8, side // 8, generator=generator) * 255
        return nn.functional.interpolate(coarse, size=(side, side), mode="bilinear")

    return Batch(crops(64), crops(96), None, None, torch.zeros(count, 4), torch.zeros(count, dtype=torch.bool))


def network(seed: int) -> FearNetwork:
    """Random weights, with the statistics that its batch norms would have after training."""
    torch.manual_seed(seed)
    net = build_network(SMALL)
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 1.0
    with torch.no_grad():
        for _ in range(2):
            net.match(batch().search, net.encode_template(batch().static))
    return net


def test_relative_error_by_hand() -> None:
    truth = torch.tensor([[[[1.0, 3.0]], [[0.0, 4.0]]]])  # variances 2 and 8 (unbiased), their mean 5
    y = truth + torch.tensor([[[[1.0, 1.0]], [[2.0, 0.0]]]])
    assert float(relative_error(y, truth)) == pytest.approx((1 / (2 + 0.25) + 2 / (8 + 0.25)) / 2, rel=1e-5)
    assert float(relative_error(truth, truth)) == 0


def test_activations_end_in_the_features() -> None:
    net = network(0).eval()
    with torch.no_grad():
        found = activations(net, batch().search)
        torch.testing.assert_close(found[-1], net.encode_search(batch().search))
    assert len(found) == 1 + 1 + 16 + 1  # crops, stem, blocks of FBNet-C, AdjustLayer


def test_answers_are_the_networks() -> None:
    net = network(0).eval()
    with torch.no_grad():
        _, _, inside = answers(net, batch().static, batch().search)
        prediction = net.match(batch().search, net.encode_template(batch().static))
    torch.testing.assert_close(inside["score"].output, prediction.logits)
    torch.testing.assert_close(inside["box"].output.exp(), prediction.boxes_ltrb)


@pytest.mark.parametrize("kind", [BlocksStage, HeadsStage, WholeStage])
def test_a_student_that_equals_its_teacher_has_nothing_to_learn(kind: type[BlocksStage | HeadsStage | WholeStage]) -> None:
    student = network(0)
    stage = kind(student, STAGE, [], OPTIONS, Teacher(student))
    stage.report = lambda parts, batch: None  # type: ignore[method-assign]  # there is no trainer to log to
    if kind is BlocksStage:  # it starts from the teacher's statistics at step 0, which change the norms
        type(stage).global_step = property(lambda self: 1)  # type: ignore[assignment, method-assign]
    student.eval()
    try:
        loss = stage.training_step(batch())
    finally:
        if kind is BlocksStage:
            del type(stage).global_step
    scores = activations(student, batch().search)  # cross-entropy with soft scores is not zero but the scores' entropy
    assert scores
    least = 0.0
    if kind is WholeStage:
        with torch.no_grad():
            logits = answers(student, batch().static, batch().search)[2]["score"].output
        least = 2 * float(nn.functional.binary_cross_entropy_with_logits(logits, logits.sigmoid()))
    assert float(loss.detach()) == pytest.approx(least, abs=2e-3)


@pytest.mark.parametrize("kind", [BlocksStage, HeadsStage, WholeStage])
def test_steps_bring_the_student_closer(kind: type[BlocksStage | HeadsStage | WholeStage], monkeypatch: pytest.MonkeyPatch) -> None:
    student, teacher = network(1), network(0)
    stage = kind(student, STAGE, [], OPTIONS, Teacher(teacher))
    monkeypatch.setattr(stage, "report", lambda parts, batch: None)
    monkeypatch.setattr(kind, "global_step", property(lambda self: 1), raising=False)
    start_from_teacher(student, stage._teacher.network, batch())
    optimiser = torch.optim.AdamW(student.parameters(), lr=2e-3)
    losses = []
    for _ in range(8):
        loss = stage.training_step(batch())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]


def test_a_student_that_looks_at_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for what its teacher saw at that place of the whole crop."""
    student, teacher = network(1).train(), network(0)
    losses: dict[tuple[int, ...], Tensor] = {}
    monkeypatch.setattr(WholeStage, "global_step", property(lambda self: 1), raising=False)
    for sides in ((), (96,), (64,)):
        stage = WholeStage(student, STAGE, [], OPTIONS.model_copy(update={"sides": sides}), Teacher(teacher))
        monkeypatch.setattr(stage, "report", lambda parts, batch: None)
        losses[sides] = stage.training_step(batch()).detach()
    torch.testing.assert_close(losses[96,], losses[()])
    assert losses[64,].isfinite()
    assert losses[64,] != losses[()]

    stage = WholeStage(student, STAGE, [], OPTIONS.model_copy(update={"sides": (64,)}), Teacher(teacher))
    net = stage._teacher.network
    with torch.no_grad():
        truth = answers(net, batch().static, batch().search)
        search, seen, weights = stage._narrowed(batch().search, truth)
        again = activations(net, search)
    assert weights is not None
    assert weights.shape == (4, 4)
    for small, large in zip(again[:3], seen.search[:3], strict=True):  # crop, stem, first block: their borders are thin
        torch.testing.assert_close(small[..., 4:-4, 4:-4], large[..., 4:-4, 4:-4])
    assert seen.heads["box"].output.shape == (2, 4, 4, 4)


def test_the_start_gives_parts_the_teachers_mean_and_spread() -> None:
    student, teacher = network(1).train(), network(0).eval()
    start_from_teacher(student, teacher, batch())
    with torch.no_grad():
        truth = activations(teacher, batch().search)[-1]
        learned = student.adjust(activations(teacher, batch().search)[-2])
    torch.testing.assert_close(learned.mean(dim=(0, 2, 3)), truth.mean(dim=(0, 2, 3)), atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(learned.std(dim=(0, 2, 3)), truth.std(dim=(0, 2, 3)), atol=1e-4, rtol=0.05)


def test_teachers_that_do_not_fit() -> None:
    for other in (replace(SMALL, width=16), replace(SMALL, search_size=160)):
        with pytest.raises(ConfigError, match="expected one with the student's crop sizes and at least its width"):
            WholeStage(network(0), STAGE, [], OPTIONS, Teacher(build_network(other)))
    larger = Teacher(build_network(replace(FEAR_M, template_size=64, search_size=96, width=32)))
    assert meetings(network(0), larger.network) == [(0, 0), (18, len(activations(larger.network, batch().search)) - 1)]
    with pytest.raises(ConfigError, match="expected the student's structure"):
        BlocksStage(network(0), STAGE, [], OPTIONS, larger).on_fit_start()
    stage = WholeStage(network(0), STAGE, [], OPTIONS, larger)  # a larger member teaches end to end
    stage.report = lambda parts, batch: None  # type: ignore[method-assign]
    assert stage.training_step(batch()).isfinite()


def test_pieces_learn_alone() -> None:
    """What one piece does wrong leaves the others' gradients alone."""

    def gradient(stem: float) -> Tensor:
        student = network(1).eval()
        with torch.no_grad():
            student.backbone.get_parameter("conv_stem.weight").mul_(stem)
        stage = BlocksStage(student, STAGE, [], OPTIONS, Teacher(network(0)))
        stage.report = lambda parts, batch: None  # type: ignore[method-assign]
        stage._meetings = meetings(student, stage._teacher.network)
        seen = stage.training_step(batch())
        seen.backward()
        return student.get_parameter("adjust.0.weight").grad.clone()  # type: ignore[union-attr]

    torch.testing.assert_close(gradient(1.0), gradient(3.0))


def test_turned_crops() -> None:
    crops = batch(8).search
    assert turn(crops, 0.0, seed=0) is crops
    some = turn(crops, 0.5, seed=3)
    changed = (some != crops).flatten(1).any(dim=1)
    assert 0 < int(changed.sum()) < 8
    assert torch.equal(some, turn(crops, 0.5, seed=3))
    everything = turn(crops, 1.0, seed=3)
    assert torch.equal(everything[changed], some[changed])
    # turning keeps what is in the middle in the middle, and its colour
    torch.testing.assert_close(everything[..., 44:52, 44:52].mean(dim=(2, 3)), crops[..., 44:52, 44:52].mean(dim=(2, 3)), atol=4.0, rtol=0)
    assert everything.min() >= 0
    assert everything.max() <= 255


def test_patches_come_from_the_search_crops() -> None:
    patches = cut_patches(batch().search, 64, 3, seed=1)
    assert patches.shape == (6, 3, 64, 64)
    assert torch.equal(patches, cut_patches(batch().search, 64, 3, seed=1))
    windows = batch().search[0].unfold(1, 64, 1).unfold(2, 64, 1)  # (3, 33, 33, 64, 64)
    distance = (windows - patches[0][:, None, None]).abs().amax(dim=(0, 3, 4))
    assert distance.min() == 0
