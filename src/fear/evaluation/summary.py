"""The figures of an evaluation: what `summary.json` and `summary.csv` hold and the report shows."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fear.datasets.clip import Clip
from fear.evaluation.jobs import Job, Outcome
from fear.evaluation.longterm import LongRun, LongTermScores, score_long_term
from fear.evaluation.metrics import Curves, FlagScores, Scores, flag_shares, has_target, mean_scores, measure
from fear.evaluation.results import read_outcome
from fear.evaluation.starts import ClipRuns, Run, StartScores, run_overlaps, score_starts, usual_lengths
from fear.evaluation.statistics import Comparison, compare, is_available
from fear.weights.store import written_whole


@dataclass
class TrackerResults:
    """One tracker on the clips that it has finished.

    Attributes:
        key: What decides its boxes, as `trackers.identify` returns it.
        jobs: Finished runs, by the name of the clip.
        outcomes: What they gave.
        scores: Their measures.
        curves: Their curves.
        starts: Measures over many starts, and of each clip; None where they were not run.
    """

    key: Mapping[str, Any]
    jobs: dict[str, Job] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    scores: dict[str, Scores] = field(default_factory=dict)
    curves: dict[str, Curves] = field(default_factory=dict)
    starts: tuple[StartScores, dict[str, StartScores]] | None = None

    def add(self, job: Job) -> None:
        """Scores a finished run over a whole clip."""
        name, outcome = job.clip.name, read_outcome(job)
        self.jobs[name], self.outcomes[name] = job, outcome
        self.scores[name], self.curves[name] = measure(outcome.boxes_xywh, job.clip.boxes_xywh, outcome.seconds)

    def add_starts(self, jobs: Sequence[Job], sizes: Mapping[str, tuple[int, int]]) -> None:
        """Scores finished runs from many starts.

        Args:
            jobs: All of them.
            sizes: Height and width of each clip's frames.
        """
        runs: dict[str, list[Run]] = {}
        for job in jobs:
            outcome, truth = read_outcome(job), job.clip.boxes_xywh
            overlaps = run_overlaps(outcome.boxes_xywh, truth, sizes[job.clip.name])
            auc = measure(outcome.boxes_xywh, truth, outcome.seconds)[0].auc
            runs.setdefault(job.clip.name, []).append(Run(overlaps, has_target(truth), auc))
        clips = {name: ClipRuns(len(self.jobs[name].clip), row) for name, row in runs.items()}
        frames = usual_lengths([run for row in runs.values() for run in row])
        each = {name: score_starts([clip], frames) for name, clip in clips.items()}
        self.starts = score_starts(list(clips.values()), frames), each

    @property
    def mean(self) -> Scores:
        """Mean over clips."""
        return mean_scores(list(self.scores.values()))

    def mean_over(self, names: Sequence[str]) -> Scores:
        """Mean over some clips, as far as the tracker has finished them."""
        return mean_scores([self.scores[name] for name in names if name in self.scores])

    @property
    def mean_curves(self) -> Curves | None:
        """Mean over clips with a scored frame; None without one, as in test sets with hidden truth."""
        kept = [curves for curves in self.curves.values() if np.isfinite(curves.success).all()]
        return Curves(*(np.mean([curves[k] for curves in kept], axis=0) for k in range(2))) if kept else None

    @property
    def long_term(self) -> LongTermScores | None:
        """Long-term measures over all clips; None where no clip has a frame without the target."""
        names = [name for name, job in self.jobs.items() if has_truth(job.clip)]
        if not any(_has_absence(self.jobs[name].clip) for name in names):
            return None
        return score_long_term([self._long_run(name) for name in names])

    def long_term_of(self, name: str) -> LongTermScores | None:
        """Long-term measures of one clip; None where every frame shows the target."""
        clip = self.jobs[name].clip
        return score_long_term([self._long_run(name)]) if has_truth(clip) and _has_absence(clip) else None

    @property
    def flags(self) -> FlagScores:
        """How well the tracker knows that it has lost its target, over the frames of all clips."""
        names = [name for name, job in self.jobs.items() if has_truth(job.clip) and self._says_something(name)]
        parts = [(self.outcomes[name].boxes_xywh[1:], self.jobs[name].clip.boxes_xywh[1:], self.outcomes[name].lost[1:]) for name in names]
        if not parts:
            return FlagScores(float("nan"), float("nan"))
        boxes, truth, lost = (np.concatenate(column) for column in zip(*parts, strict=True))
        return flag_shares(boxes, truth, lost)

    def _says_something(self, name: str) -> bool:
        """Whether the tracker gave a score in a frame after the first, without which it cannot say that it is lost."""
        return bool(np.isfinite(self.outcomes[name].scores[1:]).any())

    def _long_run(self, name: str) -> LongRun:
        outcome = self.outcomes[name]
        # a tracker without a score reports its box in every frame
        return LongRun(outcome.boxes_xywh, self.jobs[name].clip.boxes_xywh, np.nan_to_num(outcome.scores, nan=1.0))


@dataclass
class Results:
    """All trackers of an evaluation.

    Attributes:
        clips: By name, in the order of the report.
        trackers: By the name in the report; the first is the one that the others are compared with.
    """

    clips: dict[str, Clip]
    trackers: dict[str, TrackerResults] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, list[str]]:
        """Names of the clips that have each attribute."""
        found: dict[str, list[str]] = {}
        for clip in self.clips.values():
            for word in clip.attributes:
                found.setdefault(word, []).append(clip.name)
        return dict(sorted(found.items()))

    def compare_with_first(self, tracker: str) -> Comparison | None:
        """The first tracker's AUC minus that of another, clip by clip; None where scipy is missing."""
        if not is_available():
            return None
        first, other = next(iter(self.trackers.values())), self.trackers[tracker]
        names = [name for name in first.scores if name in other.scores]
        pairs = np.array([(first.scores[name].auc, other.scores[name].auc) for name in names]).reshape(-1, 2)
        return compare(pairs[:, 0], pairs[:, 1])


