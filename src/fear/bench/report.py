"""`fear bench`: from measurements to `bench.json`, `bench.csv` and `bench.md`."""

from __future__ import annotations

import csv
import json
import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fear.annotations.recording import network_threads
from fear.bench.energy import EnergyReport, Mode, run_energy
from fear.bench.machine import measure_matrix_product, measure_start
from fear.bench.speed import frames_of, measure_end_to_end, measure_stages, measure_targets, measure_trackers, scene
from fear.config import TrackerConfig
from fear.evaluation.tables import markdown_table
from fear.evaluation.trackers import Spec
from fear.geometry.context import search_side
from fear.loading.load import computed_by, describe, load
from fear.loading.reference import find_model
from fear.runtime.processor import processor
from fear.runtime.protocol import Network
from fear.tracking.loop import follow
from fear.tracking.tracker import MultiTracker
from fear.weights import WeightsCard


def run_bench(
    model: str,
    others: Sequence[Spec],
    runtime: str,
    threads: int | None,
    output: Path,
    on_part: Callable[[str], None] = lambda part: None,
) -> str:
    """Measures the speed of a model and of other trackers, and writes the files.

    Args:
        model: As for `fear.Tracker`.
        others: Trackers to time beside it.
        runtime: As for `fear.Tracker`.
        threads: Of every tracker; None leaves the number to its library.
        output: Folder, which is made where it is missing.
        on_part: Called with the name of each part before it is measured.

    Returns:
        The report in Markdown.
    """
    result = _measure(model, others, runtime, threads, on_part)
    text = _markdown(result)
    output.mkdir(parents=True, exist_ok=True)
    (output / "bench.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (output / "bench.md").write_text(text, encoding="utf-8")
    with (output / "bench.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("kind", "name", "p50_ms", "p95_ms", "p99_ms", "fps"))
        writer.writerows(("stage", row["stage"], row["p50"], row["p95"], row["p99"], "") for row in result["stages"])
        writer.writerows(("tracker", row["tracker"], row["p50"], row["p95"], row["p99"], row["fps"]) for row in result["trackers"])
    return text


def run_energy_bench(network: Network, mode: Mode, seconds: float, output: Path, on_call: Callable[[], None] = lambda: None) -> str:
    """Measures speed and energy over time on rendered frames, and writes `energy-<mode>.csv`, `.json` and `.md`.

    Args:
        network: Loaded onto the runtime that is measured.
        mode: `online` or `offline`.
        seconds: Length of the run.
        output: Folder, which is made where it is missing.
        on_call: Called after each frame.

    Returns:
        The report in Markdown.
    """
    output.mkdir(parents=True, exist_ok=True)
    images, box = scene(480, 640)
    steps = follow(MultiTracker(network), frames_of(images, None), [box])
    next(steps)  # the first frame starts the tracker
    return write_energy(run_energy(lambda: next(steps), mode, seconds, output / f"energy-{mode}.csv", on_call=on_call), output)


def write_energy(report: EnergyReport, output: Path) -> str:
    """Writes `energy-<mode>.json` and `.md`, and returns the Markdown."""
    (output / f"energy-{report.mode}.json").write_text(json.dumps(report._asdict(), indent=1) + "\n", encoding="utf-8")
    if report.joules_per_frame is None:
        energy = "This machine has no energy counter that can be read, so there is no figure for energy."
    else:
        energy = f"{report.joules_per_frame:.3f} J a frame above {report.idle_w:.1f} W of the idle processor."
    throttling = "the machine throttled" if report.throttled else "no throttling"
    text = (
        f"# FEAR benchmark, {report.mode}\n\n"
        f"{report.calls} frames in {report.seconds:.1f} s: {report.fps:.1f} fps; "
        f"update p50 {report.p50_ms:.2f} ms, p95 {report.p95_ms:.2f} ms, p99 {report.p99_ms:.2f} ms; "
        f"CPU {report.cpu_percent:.0f} % of a core, memory {report.peak_memory_mb:.0f} MB. "
        f"The last fifth took {report.slowdown:.2f} times as long as the first: {throttling}. {energy}\n"
    )
    (output / f"energy-{report.mode}.md").write_text(text, encoding="utf-8")
    return text


def _measure(model: str, others: Sequence[Spec], runtime: str, threads: int | None, on_part: Callable[[str], None]) -> dict[str, Any]:
    on_part(f"loading {model}")
    card = find_model(model).card
    network = load(model, runtime=runtime, threads=threads)
    for_files = network if threads is not None else load(model, runtime=runtime, threads=network_threads())
    on_part("the stages of a run, 1 of 6")
    stages = measure_stages(network)
    on_part("the limit of the processor, 2 of 6")
    peak = measure_matrix_product(threads)
    on_part("trackers side by side, 3 of 6")
    trackers = measure_trackers([Spec(model, runtime=runtime), *others], threads)
    on_part("several targets, 4 of 6")
    targets = measure_targets(network)
    on_part("from file to file, 5 of 6")
    end_to_end = measure_end_to_end(for_files)
    on_part("the start of a process, 6 of 6")
    return {
        "machine": {"system": platform.platform(), "processor": processor(), "cores": os.cpu_count(), "threads": threads},
        "model": _describe(card, describe(network)),
        "stages": [timing._asdict() for timing in stages],
        "trackers": [speed._asdict() for speed in trackers],
        "targets": targets,
        "end_to_end": end_to_end,
        "start": measure_start(model, runtime, threads),
        "limit": _limit(next(timing.p50 for timing in stages if timing.stage == "network"), _macs(card), peak),
    }


def _describe(card: WeightsCard, runtime: str) -> dict[str, Any]:
    return {
        "name": card.network.name,
        "runtime": runtime,
        "parameters": card.parameters,
        "macs": _macs(card),
        "search_size": search_side(TrackerConfig(), card.network, steady=True),
    }


def _macs(card: WeightsCard) -> float:
    """Multiply-accumulates of a search while the target is steady; the work of a network is proportional to the area of the crop."""
    return card.macs * (search_side(TrackerConfig(), card.network, steady=True) / card.network.search_size) ** 2


def _limit(search_ms: float, macs: float, peak: float) -> dict[str, float]:
    """How far a search is from the fastest that a matrix product suggests."""
    best_ms = macs / peak * 1e3
    return {"matrix_product_gmac_per_s": peak / 1e9, "match_at_best_ms": best_ms, "match_over_best": search_ms / best_ms}


def _markdown(result: dict[str, Any]) -> str:
    machine, model, start, limit = (result[part] for part in ("machine", "model", "start", "limit"))
    targets, whole = result["targets"], result["end_to_end"]
    stages = [[row["stage"], *(f"{row[p]:.2f}" for p in ("p50", "p95", "p99"))] for row in result["stages"]]
    trackers = [[row["tracker"], f"{row['fps']:.1f}", *(f"{row[p]:.2f}" for p in ("p50", "p95", "p99"))] for row in result["trackers"]]
    paragraphs = [
        f"# Speed of {model['name']}",
        f"{machine['processor']}, {machine['cores']} cores, threads: {machine['threads'] or 'as the runtime chooses'}, "
        f"computed by {computed_by(model['runtime'])}, "
        f"{model['parameters'] / 1e6:.2f} M parameters, {model['macs'] / 1e9:.2f} GMAC a search of {model['search_size']} pixels.",
        markdown_table(["stage, 1280×720", "p50, ms", "p95", "p99"], stages),
        markdown_table(["tracker, 640×480, `update` alone", "fps", "p50, ms", "p95", "p99"], trackers),
        f"A matrix product in float32 runs at {limit['matrix_product_gmac_per_s']:.0f} GMAC/s on these threads, so a search could take "
        f"{limit['match_at_best_ms']:.2f} ms at best; it takes {limit['match_over_best']:.2f} times that.",
        f"{targets['count']} steady targets cost {targets['all_ms']:.2f} ms a frame, one {targets['one_ms']:.2f}: "
        f"{targets['ratio']:.1f} times. While no target is steady: {targets['unsteady_all_ms']:.2f} and {targets['unsteady_one_ms']:.2f}, "
        f"{targets['unsteady_ratio']:.1f} times.",
        f"From file to file, 1280×720: {whole['boxes_fps']:.0f} frames per second with boxes written, {whole['video_fps']:.0f} with an "
        f"annotated video too; `update` alone {whole['update_fps']:.0f}. That is {whole['boxes_share']:.2f} and {whole['video_share']:.2f} "
        "of it.",
        f"A fresh process: import {start['import_s']:.2f} s, model {start['load_s']:.2f} s, first tracked frame after "
        f"{start['first_frame_s']:.2f} s, peak memory {start['peak_memory_mb']:.0f} MB.",
    ]
    return "\n\n".join(paragraphs) + "\n"
