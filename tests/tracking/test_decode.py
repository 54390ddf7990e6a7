from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fear.config import TrackerConfig
from fear.geometry.cells import Floats
from fear.tracking.decode import change_penalty, cosine_window, decode

PLAIN = TrackerConfig(window=0, penalty=0, size_rate=None)


def maps(cells: dict[tuple[int, int], tuple[float, tuple[float, float, float, float]]]) -> tuple[Floats, Floats]:
    scores, boxes = np.zeros((16, 16), np.float32), np.ones((4, 16, 16), np.float32)
    for (row, column), (score, ltrb) in cells.items():
        scores[row, column], boxes[:, row, column] = score, ltrb
    return scores, boxes


def test_best_cell_and_its_place() -> None:
    peak = decode(*maps({(3, 10): (0.8, (10, 20, 30, 40)), (5, 5): (0.7, (1, 1, 1, 1))}), (50, 50), PLAIN)
    # cell (i, j) stands at ((j − 8)·16 + 128, (i − 8)·16 + 128)
    assert peak.box_xywh == pytest.approx(((10 - 8) * 16 + 128 - 10, (3 - 8) * 16 + 128 - 20, 40, 60))
    assert peak.score == pytest.approx(0.8)


def test_window_prefers_the_middle_and_leaves_the_score_alone() -> None:
    scores_boxes = maps({(0, 0): (0.9, (9, 9, 9, 9)), (8, 8): (0.8, (5, 5, 5, 5))})
    assert decode(*scores_boxes, (10, 10), PLAIN).box_xywh[2] == pytest.approx(18)
    peak = decode(*scores_boxes, (10, 10), replace(PLAIN, window=0.38))
    assert peak.box_xywh[2] == pytest.approx(10)
    assert peak.score == pytest.approx(0.8)


def test_penalty_prefers_the_old_shape() -> None:
    scores_boxes = maps({(8, 7): (0.9, (40, 40, 40, 40)), (8, 8): (0.85, (10, 10, 10, 10))})
    assert decode(*scores_boxes, (20, 20), PLAIN).box_xywh[2] == pytest.approx(80)
    assert decode(*scores_boxes, (20, 20), replace(PLAIN, penalty=0.062)).box_xywh[2] == pytest.approx(20)


def test_penalty_is_one_without_change_and_falls_both_ways() -> None:
    sizes = np.array([[10.0, 20.0, 40.0, 80.0]], np.float32)
    half = np.stack([sizes / 2] * 4).astype(np.float32)
    penalty = change_penalty(half, (20, 20), 0.1)[0]
    assert penalty[1] == pytest.approx(1)
    assert penalty[0] == pytest.approx(penalty[2]) == pytest.approx(np.exp(-0.1))
    assert penalty[3] == pytest.approx(np.exp(-0.3))


def test_smoothing_is_applied_once() -> None:
    """The published code applies the rate twice."""
    peak = decode(*maps({(8, 8): (0.5, (20, 10, 20, 10))}), (20, 20), replace(PLAIN, size_rate=0.8))
    assert peak.box_xywh == pytest.approx((128 - 14, 128 - 10, 20 + 0.8 * 0.5 * 20, 20))


def test_cosine_window() -> None:
    window = cosine_window(16)
    assert window.shape == (16, 16)
    assert window.max() <= 1
    assert window[0].max() == 0
    assert np.array_equal(window, window.T)


def test_inputs_stay_as_they_are() -> None:
    scores, boxes = maps({(8, 8): (0.5, (2, 2, 2, 2))})
    before = scores.copy(), boxes.copy()
    decode(scores, boxes, (10, 10), TrackerConfig())
    assert np.array_equal(scores, before[0])
    assert np.array_equal(boxes, before[1])


@pytest.mark.parametrize("before", [(1e300, 1e-300), (1e300, 1e300), (5e-324, 5e-324)])
def test_boxes_of_any_size_before_have_a_penalty(before: tuple[float, float]) -> None:
    """A box that the user gave may be as small as a float can be; then what was found is huge beside it."""
    boxes = np.full((4, 3, 3), -1.0, np.float32)
    assert np.isfinite(change_penalty(boxes, before, 0.062)).all()
