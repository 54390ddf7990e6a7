"""Results → `summary.json`, `report.md`, plots."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fear.evaluation.metrics import Curves, Scores, mean_scores, measure
from fear.evaluation.runner import Job, read_result
from fear.evaluation.strip import draw_worst

_WORST = 4  # sequences in the strip


@dataclass
class Results:
    """Scores and curves of trackers on sequences, in the order in which they were added."""

    folder: Path
    scores: dict[str, dict[str, Scores]] = field(default_factory=dict)
    curves: dict[str, list[Curves]] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    attributes: dict[str, list[str]] = field(default_factory=dict)
    """Names of the sequences that have each."""
    jobs: dict[str, list[Job]] = field(default_factory=dict)

    def add(self, job: Job) -> None:
        """Scores a job that is done."""
        boxes, seconds = read_result(job)
        scores, curves = measure(boxes, job.sequence.boxes_xywh, seconds)
        self.scores.setdefault(job.spec.name, {})[job.sequence.name] = scores
        self.curves.setdefault(job.spec.name, []).append(curves)
        self.jobs.setdefault(job.spec.name, []).append(job)
        if job.sequence.name not in self.frames:
            for word in job.sequence.attributes:
                self.attributes.setdefault(word, []).append(job.sequence.name)
        self.frames[job.sequence.name] = len(job.sequence)

    def mean(self, tracker: str) -> Scores:
        """Mean of a tracker's scores over sequences."""
        return mean_scores(list(self.scores[tracker].values()))

    def mean_with(self, tracker: str, attribute: str) -> Scores:
        """The same over the sequences with an attribute."""
        return mean_scores([self.scores[tracker][name] for name in self.attributes[attribute]])

    def mean_curves(self, tracker: str) -> Curves | None:
        """Mean of a tracker's curves over sequences with a scored frame; None without one, as in test sets whose truth is hidden."""
        kept = [curves for curves in self.curves[tracker] if np.isfinite(curves.success).all()]
        if not kept:
            return None
        return Curves(*(np.mean([curves[k] for curves in kept], axis=0) for k in range(2)))


def write_report(results: Results, output: Path) -> str:
    """Writes all files of a report; returns its main table."""
    summary = {
        "trackers": {
            tracker: {
                "mean": _plain(results.mean(tracker)),
                "sequences": {name: {**_plain(scores), "frames": results.frames[name]} for name, scores in rows.items()},
                "attributes": {word: _plain(results.mean_with(tracker, word)) for word in sorted(results.attributes)},
            }
            for tracker, rows in results.scores.items()
        }
    }
    (output / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    table = _markdown(["tracker", *Scores._fields], [[tracker, *map(_cell, results.mean(tracker))] for tracker in results.scores])
    per_sequence = _markdown(
        ["sequence", "frames", *results.scores],
        [[name, str(count), *(_cell(rows[name].auc) for rows in results.scores.values())] for name, count in results.frames.items()],
    )
    per_attribute = ""
    if results.attributes:
        rows = [
            [word, str(len(names)), *(_cell(results.mean_with(tracker, word).auc) for tracker in results.scores)]
            for word, names in sorted(results.attributes.items())
        ]
        per_attribute = f"## AUC by attribute\n\n{_markdown(['attribute', 'sequences', *results.scores], rows)}\n\n"
    worst = _worst(results)
    if worst:
        draw_worst(worst, output / "worst.jpg")
    strip = "![worst sequences](worst.jpg)"
    plots = ""
    curves = {tracker: mean for tracker in results.scores if (mean := results.mean_curves(tracker)) is not None}
    if curves and importlib.util.find_spec("matplotlib") is not None:
        from fear.evaluation.plots import plot_curves

        plot_curves(curves, output)
        plots = "\n![success](success.png) ![precision](precision.png)\n"
    (output / "report.md").write_text(
        f"# Evaluation\n\n{len(results.frames)} sequences, {sum(results.frames.values())} frames. {_machine()} "
        f"fps: frames after the first per second of `update`, one thread, image decoding off the clock.\n\n{table}\n{plots}\n"
        f"{per_attribute}## AUC by sequence\n\n{per_sequence}\n"
        + (f"\n## Where {next(iter(results.scores))} is worst\n\nGreen: the truth; red: the tracker.\n\n{strip}\n" if worst else ""),
        encoding="utf-8",
    )
    return table


def _worst(results: Results) -> list[Job]:
    """The first tracker's sequences of lowest AUC, worst first."""
    tracker, jobs = next(iter(results.jobs.items()))
    scored = [job for job in jobs if math.isfinite(results.scores[tracker][job.sequence.name].auc)]
    return sorted(scored, key=lambda job: results.scores[tracker][job.sequence.name].auc)[:_WORST]


def _plain(scores: Scores) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else round(value, 6) for name, value in scores._asdict().items()}


def _cell(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1f}" if value > 1 else f"{value:.3f}"


def _markdown(header: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([line(header), line(["-" * width for width in widths]), *map(line, rows)])


def _machine() -> str:
    import onnxruntime

    versions: list[Any] = [f"Python {platform.python_version()}", f"ONNX Runtime {onnxruntime.__version__}"]
    if importlib.util.find_spec("openvino") is not None:
        import openvino

        versions.append(f"OpenVINO {openvino.__version__.split('-')[0]}")
    return f"{platform.machine()}, {os.cpu_count()} cores, {', '.join(versions)}."
