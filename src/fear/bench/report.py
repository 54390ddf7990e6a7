"""`fear bench`: measurements → `bench.json`, `bench.csv`, `bench.md`."""

from __future__ import annotations

import csv
import json
import os
import platform
from pathlib import Path
from typing import Any

from fear.bench.energy import EnergyReport
from fear.bench.speed import (
    measure_end_to_end,
    measure_matrix_product,
    measure_stages,
    measure_start,
    measure_targets,
    measure_trackers,
)
from fear.config import TrackerConfig
from fear.evaluation.trackers import Spec
from fear.geometry.context import search_side
from fear.loading.load import describe, load
from fear.weights import read_card, resolve


def run_bench(model: str, others: list[Spec], runtime: str, threads: int | None, output: Path) -> str:
    """Measures and writes; returns the Markdown.

    Args:
        model: A name, checkpoint or exported folder.
        others: Trackers to time beside it.
        runtime: As for `fear.Tracker`.
        threads: Likewise; it holds for OpenCV's trackers too.
        output: Folder, made where missing.
    """
    weights = resolve(model)
    card = read_card(weights.folder or weights.checkpoint or Path(model))
    stages = measure_stages(model, runtime, threads)
    speeds = measure_trackers([Spec(model, runtime=runtime), *others], threads)
    targets = measure_targets(model, runtime, threads)
    whole = measure_end_to_end(model, runtime, threads)
    start = measure_start(model, runtime, threads)
    peak = measure_matrix_product(threads)
    network = next(timing for timing in stages if timing.stage == "network")
    side = search_side(TrackerConfig(), card.network, steady=True)
    macs = round(card.macs * (side / card.network.search_size) ** 2)  # every layer works on maps in proportion to the crop
    limit_ms = macs / peak * 1e3
    result: dict[str, Any] = {
        "machine": {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count(), "threads": threads},
        "model": {
            "name": card.network.name,
            "runtime": describe(load(model, runtime=runtime, threads=threads)),
            "parameters": card.parameters,
            "macs": macs,
            "search_size": side,
        },
        "stages": [timing._asdict() for timing in stages],
        "trackers": [speed._asdict() for speed in speeds],
        "targets": targets,
        "end_to_end": whole,
        "start": start,
        "limit": {"matrix_product_gmac_per_s": peak / 1e9, "match_at_best_ms": limit_ms, "match_over_best": network.p50 / limit_ms},
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / "bench.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    with (output / "bench.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("kind", "name", "p50_ms", "p95_ms", "p99_ms", "fps"))
        writer.writerows(("stage", timing.stage, timing.p50, timing.p95, timing.p99, "") for timing in stages)
        writer.writerows(("tracker", speed.tracker, speed.p50, speed.p95, speed.p99, speed.fps) for speed in speeds)
    text = _markdown(result)
    (output / "bench.md").write_text(text, encoding="utf-8")
    return text


def _markdown(result: dict[str, Any]) -> str:
    machine, model, start, limit = (result[part] for part in ("machine", "model", "start", "limit"))
    targets, whole = result["targets"], result["end_to_end"]
    lines = [
        f"# Speed of {model['name']}",
        "",
        f"{machine['processor']}, {machine['cores']} cores, threads: {machine['threads'] or 'as the runtime chooses'}, {model['runtime']}, "
        f"{model['parameters'] / 1e6:.2f} M parameters, {model['macs'] / 1e9:.2f} GMAC a search of {model['search_size']} pixels.",
        "",
        "| stage, 1280×720 | p50, ms | p95 | p99 |",
        "|---|---|---|---|",
        *(f"| {row['stage']} | {row['p50']:.2f} | {row['p95']:.2f} | {row['p99']:.2f} |" for row in result["stages"]),
        "",
        "| tracker, 640×480, `update` alone | fps | p50, ms | p95 | p99 |",
        "|---|---|---|---|---|",
        *(
            f"| {row['tracker']} | {row['fps']:.1f} | {row['p50']:.2f} | {row['p95']:.2f} | {row['p99']:.2f} |"
            for row in result["trackers"]
        ),
        "",
        f"A matrix product in float32 runs at {limit['matrix_product_gmac_per_s']:.0f} GMAC/s on these threads, so a search could take "
        f"{limit['match_at_best_ms']:.2f} ms at best; it takes {limit['match_over_best']:.2f} times that.",
        "",
        f"{targets['count']} targets cost {targets['all_ms']:.2f} ms a frame, one {targets['one_ms']:.2f}: {targets['ratio']:.1f} times.",
        "",
        f"From file to file, 1280×720: {whole['boxes_fps']:.0f} frames per second with boxes written, {whole['video_fps']:.0f} with an "
        f"annotated video too; `update` alone {whole['update_fps']:.0f}. That is {whole['boxes_share']:.2f} and {whole['video_share']:.2f} "
        "of it.",
        "",
        f"A fresh process: import {start['import_s']:.2f} s, model {start['load_s']:.2f} s, first tracked frame after "
        f"{start['first_frame_s']:.2f} s, peak memory {start['peak_memory_mb']:.0f} MB.",
        "",
    ]
    return "\n".join(lines)


def write_energy(report: EnergyReport, output: Path) -> str:
    """Writes `energy-<mode>.json` and `.md`; returns the Markdown."""
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


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
