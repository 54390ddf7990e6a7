from __future__ import annotations

import numpy as np
import pytest
from got10k.utils.metrics import center_error, rect_iou

from fear.errors import DatasetError
from fear.evaluation.metrics import SUCCESS_THRESHOLDS, Floats, Scores, mean_scores, measure
from fear.geometry.boxes import iou


def random_boxes(count: int, seed: int) -> Floats:
    random = np.random.default_rng(seed)
    return np.column_stack((random.uniform(0, 300, (count, 2)), random.uniform(5, 200, (count, 2))))


def test_agrees_with_the_got10k_toolkit() -> None:
    """The toolkit counts pixels: a box from x to x + w − 1, rounded nowhere; overlaps are the same formula."""
    truth = random_boxes(2000, 0)
    tracked = truth + np.random.default_rng(1).normal(0, 20, truth.shape)
    tracked[:, 2:] = np.maximum(tracked[:, 2:], 1)
    overlaps = rect_iou(tracked, truth)
    assert iou(tracked, truth) == pytest.approx(overlaps, abs=1e-6)
    scores, curves = measure(tracked, truth, np.ones(2000))
    kept, errors = overlaps[1:], center_error(tracked, truth)[1:]
    assert scores.ao == pytest.approx(kept.mean(), abs=1e-6)
    assert scores.sr50 == pytest.approx((kept > 0.5).mean(), abs=1e-6)
    assert scores.sr75 == pytest.approx((kept > 0.75).mean(), abs=1e-6)
    assert curves.success == pytest.approx((kept[:, None] > SUCCESS_THRESHOLDS).mean(0), abs=1e-6)
    assert scores.auc == pytest.approx(curves.success.mean(), abs=1e-6)
    # the toolkit's centre is half a pixel off in both boxes, which leaves their distance alone
    assert scores.precision == pytest.approx((errors <= 20).mean(), abs=1e-3)


def test_by_hand() -> None:
    truth = np.array([(0, 0, 10, 10)] * 4, float)
    tracked = np.array([(90, 90, 1, 1), (0, 0, 10, 10), (5, 0, 10, 10), (30, 0, 10, 10)], float)
    scores, curves = measure(tracked, truth, np.array([9, 0.5, 0.5, 1.0]))
    # overlaps of the scored frames: 1, 1/3, 0; frame 0 is given
    assert scores.ao == pytest.approx((1 + 1 / 3) / 3)
    assert curves.success[0] == pytest.approx(2 / 3)  # strictly greater than 0
    assert curves.success[-1] == 0  # strictly greater than 1 is nothing
    assert scores.auc == pytest.approx((20 + 7) / 3 / 21)  # 1 beats 20 thresholds, 1/3 beats 0 to 0.3
    assert scores.sr50 == pytest.approx(1 / 3)
    assert scores.precision == pytest.approx(2 / 3)
    assert scores.norm_precision == pytest.approx((51 + 1) / 3 / 51)  # errors 0, 0.5 and 3 box widths
    assert scores.fps == pytest.approx(3 / 2)


def test_absent_frames_are_skipped() -> None:
    truth = np.array([(0, 0, 10, 10), (np.nan,) * 4, (0, 0, 10, 10), (0, 0, 0, 0)], float)
    tracked = np.array([(0, 0, 10, 10)] * 4, float)
    scores, _ = measure(tracked, truth, np.ones(4))
    assert scores.ao == scores.sr75 == 1
    assert scores.auc == pytest.approx(20 / 21)


def test_no_scored_frame_is_nan_and_does_not_spoil_the_mean() -> None:
    truth = np.array([(0, 0, 10, 10), (np.nan,) * 4], float)
    scores, _ = measure(truth, truth, np.ones(2))
    assert np.isnan([scores.auc, scores.ao, scores.sr50, scores.precision]).all()
    good = Scores(0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 10)
    assert mean_scores([scores, good]).auc == 0.5
    assert np.isnan(mean_scores([scores]).auc)


def test_wrong_number_of_boxes() -> None:
    with pytest.raises(DatasetError, match="each of 5 frames, got 4 and 5"):
        measure(random_boxes(4, 0), random_boxes(5, 0), np.ones(5))
