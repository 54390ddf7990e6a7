"""What FEAR saves against STARK's way of using two templates: MACs and time of one search, option by option.

    python -m research.stark.costs        # writes docs/results/ablation.md

The weights are random, since neither MACs nor times depend on them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fear.config import FEAR_XS, NetworkConfig
from fear.export import multiply_accumulates
from fear.export.onnx import Embed, sample_inputs, write_graph
from fear.network import FearNetwork, fold, merge_spread, parameter_count
from fear.runtime.openvino import OpenVinoNetwork
from fear.runtime.protocol import Network
from fear.weights.card import WeightsCard
from research.measure.provenance import provenance
from research.stark.network import StarkMatch, StarkNetwork

VARIANTS = {
    "weighted sum, similarity (FEAR)": (False, False),
    "weighted sum, learned head": (False, True),
    "concatenation, similarity": (True, False),
    "concatenation, learned head (STARK's way)": (True, True),
}
"""Name → whether templates are concatenated, whether the update is learned."""
PAGE = """# FEAR's dual template against STARK's way

FEAR merges both templates into one by a weighted sum, and cosine similarity chooses the next template. STARK (arXiv 2103.17154)
concatenates its templates and learns a head that chooses. This page compares the cost of one search; the weights are random, because
neither multiply-accumulates nor times depend on them. Which way follows better is the question of [trained networks](stark.md).

{provenance}

{table}

FEAR-XS with folded batch norms on OpenVINO, threads: {threads}, float32, searches of {side} × {side} pixels. Times are medians of {timed}
searches; the variants took turns, and each ratio is the median of the ratios turn by turn. The learned head is a perceptron of three
layers, as in STARK, and runs in every frame. Renewing a template costs one pass of the backbone over 128 × 128 pixels every 70 frames, with
either way.
"""
THREADS, WARM_UP, TIMED = 1, 20, 400


@dataclass
class Cost:
    """What one variant costs."""

    parameters: int
    macs: int
    """Multiply-accumulates of one search."""
    seconds: NDArray[np.float64]
    """(timed,): of each search."""


def main() -> None:
    """Measures every variant and writes the page."""
    costs = measure(FEAR_XS, TIMED)
    page = Path("docs/results/ablation.md")
    about = {"threads": THREADS, "timed": TIMED, "side": FEAR_XS.search_size, "provenance": provenance("python -m research.stark.costs")}
    page.write_text(PAGE.format(table=table(costs), **about), encoding="utf-8")
    print(page.read_text(encoding="utf-8"))


def measure(config: NetworkConfig, timed: int, variants: Iterable[str] = tuple(VARIANTS)) -> dict[str, Cost]:
    """Costs of each variant.

    Args:
        config: Of the network that is varied.
        timed: Number of searches to time.
        variants: Names of variants.
    """
    with tempfile.TemporaryDirectory() as temporary:
        networks: dict[str, Network] = {}
        costs: dict[str, Cost] = {}
        for number, name in enumerate(variants):
            concatenate, learned_update = VARIANTS[name]
            network = StarkNetwork(config, concatenate=concatenate, learned_update=learned_update)
            folder = Path(temporary) / str(number)
            costs[name] = Cost(parameter_count(fold(network)), write_variant(network, folder), np.empty(0))
            networks[name] = OpenVinoNetwork(folder, threads=THREADS)
        for name, seconds in _in_turns(networks, config, timed).items():
            costs[name].seconds = seconds
    return costs


def write_variant(network: StarkNetwork, folder: Path) -> int:
    """Writes `embed.onnx`, `match.onnx` and `config.json` of a variant; returns the multiply-accumulates of one search."""
    folder.mkdir()
    folded: FearNetwork = merge_spread(fold(network))
    if not isinstance(folded, StarkNetwork):
        raise TypeError(f"expected a StarkNetwork, got {type(folded).__name__}")
    template, search = sample_inputs(folded.config, batch=1)
    with torch.no_grad():
        features = folded.encode_template(template.permute(0, 3, 1, 2))
        features = folded.merge(features, features).clone()
    outputs = ["scores", "boxes", "embedding", *(["update"] if folded.update_head is not None else [])]
    write_graph(Embed(folded), {"template": template}, ["features"], folder / "embed.onnx")
    inputs = {"search": search, "template_features": features}
    write_graph(StarkMatch(folded), inputs, outputs, folder / "match.onnx", fixed=True)  # all searches have one side
    (folder / "config.json").write_text(WeightsCard(folded.config, "", "random").to_json(), encoding="utf-8")
    return multiply_accumulates(StarkMatch(folded), search, features)


def table(costs: dict[str, Cost]) -> str:
    """The costs as Markdown; times relative to the first variant."""
    first = next(iter(costs.values())).seconds
    lines = ["| variant | parameters | MACs of one search | ms a search | × FEAR |", "|---|---|---|---|---|"]
    for name, cost in costs.items():
        milliseconds, ratio = np.median(cost.seconds) * 1e3, np.median(cost.seconds / first)
        lines.append(f"| {name} | {cost.parameters:,} | {cost.macs / 1e6:.1f} M | {milliseconds:.2f} | {ratio:.3f} |")
    return "\n".join(lines)


def _in_turns(networks: dict[str, Network], config: NetworkConfig, timed: int) -> dict[str, NDArray[np.float64]]:
    """Seconds of each search; the variants take turns search by search, so that drifts of the machine affect all of them."""
    search = np.random.default_rng(0).integers(0, 256, (1, config.search_size, config.search_size, 3), np.uint8)
    channels, height, width = config.template_shape
    features = {
        name: np.zeros((1, channels, height * (2 if concatenate else 1), width), np.float32) for name, (concatenate, _) in VARIANTS.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(WARM_UP + timed):
        for name, network in networks.items():
            start = time.perf_counter()
            network.match(search, features[name])
            seconds[name].append(time.perf_counter() - start)
    return {name: np.array(values[WARM_UP:]) for name, values in seconds.items()}


if __name__ == "__main__":
    main()