def summarise(results: Results) -> dict[str, Any]:
    """What `summary.json` holds."""
    return {"trackers": {name: _summarise_tracker(tracker, results) for name, tracker in results.trackers.items()}}


def write_csv(results: Results, path: Path) -> None:
    """Writes one line for each tracker: its means, and the comparison of the first tracker with it."""
    columns = [*Scores._fields, *FlagScores._fields, *LongTermScores._fields]
    columns += [f"starts_{name}" for name in StartScores._fields]
    columns += [f"first_minus_this_{name}" for name in Comparison._fields]
    first = next(iter(results.trackers))
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["tracker", "clips", *columns], lineterminator="\n")
        writer.writeheader()
        for name, tracker in results.trackers.items():
            row = {**_plain(tracker.mean), **_absence(tracker)}
            row |= {f"starts_{key}": value for key, value in _plain(tracker.starts and tracker.starts[0]).items()}
            comparison = results.compare_with_first(name) if name != first else None
            row |= {f"first_minus_this_{key}": value for key, value in _plain(comparison).items()}
            writer.writerow({"tracker": name, "clips": len(tracker.jobs), **row})


def _summarise_tracker(tracker: TrackerResults, results: Results) -> dict[str, Any]:
    sequences = {
        name: {**_plain(scores), **_plain(tracker.long_term_of(name)), "frames": len(tracker.jobs[name].clip)}
        for name, scores in tracker.scores.items()
    }
    summary = {
        "mean": {**_plain(tracker.mean), **_absence(tracker)},
        "sequences": sequences,
        "attributes": {word: _plain(tracker.mean_over(names)) for word, names in results.attributes.items()},
        "key": dict(tracker.key),
    }
    if tracker.starts is not None:
        whole, each = tracker.starts
        summary["starts"] = {"mean": _plain(whole), "sequences": {name: _plain(scores) for name, scores in each.items()}}
    return summary


def _absence(tracker: TrackerResults) -> dict[str, float | None]:
    """Measures of clips in which the target is absent at times; none where there are no such clips."""
    long_term = tracker.long_term
    return {} if long_term is None else {**_plain(long_term), **_plain(tracker.flags)}


def _plain(scores: Any) -> dict[str, float | None]:
    """Measures as values for JSON, which knows no NaN."""
    return {} if scores is None else {name: None if math.isnan(value) else round(value, 6) for name, value in scores._asdict().items()}


def has_truth(clip: Clip) -> bool:
    """Whether frames after the first are labelled, which those of test sets are not."""
    return bool(clip.visible[1:].any())


def _has_absence(clip: Clip) -> bool:
    return bool(not clip.visible.all())
