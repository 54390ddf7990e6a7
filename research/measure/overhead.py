"""What a tracker adds to the bare network: `update` against `match` in turn, and crop, decoding and bookkeeping alone.

    python -m research.measure.overhead [--threads 2] [--model fear-nano]

Fails where `update` costs more than 1.3 × `match`, or what it adds more than 0.4 ms at 640×480 or 0.8 ms at 1920×1080.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from fear.geometry.context import search_side
from fear.loading.load import load
from fear.media.synthetic import Scene, render
from fear.runtime.protocol import Crops, Floats, Maps, Network
from fear.tracking.tracker import Tracker

LIMIT = 1.3
ALONE = {(480, 640): 0.4, (1080, 1920): 0.8}
"""Milliseconds for crop, decoding and bookkeeping."""


class Remembering:
    """A network that computes nothing: it gives its last answer again."""

    def __init__(self, network: Network) -> None:
        self.config, self.dynamic_weight, self._network = network.config, network.dynamic_weight, network
        self._answer: Maps | None = None

    def encode_template(self, template_crops: Crops) -> Floats:
        """See `Network.encode_template`."""
        return self._network.encode_template(template_crops)

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        """See `Network.match`."""
        if self._answer is None:
            self._answer = Maps(*(part.copy() for part in self._network.match(search_crops, template_features)))
        return self._answer


def main() -> None:
    """Measures each size in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--model", default="fear-xs")
    options = parser.parse_args()
    worst, faults = 0.0, []
    print("| runtime | frame | match, ms | update, ms | ratio | crop, decoding, bookkeeping, ms |\n|---|---|---|---|---|---|")
    for runtime in ("openvino", "onnx"):
        network = load(options.model, runtime=runtime, threads=options.threads)
        for (height, width), limit in ALONE.items():
            frames = [frame.image for frame in render(Scene(frames=12, height=height, width=width))]
            tracker, idle = Tracker(network), Tracker(Remembering(network))
            box = next(render(Scene(frames=1, height=height, width=width))).box_xywh
            for one in (tracker, idle):
                one.init(frames[0], box)
            side = search_side(tracker.config, network.config, steady=True)
            features = network.encode_template(np.ascontiguousarray(frames[0][None, :128, :128]))
            search = np.ascontiguousarray(frames[0][None, :side, :side])
            match, update, alone = [], [], []
            for k in range(options.runs + 20):  # 20 to warm up; in turn, since a machine's speed drifts
                match.append(_seconds(partial(network.match, search, features)))
                update.append(_seconds(partial(tracker.update, frames[k % 12])))
                alone.append(_seconds(partial(idle.update, frames[k % 12])) * 1e3)
            m, u, a = (statistics.median(times[20:]) for times in (match, update, alone))
            print(f"| {runtime} | {width}×{height} | {m * 1e3:.2f} | {u * 1e3:.2f} | {u / m:.3f} | {a:.3f} |")
            worst = max(worst, u / m) if runtime == "openvino" else worst
            if a > limit:
                faults.append(f"crop, decoding and bookkeeping cost {a:.2f} ms at {width}×{height}, more than {limit}")
    if worst > LIMIT:
        faults.append(f"update costs {worst:.2f} × match, more than {LIMIT}")
    if faults:
        raise SystemExit("; ".join(faults))


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
