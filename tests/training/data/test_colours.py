from __future__ import annotations

import math

import numpy as np
import pytest

from fear.media.image import Image
from fear.training.data.batch import SampleCrops
from fear.training.data.colours import change_crops, motion_kernel
from fear.training.sections import PhotometricSection

NEVER = PhotometricSection(joint=0, each=0, grey=0, blur=0, motion=0, noise=0)
ALWAYS = PhotometricSection(joint=1, each=1, grey=0, blur=1, motion=1, noise=1)


def crops() -> SampleCrops[Image]:
    """As in stages of distillation: two crops, the others are None."""
    generator = np.random.default_rng(0)
    template, search = (generator.integers(60, 160, (side, side, 3), np.uint8) for side in (32, 64))
    return SampleCrops(template, search)


def test_the_same_draws_make_the_same_changes() -> None:
    first, again, other = (change_crops(crops(), ALWAYS, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.search.shape == crops().search.shape
    assert first.search.dtype == np.uint8
    assert np.array_equal(first.static_template, again.static_template)
    assert np.array_equal(first.search, again.search)
    assert not np.array_equal(first.search, other.search)
    assert first.negative is None


def test_nothing_changes_without_shares() -> None:
    changed = change_crops(crops(), NEVER, np.random.default_rng(0))
    assert np.array_equal(changed.static_template, crops().static_template)
    assert np.array_equal(changed.search, crops().search)


def test_joint_changes_are_the_same_for_all_crops() -> None:
    flat: Image = np.full((8, 8, 3), (90, 120, 100), np.uint8)
    changed = change_crops(SampleCrops(flat, flat, flat, flat), NEVER.model_copy(update={"joint": 1.0}), np.random.default_rng(3))
    for other in (changed.search, changed.dynamic_template, changed.negative):
        assert other is not None
        assert np.array_equal(changed.static_template, other)
    assert not np.array_equal(changed.static_template, flat)


def test_grey_has_equal_channels() -> None:
    grey = change_crops(crops(), NEVER.model_copy(update={"grey": 1.0}), np.random.default_rng(0)).search
    assert np.ptp(grey, axis=2).max() <= 1


@pytest.mark.parametrize("length", [3.0, 8.5, 12.0])
def test_a_motion_kernel_is_a_line_through_the_middle(length: float) -> None:
    kernel = motion_kernel(length, math.pi / 2)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    columns = np.flatnonzero(kernel.sum(axis=0) > 0.3)
    assert columns.tolist() == [kernel.shape[1] // 2]
    rows = np.flatnonzero(kernel.sum(axis=1) > 0.01)
    assert len(rows) == pytest.approx(length + 1, abs=2)
