from __future__ import annotations

import numpy as np
import pytest

from fear.evaluation.statistics import compare

pytest.importorskip("scipy", reason="needs the extra bench")


def test_a_clear_difference_has_an_interval_above_zero() -> None:
    random = np.random.default_rng(0)
    second = random.uniform(0.3, 0.9, 30)
    found = compare(second + random.normal(0.05, 0.02, 30), second)
    assert found.difference == pytest.approx(0.05, abs=0.01)
    assert 0.03 < found.low < found.difference < found.high < 0.07
    assert found.wins + found.losses == found.clips == 30
    assert found.p < 1e-4


def test_chance_has_an_interval_around_zero() -> None:
    random = np.random.default_rng(1)
    first, second = random.uniform(0.3, 0.9, (2, 30))
    found = compare(first, second)
    assert found.low < 0 < found.high
    assert found.p > 0.05
    assert compare(first, second) == found  # the same clips give the same interval


def test_clips_that_one_of_them_lacks_are_left_out() -> None:
    found = compare(np.array([0.5, np.nan, 0.7]), np.array([0.4, 0.4, 0.7]))
    assert (found.clips, found.wins, found.losses) == (2, 1, 0)
    alone = compare(np.array([0.5]), np.array([0.5]))
    assert np.isnan(alone.low)
    assert alone.p == 1
    assert np.isnan(compare(np.array([np.nan]), np.array([1.0])).difference)
