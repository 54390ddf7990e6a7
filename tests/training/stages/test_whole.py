from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import torch
from torch import Tensor

from fear.training.stages.layers import activations, encoder_activations
from fear.training.stages.teacher import Teacher
from fear.training.stages.whole import WholeStage


def stage_with(small: SimpleNamespace, sides: tuple[int, ...]) -> WholeStage:
    options = small.distill.model_copy(update={"sub_crop_sides": sides})
    return WholeStage(small.network(1).train(), small.stage, [], options, Teacher(small.network(0)))


def test_a_sub_crop_as_large_as_the_search_changes_nothing(small: SimpleNamespace, without_trainer: Callable[[type, int], None]) -> None:
    without_trainer(WholeStage, 1)
    losses: dict[tuple[int, ...], Tensor] = {}
    for sides in ((), (96,), (64,)):
        losses[sides] = stage_with(small, sides).training_step(small.batch()).detach()
    torch.testing.assert_close(losses[96,], losses[()])
    assert losses[64,].isfinite()
    assert losses[64,] != losses[()]


def test_a_student_learns_what_its_teacher_saw_at_that_place_of_the_whole_crop(
    small: SimpleNamespace, without_trainer: Callable[[type, int], None]
) -> None:
    without_trainer(WholeStage, 1)
    stage, crops = stage_with(small, (64,)), small.batch().crops
    teacher = stage._teacher.network
    with torch.no_grad():
        search, seen, weights = stage._sub_crop(crops.search, activations(teacher, crops.static_template, crops.search))
        again = encoder_activations(teacher, search)
    assert weights is not None
    assert weights.shape == (4, 4)
    for small_maps, large in zip(again[:3], seen.search[:3], strict=True):  # crop, stem, first block: their borders are thin
        torch.testing.assert_close(small_maps[..., 4:-4, 4:-4], large[..., 4:-4, 4:-4])
    assert seen.heads["box"].output.shape == (2, 4, 4, 4)
