"""Where the time of `match` goes: every operation of ONNX Runtime against what a matrix product could do in its place.

    python -m research.measure.profile

For each packaged network, with one thread and with two, in the size that steady targets have. Writes `docs/results/profile.md`.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import timeit
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fear.bench.machine import measure_matrix_product
from fear.config import TrackerConfig
from fear.geometry.context import search_side
from fear.loading.reference import find_model
from fear.telemetry import telemetry_off
from research.measure.provenance import provenance

with telemetry_off():
    import onnxruntime

HERE = Path(__file__).parent
MODELS = ("fear-xs", "fear-nano")
THREADS = (1, 2)
WARM_UP, TIMED = 20, 100
PAGE = """# Profile of `match`

Where does one call of `match` spend its time? ONNX Runtime {version}, node by node, medians of 100 calls, float32. "The limit" is what a
product of two 1024 × 1024 matrices in float32 reaches on as many threads: no convolution can be faster than that.

{provenance}"""
KINDS = ("first convolution", "1×1 convolutions", "depthwise convolutions", "correlation", "crop to floats", "layouts, shapes, outputs")


class Operation(NamedTuple):
    """One node of the optimised graph."""

    kind: str
    macs: int
    microseconds: float


class Profile(NamedTuple):
    """All nodes of one `match`, and what a run takes without the profiler."""

    operations: list[Operation]
    microseconds: float


def profile(model: str, threads: int, targets: int = 1) -> Profile:
    """Median microseconds of every node and of the whole."""
    found = find_model(model)
    folder, card = found.folder, found.card
    assert folder is not None, f"{model}: expected a packaged network"
    side = search_side(TrackerConfig(), card.network, steady=True)
    rng = np.random.default_rng(0)
    inputs = {
        "search": rng.integers(0, 256, (targets, side, side, 3), np.uint8),
        "template_features": rng.standard_normal((targets, *card.network.template_shape), np.float32),
    }
    with tempfile.TemporaryDirectory() as temporary:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        plain = onnxruntime.InferenceSession(folder / "match.onnx", options)
        options.enable_profiling, options.profile_file_prefix = True, f"{temporary}/profile"
        profiled = onnxruntime.InferenceSession(folder / "match.onnx", options)
        for _ in range(WARM_UP + TIMED):
            profiled.run(None, inputs)
        events = json.loads(Path(profiled.end_profiling()).read_text(encoding="utf-8"))
    seconds = timeit.repeat(partial(plain.run, None, inputs), number=1, repeat=WARM_UP + TIMED)[WARM_UP:]
    return Profile(list(_operations(events)), float(np.median(seconds)) * 1e6)


def _operations(events: list[dict[str, Any]]) -> Iterator[Operation]:
    calls: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            calls.setdefault(event["name"], []).append(event)
    for found in calls.values():
        arguments = found[-1]["args"]
        kind, macs = _describe(arguments["op_name"], _shapes(arguments["input_type_shape"]), _shapes(arguments["output_type_shape"]))
        yield Operation(kind, macs, float(np.median([event["dur"] for event in found[WARM_UP:]])))


def _shapes(entries: list[dict[str, list[int]]]) -> list[list[int]]:
    return [shape for entry in entries for shape in entry.values()]


def _describe(operation: str, inputs: list[list[int]], outputs: list[list[int]]) -> tuple[str, int]:
    """Kind and multiply-accumulates of a node."""
    if operation == "Conv":
        channels, kernel = inputs[1][1], math.prod(inputs[1][2:])
        kind = "first convolution" if channels == 3 else "1×1 convolutions" if kernel == 1 else "depthwise convolutions"
        return kind, math.prod(outputs[0]) * channels * kernel
    if "MatMul" in operation:
        return "correlation", math.prod(outputs[0]) * inputs[0][1]  # (N, C, T·T) and (N, C, S·S)
    return ("crop to floats" if operation in ("Cast", "Sub", "Transpose") else "layouts, shapes, outputs"), 0


def table(measured: Profile, peak: float) -> list[str]:
    """Rows of one network with some threads; `peak` in multiply-accumulates per second."""
    lines = ["| operations | number | MMAC | ms | GMAC/s | ms at the limit |", "|---|---|---|---|---|---|"]
    for kind in (*KINDS, None):
        chosen = [operation for operation in measured.operations if kind in (None, operation.kind)]
        macs, microseconds = sum(operation.macs for operation in chosen), sum(operation.microseconds for operation in chosen)
        rate = f"{macs / microseconds / 1e3:.1f}"
        name = kind or "**all**"
        lines.append(f"| {name} | {len(chosen)} | {macs / 1e6:.1f} | {microseconds / 1e3:.2f} | {rate} | {macs / peak * 1e3:.2f} |")
    macs = sum(operation.macs for operation in measured.operations)
    lines += [
        "",
        f"A run without the profiler: {measured.microseconds / 1e3:.2f} ms, {measured.microseconds / 1e6 * peak / macs:.2f} × the limit.",
    ]
    return lines


def main() -> None:
    """Measures and writes."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    lines = [PAGE.format(version=onnxruntime.__version__, provenance=provenance("python -m research.measure.profile"))]
    for model in MODELS:
        side = search_side(TrackerConfig(), find_model(model).card.network, steady=True)
        for threads in THREADS:
            peak = measure_matrix_product(threads)
            title = f"{model}, search of {side} pixels, {threads} thread{'s' if threads > 1 else ''}, limit {peak / 1e9:.0f} GMAC/s"
            lines += ["", f"## {title}", "", *table(profile(model, threads), peak)]
    text = "\n".join(lines) + "\n"
    (HERE.parents[1] / "docs" / "results" / "profile.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
