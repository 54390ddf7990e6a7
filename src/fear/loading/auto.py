"""Which runtime is fastest on this machine? Measured once and remembered.

On one processor OpenVINO takes a third of ONNX Runtime's time, on another it is the slower one; no rule that we know tells them apart.
"""

from __future__ import annotations

import json
import logging
import statistics
import time
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

from fear.config import TrackerConfig
from fear.geometry.context import search_side
from fear.runtime.processor import processor
from fear.runtime.protocol import Network

_log = logging.getLogger(__name__)

_BLOCKS, _WARM_UP, _TIMED = 4, 3, 8
_HANDICAP = 1.1
"""A form that is less exact has to be this many times as fast as the others."""


def fastest(
    candidates: Mapping[str, Callable[[], Network]],
    packages: Mapping[str, str],
    threads: int | None,
    name: str,
    handicapped: Collection[str] = (),
) -> Network:
    """Loads and times the candidates, or only the one that was fastest before on this machine with these versions.

    Args:
        candidates: Loads the network, by runtime.
        packages: Package of each runtime.
        threads: As the candidates use them.
        name: Of the network.
        handicapped: Candidates that are less exact.

    Returns:
        The loaded network.
    """
    memory = Path.home() / ".cache" / "fear" / "fastest.json"
    key = " ".join([name, processor(), f"threads {threads}", *(f"{runtime} {version(packages[runtime])}" for runtime in candidates)])
    known = _remembered(memory)
    if known.get(key) in candidates:
        return candidates[known[key]]()
    networks = {runtime: load() for runtime, load in candidates.items()}
    times = _times(networks)
    best = min(times, key=lambda runtime: times[runtime] * (_HANDICAP if runtime in handicapped else 1))
    _log.info("fastest runtime: %s (%s)", best, ", ".join(f"{runtime} {seconds * 1e3:.1f} ms" for runtime, seconds in times.items()))
    _remember(memory, known | {key: best})
    return networks[best]


def _times(networks: Mapping[str, Network]) -> dict[str, float]:
    """Median seconds of a `match` call of each; in blocks, since the threads of one runtime spin for a while after its call."""
    times: dict[str, list[float]] = {runtime: [] for runtime in networks}
    config = next(iter(networks.values())).config
    side = search_side(TrackerConfig(), config, steady=True)  # most frames
    search = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), np.uint8)
    features = np.zeros((1, *config.template_shape), np.float32)
    for _ in range(_BLOCKS):
        for runtime, network in networks.items():
            block = []
            for _ in range(_WARM_UP + _TIMED):
                start = time.perf_counter()
                network.match(search, features)
                block.append(time.perf_counter() - start)
            times[runtime] += block[_WARM_UP:]
    return {runtime: statistics.median(values) for runtime, values in times.items()}


def _remembered(memory: Path) -> dict[str, str]:
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(memory: Path, known: dict[str, str]) -> None:
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    except OSError as error:  # a home that cannot be written costs a second at every start, no more
        _log.info("could not remember the fastest runtime: %s", error)
