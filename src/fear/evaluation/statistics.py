"""How sure a difference between two trackers is, given the same clips.

Both statements are about pairs: the same clip, tracked by both. They need scipy, which the extra `bench` installs.
"""

from __future__ import annotations

import importlib.util
from typing import NamedTuple

import numpy as np

from fear.evaluation.metrics import Floats

_RESAMPLES = 9_999
_SEED = 0


class Comparison(NamedTuple):
    """One tracker minus another, over the clips that both were scored on."""

    clips: int
    difference: float
    """Mean difference."""
    low: float
    """Lower end of the 95 % interval of the mean difference, by bootstrap over clips; NaN with fewer than two clips."""
    high: float
    """Upper end of that interval."""
    wins: int
    """Clips on which the first tracker is better."""
    losses: int
    """Clips on which the second tracker is better."""
    p: float
    """Two-sided sign test: the probability of wins and losses at least as uneven as these, if each were as likely as the other."""


def compare(first: Floats, second: Floats) -> Comparison:
    """Compares two trackers.

    Args:
        first: (C,), a score of each clip; NaN where the clip could not be scored.
        second: (C,), the scores of the other tracker on the same clips.

    Raises:
        ModuleNotFoundError: scipy is not installed; ask `is_available` before.
    """
    from scipy import stats

    both = np.isfinite(first) & np.isfinite(second)
    differences = first[both] - second[both]
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    low, high = float("nan"), float("nan")
    if len(differences) > 1:
        interval = stats.bootstrap(
            (differences,), np.mean, n_resamples=_RESAMPLES, method="percentile", rng=np.random.default_rng(_SEED)
        ).confidence_interval
        low, high = float(interval.low), float(interval.high)
    return Comparison(
        clips=len(differences),
        difference=float(differences.mean()) if len(differences) else float("nan"),
        low=low,
        high=high,
        wins=wins,
        losses=losses,
        p=float(stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0,
    )


def is_available() -> bool:
    """Whether scipy is installed."""
    return importlib.util.find_spec("scipy") is not None
