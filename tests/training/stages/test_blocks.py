from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import torch
from torch import Tensor

from fear.training.stages.blocks import BlocksStage, cut_patches, start_from_teacher
from fear.training.stages.layers import encoder_activations
from fear.training.stages.teacher import Teacher


def test_the_start_gives_layers_the_teachers_mean_and_spread(small: SimpleNamespace) -> None:
    student, teacher, batch = small.network(1).train(), small.network(0).eval(), small.batch()
    start_from_teacher(student, teacher, batch)
    with torch.no_grad():
        truth = encoder_activations(teacher, batch.crops.search)
        learned = student.adjust(truth[-2])
    torch.testing.assert_close(learned.mean(dim=(0, 2, 3)), truth[-1].mean(dim=(0, 2, 3)), atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(learned.std(dim=(0, 2, 3)), truth[-1].std(dim=(0, 2, 3)), atol=1e-4, rtol=0.05)


def test_pieces_learn_alone(small: SimpleNamespace, without_trainer: Callable[[type, int], None]) -> None:
    """What one piece does wrong leaves the gradients of the others alone."""
    without_trainer(BlocksStage, 1)

    def gradient(stem: float) -> Tensor:
        student = small.network(1).eval()
        with torch.no_grad():
            student.backbone.get_parameter("conv_stem.weight").mul_(stem)
        BlocksStage(student, small.stage, [], small.distill, Teacher(small.network(0))).training_step(small.batch()).backward()
        found = student.get_parameter("adjust.0.weight").grad
        assert isinstance(found, Tensor)
        return found.clone()

    torch.testing.assert_close(gradient(1.0), gradient(3.0))


def test_patches_come_from_the_search_crops(small: SimpleNamespace) -> None:
    crops = small.batch().crops.search
    patches = cut_patches(crops, 64, 3, seed=1)
    assert patches.shape == (6, 3, 64, 64)
    assert torch.equal(patches, cut_patches(crops, 64, 3, seed=1))
    windows = crops[0].unfold(1, 64, 1).unfold(2, 64, 1)  # (3, 33, 33, 64, 64)
    distance = (windows - patches[0][:, None, None]).abs().amax(dim=(0, 3, 4))
    assert distance.min() == 0
