"""Measures what a tracker costs beside the network: `update` and `match` take turns; crop, decoding and bookkeeping are timed alone.

    python -m research.measure.overhead [--threads 2] [--model fear-nano]

Fails where `update` costs more than 1.3 × `match`, or what it adds more than 0.4 ms at 640×480 or 0.8 ms at 1920×1080.
"""

from __future__ import annotations

import argparse
import statistics
import time
from functools import partial
from typing import NamedTuple

import numpy as np

from fear.bench.speed import WARM_UP, frames_of, scene
from fear.config import TrackerConfig
from fear.geometry.context import search_side
from fear.loading.load import load
from fear.runtime.protocol import Crops, Floats, Maps, Network
from fear.tracking.loop import follow
from fear.tracking.protocol import Timed
from fear.tracking.tracker import MultiTracker

LIMIT = 1.3
ALONE = {(480, 640): 0.4, (1080, 1920): 0.8}
"""Milliseconds for crop, decoding and bookkeeping."""


class Remembering:
    """A network that computes once: `match` returns its first answer again and again."""

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


class Costs(NamedTuple):
    """Medians in milliseconds."""

    match: float
    update: float
    alone: float
    """`update` with a network that computes nothing: crop, decoding and bookkeeping."""


def measure(network: Network, height: int, width: int, runs: int) -> Costs:
    """Times `match` and both kinds of `update` in turn, since the speed of a machine drifts.

    Args:
        network: Loaded onto the runtime that is measured.
        height: Of the frames.
        width: Of the frames.
        runs: Timed calls of each kind, after those that warm up.
    """
    images, box = scene(height, width)
    side = search_side(TrackerConfig(), network.config, steady=True)
    features = network.encode_template(np.ascontiguousarray(images[0][None, :128, :128]))
    search = np.ascontiguousarray(images[0][None, :side, :side])
    match, update, alone = (list[float]() for _ in range(3))
    frames = partial(frames_of, images, 1 + WARM_UP + runs)
    whole, idle = (
        follow(Timed(MultiTracker(one), seconds.append), frames(), [box])
        for one, seconds in ((network, update), (Remembering(network), alone))
    )
    for _ in zip(whole, idle, strict=True):
        start = time.perf_counter()
        network.match(search, features)
        match.append(time.perf_counter() - start)
    return Costs(*(1e3 * statistics.median(seconds[1 + WARM_UP :]) for seconds in (match, update, alone)))  # the first call is `init`


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
            costs = measure(network, height, width, options.runs)
            ratio = costs.update / costs.match
            print(f"| {runtime} | {width}×{height} | {costs.match:.2f} | {costs.update:.2f} | {ratio:.3f} | {costs.alone:.3f} |")
            worst = max(worst, ratio) if runtime == "openvino" else worst
            if costs.alone > limit:
                faults.append(f"crop, decoding and bookkeeping cost {costs.alone:.2f} ms at {width}×{height}, more than {limit}")
    if worst > LIMIT:
        faults.append(f"update costs {worst:.2f} × match, more than {LIMIT}")
    if faults:
        raise SystemExit("; ".join(faults))


if __name__ == "__main__":
    main()
