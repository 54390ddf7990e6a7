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


@dataclass
class Results:
    """Scores and curves of trackers on sequences, in the order in which they were added."""

    folder: Path
    scores: dict[str, dict[str, Scores]] = field(default_factory=dict)
    curves: dict[str, list[Curves]] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)

    def add(self, job: Job) -> None:
        """Scores a job that is done."""
        boxes, seconds = read_result(job)
        scores, curves = measure(boxes, job.sequence.boxes_xywh, seconds)
        self.scores.setdefault(job.spec.name, {})[job.sequence.name] = scores
        self.curves.setdefault(job.spec.name, []).append(curves)
        self.frames[job.sequence.name] = len(job.sequence)

    def mean(self, tracker: str) -> Scores:
        """Mean of a tracker's scores over sequences."""
        return mean_scores(list(self.scores[tracker].values()))

    def mean_curves(self, tracker: str) -> Curves:
        """Mean of a tracker's curves over sequences with a scored frame."""
        kept = [curves for curves in self.curves[tracker] if np.isfinite(curves.success).all()]
        return Curves(*(np.mean([curves[k] for curves in kept], axis=0) for k in range(2)))


def write_report(results: Results, output: Path) -> str:
    """Writes all files of a report; returns its main table."""
    summary = {
        "trackers": {
            tracker: {
                "mean": _plain(results.mean(tracker)),
                "sequences": {name: {**_plain(scores), "frames": results.frames[name]} for name, scores in rows.items()},
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
    plots = ""
    if importlib.util.find_spec("matplotlib") is not None:
        from fear.evaluation.plots import plot_curves

        plot_curves({tracker: results.mean_curves(tracker) for tracker in results.scores}, output)
        plots = "\n![success](success.png) ![precision](precision.png)\n"
    (output / "report.md").write_text(
        f"# Evaluation\n\n{len(results.frames)} sequences, {sum(results.frames.values())} frames. {_machine()} "
        f"fps: frames after the first per second of `update`, one thread, image decoding off the clock.\n\n{table}\n{plots}\n"
        f"## AUC by sequence\n\n{per_sequence}\n",
        encoding="utf-8",
    )
    return table


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
