"""What FEAR saves against STARK's way of using two templates: MACs and time of one search, option by option.

    python -m research.measure.ablation        # writes docs/results/ablation.md

FEAR merges both templates into one by a weighted sum and lets cosine similarity choose the next one; STARK (arXiv 2103.17154) concatenates
its templates, which makes every search dearer, and learns a head that chooses. Both are options of the same network here; the weights are
random, since neither MACs nor times depend on them.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fear.config import FEAR_XS, NetworkConfig
from fear.export import export
from fear.loading.load import load
from fear.network import build_network, parameter_count, save_checkpoint
from fear.runtime.processor import processor
from fear.runtime.protocol import Network
from fear.weights import WeightsCard, read_card

VARIANTS: dict[str, NetworkConfig] = {
    "weighted sum, similarity (FEAR)": FEAR_XS,
    "weighted sum, learned head": replace(FEAR_XS, update="learned"),
    "concatenation, similarity": replace(FEAR_XS, merge="concatenate"),
    "concatenation, learned head (STARK's way)": replace(FEAR_XS, merge="concatenate", update="learned"),
}
PAGE = """# FEAR's dual template against STARK's way

{table}

FEAR-XS, batch norms folded, OpenVINO, threads: {threads}, float32; medians of {timed} searches of 256 × 256 that took turns;
the ratios are medians of the ratios turn by turn.
{processor}. Written by `python -m research.measure.ablation`.

The learned head is a three-layer perceptron as in STARK, run in every frame. Renewing a template costs one pass of the backbone over
128 × 128 pixels every 70 frames, with either rule. These are costs; which rule tracks better can only be said of trained networks.
"""
THREADS, WARM_UP, TIMED = 1, 20, 400


def main() -> None:
    """Exports, times in turns, writes the table."""
    with tempfile.TemporaryDirectory() as temporary:
        networks: dict[str, Network] = {}
        lines = ["| variant | parameters | MACs of one search | ms a search | × FEAR |", "|---|---|---|---|---|"]
        cards = {}
        for number, (name, config) in enumerate(VARIANTS.items()):
            network = build_network(config).eval()
            checkpoint, folder = Path(temporary) / f"{number}.safetensors", Path(temporary) / str(number)
            save_checkpoint(network, checkpoint, WeightsCard(config, "", "random"))
            export(checkpoint, folder)
            cards[name] = read_card(folder)
            networks[name] = load(folder, runtime="openvino", threads=THREADS)
            print(f"{name}: {parameter_count(network):,} parameters with batch norms")
        seconds = _in_turns(networks)
        first = seconds[next(iter(VARIANTS))]
        for name, card in cards.items():
            ratio = np.median(seconds[name] / first)
            milliseconds = np.median(seconds[name]) * 1e3
            lines.append(f"| {name} | {card.parameters:,} | {card.macs / 1e6:.1f} M | {milliseconds:.2f} | {ratio:.3f} |")
    page = Path("docs/results/ablation.md")
    page.write_text(PAGE.format(table="\n".join(lines), threads=THREADS, timed=TIMED, processor=processor()), encoding="utf-8")
    print(page.read_text(encoding="utf-8"))


def _in_turns(networks: dict[str, Network]) -> dict[str, NDArray[np.float64]]:
    """Seconds of each search; the variants take turns search by search, so that drifts of the machine meet all of them."""
    search = np.random.default_rng(0).integers(0, 256, (1, 256, 256, 3), np.uint8)
    features = {name: np.zeros((1, *network.config.template_shape), np.float32) for name, network in networks.items()}
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(WARM_UP + TIMED):
        for name, network in networks.items():
            start = time.perf_counter()
            network.match(search, features[name])
            seconds[name].append(time.perf_counter() - start)
    return {name: np.array(values[WARM_UP:]) for name, values in seconds.items()}


if __name__ == "__main__":
    main()
