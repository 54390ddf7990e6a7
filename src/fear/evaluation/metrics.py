"""The usual measures of one tracked clip.

Frame 0 is given and not scored; frames without the target are skipped. Success is that of OTB (Wu et al., CVPR 2013): 21 thresholds, and
an overlap that is strictly greater. AO and SR are those of GOT-10k. Normalised precision is that of TrackingNet (Müller et al., ECCV 2018):
51 thresholds from 0 to 0.5.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fear.errors import DatasetError
from fear.geometry.boxes import iou

Floats = NDArray[np.float64]

SUCCESS_THRESHOLDS: Floats = np.linspace(0, 1, 21)
PRECISION_THRESHOLDS: Floats = np.arange(0, 51, dtype=np.float64)
NORMALISED_THRESHOLDS: Floats = np.linspace(0, 0.5, 51)
PRECISION_AT = 20
"""Distance of the centres in pixels at which precision is reported."""


class Scores(NamedTuple):
    """Measures of one clip, from 0 to 1 except `fps`; NaN where no frame could be scored."""

    auc: float
    precision: float
    norm_precision: float
    ao: float
    sr50: float
    sr75: float
    fps: float


class FlagScores(NamedTuple):
    """How well a tracker knows that it has lost its target; NaN where there is no such frame."""

    flagged_absent: float
    """Share of the frames without the target in which the tracker says that it is lost."""
    flagged_found: float
    """Share of the frames with an overlap above 0.5 in which it says so, too."""


class Curves(NamedTuple):
    """Shares of frames over thresholds."""

    success: Floats
    """(21,)"""
    precision: Floats
    """(51,)"""


def has_target(truth_xywh: Floats) -> NDArray[np.bool_]:
    """(F,), whether the target has a box with an area."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.isfinite(truth_xywh).all(axis=1) & (truth_xywh[:, 2:] > 0).all(axis=1))


def scored_frames(truth_xywh: Floats) -> NDArray[np.bool_]:
    """(F,), whether a frame is scored: every frame but the first in which the target has a box with an area."""
    scored = has_target(truth_xywh)
    scored[:1] = False
    return scored


def measure(tracked_xywh: Floats, truth_xywh: Floats, seconds: Floats) -> tuple[Scores, Curves]:
    """Scores one clip.

    Args:
        tracked_xywh: (F, 4), NaN where the tracker gives no box, which overlaps with nothing.
        truth_xywh: (F, 4), NaN where the target is absent.
        seconds: (F,), time of each `update`; frame 0 does not count.

    Raises:
        DatasetError: The numbers of frames differ.
    """
    if tracked_xywh.shape != truth_xywh.shape or len(seconds) != len(truth_xywh):
        raise DatasetError(
            f"expected one box and one time for each of {len(truth_xywh)} frames, got {len(tracked_xywh)} and {len(seconds)}"
        )
    frames = scored_frames(truth_xywh)
    tracked, truth = tracked_xywh[frames], truth_xywh[frames]
    overlaps = np.nan_to_num(iou(tracked, truth))  # (F',)
    offsets = tracked[:, :2] + tracked[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2  # (F', 2)
    errors, relative = np.hypot(*offsets.T), np.hypot(*(offsets / truth[:, 2:]).T)
    success = _shares(overlaps[:, None] > SUCCESS_THRESHOLDS)
    precision = _shares(errors[:, None] <= PRECISION_THRESHOLDS)
    normalised = _shares(relative[:, None] <= NORMALISED_THRESHOLDS)
    time = float(np.sum(seconds[1:]))
    scores = Scores(
        auc=float(success.mean()),
        precision=float(precision[PRECISION_AT]),
        norm_precision=float(normalised.mean()),
        ao=float(overlaps.mean()) if frames.any() else float("nan"),
        sr50=float(_shares(overlaps > 0.5)),
        sr75=float(_shares(overlaps > 0.75)),
        fps=(len(seconds) - 1) / time if time > 0 else float("nan"),
    )
    return scores, Curves(success, precision)


def _shares(hits: NDArray[np.bool_]) -> Floats:
    """Means over frames, which are the first axis; NaN without frames."""
    return hits.mean(axis=0) if len(hits) else np.full(hits.shape[1:], np.nan)


def mean_scores(scores: list[Scores]) -> Scores:
    """Mean over the clips that could be scored."""
    table = np.array(scores, np.float64).reshape(-1, len(Scores._fields))
    counted = np.isfinite(table)
    totals = np.where(counted, table, 0).sum(axis=0)
    return Scores(*np.divide(totals, counted.sum(axis=0), out=np.full(len(totals), np.nan), where=counted.any(axis=0)).tolist())


def flag_shares(tracked_xywh: Floats, truth_xywh: Floats, lost: NDArray[np.bool_]) -> FlagScores:
    """Compares what a tracker says about being lost with the truth.

    Args:
        tracked_xywh: (F, 4), of one clip or of several, one behind the other, each without its first frame.
        truth_xywh: (F, 4), NaN where the target is absent.
        lost: (F,), what the tracker says.
    """
    present = has_target(truth_xywh)
    found = np.zeros(len(present), bool)
    found[present] = iou(tracked_xywh[present], truth_xywh[present]) > 0.5
    absent = ~np.isfinite(truth_xywh).all(axis=1)
    return FlagScores(*(float(lost[frames].mean()) if frames.any() else float("nan") for frames in (absent, found)))
