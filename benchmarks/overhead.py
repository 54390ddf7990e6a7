"""What a tracker adds to the bare network: `update` against `match`, in turn in one run.

    python -m benchmarks.overhead [--threads 2]

Fails where `update` costs more than 1.3 × `match`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from fear.runtime import load
from fear.synthetic import Scene, render
from fear.tracker import Tracker

LIMIT = 1.3


def main() -> None:
    """Measures each size in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--model", default="fear-xs")
    options = parser.parse_args()
    worst = 0.0
    print("| runtime | frame | match, ms | update, ms | ratio |\n|---|---|---|---|---|")
    for runtime in ("openvino", "onnx"):
        network = load(options.model, runtime=runtime, threads=options.threads)
        for height, width in ((480, 640), (1080, 1920)):
            frames = [frame.image for frame in render(Scene(frames=12, height=height, width=width))]
            tracker = Tracker(network)
            tracker.init(frames[0], next(render(Scene(frames=1, height=height, width=width))).box_xywh)
            features = network.embed(np.ascontiguousarray(frames[0][None, :128, :128]))
            search = np.ascontiguousarray(frames[0][None, :256, :256])
            match, update = [], []
            for k in range(options.runs + 20):  # 20 to warm up; in turn, since a machine's speed drifts
                match.append(_seconds(partial(network.match, search, features)))
                update.append(_seconds(partial(tracker.update, frames[k % 12])))
            m, u = statistics.median(match[20:]), statistics.median(update[20:])
            print(f"| {runtime} | {width}×{height} | {m * 1e3:.2f} | {u * 1e3:.2f} | {u / m:.3f} |")
            worst = max(worst, u / m) if runtime == "openvino" else worst
    if worst > LIMIT:
        raise SystemExit(f"update costs {worst:.2f} × match, more than {LIMIT}")


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
