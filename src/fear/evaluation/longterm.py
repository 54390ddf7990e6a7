"""Long-term measures: tracking precision, recall and F of VOT-LT (Lukežič et al., "Now you see me", arXiv 1804.07056).

A long-term tracker may say that the target is absent: its box counts only where its score reaches a threshold. Precision is the mean
overlap where the tracker reports a box, recall is the mean overlap where the target is present, and F is their harmonic mean. The threshold
is the one with the largest F, as in the VOT toolkit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fear.evaluation.metrics import Floats, has_target
from fear.evaluation.starts import run_overlaps

_THRESHOLDS = 100


class LongTermScores(NamedTuple):
    """Measures at the threshold with the largest F, each from 0 to 1."""

    lt_precision: float
    lt_recall: float
    lt_f: float


class LongRun(NamedTuple):
    """One tracked clip."""

    tracked_xywh: Floats
    """(F, 4)"""
    truth_xywh: Floats
    """(F, 4), NaN where the target is absent."""
    scores: Floats
    """(F,), the tracker's confidence that the target is there."""


def score_long_term(runs: Sequence[LongRun]) -> LongTermScores:
    """Scores the clips of a data set, each of which counts the same."""
    scores = [_without_the_first(run.scores) for run in runs]
    thresholds = _thresholds(np.concatenate(scores))
    curves = [_precision_and_recall(run, row, thresholds) for run, row in zip(runs, scores, strict=True)]
    precision, recall = np.mean(curves, axis=0)  # (T,) each
    total = precision + recall
    f = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    best = int(f.argmax())
    return LongTermScores(float(precision[best]), float(recall[best]), float(f[best]))


def _without_the_first(scores: Floats) -> Floats:
    """The first frame is given: the toolkit counts it as reported with a score of 0."""
    return np.concatenate(([0.0], scores[1:]))


def _thresholds(scores: Floats) -> Floats:
    """Thresholds that divide the scores into equal parts, from infinity to minus infinity."""
    ordered = np.sort(scores[np.isfinite(scores)])[::-1]
    if len(ordered) > _THRESHOLDS - 2:
        step = len(ordered) // (_THRESHOLDS - 2)
        ordered = ordered[np.round(np.linspace(step, len(ordered) - step, num=_THRESHOLDS - 2)).astype(int)]
    return np.concatenate(([np.inf], ordered, [-np.inf]))


def _precision_and_recall(run: LongRun, scores: Floats, thresholds: Floats) -> Floats:
    """(2, T)"""
    overlaps = run_overlaps(run.tracked_xywh, run.truth_xywh)
    shown = int(has_target(run.truth_xywh).sum())
    reported = scores[None] >= thresholds[:, None]  # (T, F)
    counts, sums = reported.sum(axis=1), reported @ overlaps
    precision = np.divide(sums, counts, out=np.ones(len(thresholds)), where=counts > 0)
    return np.stack((precision, sums / max(shown, 1)))
