"""The report of an evaluation: `summary.json`, `summary.csv`, `report.md` and its pictures."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fear.evaluation.jobs import Job
from fear.evaluation.metrics import FlagScores, Scores
from fear.evaluation.strip import draw_worst
from fear.evaluation.summary import Results, TrackerResults, summarise, write_csv
from fear.evaluation.tables import ABSENT, markdown_table, number
from fear.runtime.processor import processor
from fear.weights.store import write_text_whole

_WORST = 4  # clips in the picture of the worst ones
_NOTHING = hashlib.sha256().hexdigest()  # of trackers without networks
_INSTALL = "pip install 'fear-tracker[bench]'"


def write_report(results: Results, output: Path) -> str:
    """Writes all files of a report.

    Returns:
        The main table, in Markdown.
    """
    write_text_whole(output / "summary.json", json.dumps(summarise(results), indent=1) + "\n")
    write_csv(results, output / "summary.csv")
    table = main_table(results)
    sections = [
        f"# Evaluation\n\n{_coverage(results)} Processor: {processor()}, {os.cpu_count()} cores. `fps` is the number of frames after the "
        "first per second of `update` on one thread; decoding the frames is off the clock.",
        table,
        _plots(results, output),
        _comparisons(results),
        _long_term(results),
        _starts(results),
        _attributes(results),
        f"## AUC by clip\n\n{clip_table(results)}",
        _worst(results, output),
        _keys(results),
    ]
    write_text_whole(output / "report.md", "\n\n".join(section for section in sections if section) + "\n")
    return table


def main_table(results: Results) -> str:
    """The mean scores of every tracker."""
    several = len({len(tracker.jobs) for tracker in results.trackers.values()}) > 1
    rows = [
        [name, *([str(len(tracker.jobs))] if several else []), *map(number, tracker.mean[:-1]), number(tracker.mean.fps, 1)]
        for name, tracker in results.trackers.items()
    ]
    return markdown_table(["tracker", *(["clips"] if several else []), *Scores._fields], rows)


def clip_table(results: Results) -> str:
    """The AUC of every tracker on every clip."""
    rows = [
        [name, str(len(clip)), *(number(tracker.scores[name].auc) if name in tracker.scores else ABSENT for tracker in _trackers(results))]
        for name, clip in results.clips.items()
    ]
    return markdown_table(["clip", "frames", *results.trackers], rows)


def _trackers(results: Results) -> list[TrackerResults]:
    return list(results.trackers.values())


def _coverage(results: Results) -> str:
    frames = sum(map(len, results.clips.values()))
    text = f"{len(results.clips)} clips, {frames} frames."
    partly = [f"{name} on {len(tracker.jobs)}" for name, tracker in results.trackers.items() if len(tracker.jobs) < len(results.clips)]
    return (
        f"{text} Not every tracker was run on all of them: {', '.join(partly)}; means of different clips cannot be compared."
        if partly
        else text
    )


def _plots(results: Results, output: Path) -> str:
    curves = {name: mean for name, tracker in results.trackers.items() if (mean := tracker.mean_curves) is not None}
    if not curves:
        return ""
    if importlib.util.find_spec("matplotlib") is None:
        return f"The plots `success.png` and `precision.png` need matplotlib: {_INSTALL}"
    from fear.evaluation.plots import plot_curves

    plot_curves(curves, output)
    return "![success](success.png) ![precision](precision.png)"


def _comparisons(results: Results) -> str:
    first, *others = results.trackers
    if not others:
        return ""
    rows = []
    for name in others:
        found = results.compare_with_first(name)
        if found is None:
            return f"## {first} against the others\n\nIntervals and the sign test need scipy: {_INSTALL}"
        interval = f"{found.low:+.3f} to {found.high:+.3f}" if math.isfinite(found.low) else ABSENT
        difference = f"{found.difference:+.3f}" if math.isfinite(found.difference) else ABSENT
        rows.append([name, str(found.clips), difference, interval, f"{found.wins} : {found.losses}", f"{found.p:.3g}"])
    table = markdown_table(["against", "clips", "AUC difference", "95 % interval", "better : worse", "p of the sign test"], rows)
    return (
        f"## {first} against the others\n\nDifferences of AUC on the same clips. The interval is a bootstrap over clips. Where it contains "
        "0, other clips might have given the opposite result. p is small where one tracker is better on many more clips than the other."
        f"\n\n{table}"
    )


def _long_term(results: Results) -> str:
    rows = []
    for name, tracker in results.trackers.items():
        scores = tracker.long_term
        if scores is not None:
            rows.append([name, *map(number, scores), *map(number, tracker.flags)])
    if not rows:
        return ""
    table = markdown_table(["tracker", "precision", "recall", "F", *(field.replace("_", " ") for field in FlagScores._fields)], rows)
    return (
        "## Absence of the target\n\nLong-term tracking precision, recall and F of VOT-LT, at the best threshold of each tracker's score. "
        "Flagged absent: share of the frames without the target in which the tracker says that it is lost. Flagged found: share of "
        f"the frames with an overlap above 0.5 in which it says so, too.\n\n{table}"
    )


def _starts(results: Results) -> str:
    rows = []
    for name, tracker in results.trackers.items():
        if tracker.starts is not None:
            scores, _ = tracker.starts
            rows.append([name, *map(number, scores[:-1]), str(scores.runs)])
    if not rows:
        return ""
    table = markdown_table(["tracker", "EAO", "accuracy", "robustness", "AUC", "runs that end lost", "runs"], rows)
    return (
        "## From many starts\n\nThe protocol of VOT-ST2020 to VOT-ST2022: forwards from starts in the first half of a clip, backwards from "
        f"those in the second half. The expected average overlap (EAO) covers the middle half of the runs' lengths.\n\n{table}"
    )


def _attributes(results: Results) -> str:
    rows = [
        [word, str(len(names)), *(number(tracker.mean_over(names).auc) for tracker in _trackers(results))]
        for word, names in results.attributes.items()
    ]
    return f"## AUC by attribute\n\n{markdown_table(['attribute', 'clips', *results.trackers], rows)}" if rows else ""


def _worst(results: Results, output: Path) -> str:
    name, tracker = next(iter(results.trackers.items()))
    scored = [(tracker.scores[clip].auc, job) for clip, job in tracker.jobs.items() if math.isfinite(tracker.scores[clip].auc)]
    worst: list[Job] = [job for _, job in sorted(scored, key=lambda pair: pair[0])[:_WORST]]
    if not worst:
        return ""
    draw_worst([(job.clip, tracker.outcomes[job.clip.name].boxes_xywh) for job in worst], output / "worst.jpg")
    return f"## Where {name} is worst\n\nGreen: the truth; red: the tracker.\n\n![worst clips](worst.jpg)"


def _keys(results: Results) -> str:
    rows = []
    for name, tracker in results.trackers.items():
        key = tracker.key
        rules = ", ".join(f"{rule} {value}" for rule, value in key.get("rules", {}).items())
        digest = key.get("weights") or key.get("source")
        shown = ABSENT if digest in (None, _NOTHING) else str(digest)[:12]
        rows.append([name, shown, _computed_by(key), rules or "its own"])
    return f"## What was run\n\n{markdown_table(['tracker', 'SHA-256 of weights or source', 'runtime', 'rules'], rows)}"


def _computed_by(key: Mapping[str, Any]) -> str:
    if "results" in key:
        return f"results {key['results']}"
    return f"OpenCV {key['opencv']}" if "opencv" in key else str(key.get("runtime", ABSENT))
