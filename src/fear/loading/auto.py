"""Which runtime is fastest on this machine? Measured at the first use, and remembered in the cache folder.

On one processor OpenVINO takes a third of ONNX Runtime's time, on another it is the slower one; no rule that we know tells them apart.
"""

from __future__ import annotations

import json
import logging
import statistics
import time
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from fear.errors import DamagedWeightsError, FearError
from fear.parsing import one_line, parse_json
from fear.runtime.processor import processor
from fear.runtime.protocol import Crops, Floats, Network, require_finite
from fear.signals import is_interruption
from fear.weights.store import cache_folder, write_text_whole

_log = logging.getLogger(__name__)

_BLOCKS, _WARM_UP, _TIMED = 4, 3, 8
_HANDICAP = 1.1
"""A form that is less exact has to be this many times as fast as the others."""


def fastest(
    candidates: Mapping[str, Callable[[], Network]],
    packages: Mapping[str, str],
    threads: int | None,
    name: str,
    side: int,
    handicapped: Collection[str] = (),
) -> Network:
    """Loads and times the candidates, or loads only the one that was fastest before on this machine with these versions.

    A candidate that cannot be loaded, or fails while it is timed, is left out.

    Args:
        candidates: What loads the network, by runtime.
        packages: The package of each runtime.
        threads: Number of threads that the candidates use.
        name: Name of the network.
        side: Side in pixels of the search crop to time with.
        handicapped: Candidates that are less exact.

    Returns:
        The loaded network.

    Raises:
        Exception: no candidate can be loaded and run; it is the error of the first one, in most cases a FearError.
        DamagedWeightsError: a file of a candidate has another digest than its card says.
    """
    if len(candidates) == 1:
        return next(iter(candidates.values()))()
    memory = _memory()
    versions = [f"{runtime} {_version(packages[runtime])}" for runtime in candidates]
    key = " ".join([name, processor(), f"threads {threads}", f"side {side}", *versions])
    known = _remembered(memory)
    networks: dict[str, Network] = {}
    errors: list[Exception] = []
    if known.get(key) in candidates:
        _try(known[key], candidates, networks, errors)
        if networks:
            return networks[known[key]]
    for runtime in candidates:
        if runtime != known.get(key):  # the remembered runtime has just failed to load
            _try(runtime, candidates, networks, errors)
    if not networks:
        raise errors[0]
    if len(networks) > 1:
        _log.info("measuring once which runtime is the fastest on this machine")
    times = _times(networks, side, errors) if len(networks) > 1 else dict.fromkeys(networks, 0.0)
    if not times:
        raise errors[0]
    best = min(times, key=lambda runtime: times[runtime] * (_HANDICAP if runtime in handicapped else 1))
    _log.info("fastest runtime: %s (%s)", best, ", ".join(f"{runtime} {seconds * 1e3:.1f} ms" for runtime, seconds in times.items()))
    if not errors and memory is not None:
        _remember(memory, known | {key: best})
    return networks[best]


def _try(runtime: str, candidates: Mapping[str, Callable[[], Network]], networks: dict[str, Network], errors: list[Exception]) -> None:
    """Loads one candidate into `networks`, or puts its error into `errors`."""
    try:
        networks[runtime] = candidates[runtime]()
    except DamagedWeightsError:
        raise  # the user should know of it; other forms of these weights may be damaged too
    except SystemExit as end:  # of a library that ends the process when it is imported; the others may work
        _leave_out(runtime, ImportError(f"it ended with SystemExit: {end}"), errors)
    except Exception as error:  # a broken installation may raise anything
        if is_interruption(error):
            raise KeyboardInterrupt from error
        _leave_out(runtime, error, errors)


def _leave_out(runtime: str, error: Exception, errors: list[Exception]) -> None:
    errors.append(error)
    _log.warning("runtime %s fails, taking another: %s", runtime, one_line(error) or type(error).__name__)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # a build under another name, such as onnxruntime-gpu
        return "unknown"


def _times(networks: Mapping[str, Network], side: int, errors: list[Exception]) -> dict[str, float]:
    """Median seconds of a `match` call of each; in blocks, since the threads of one runtime spin for a while after its call.

    The error of a network that fails is put into `errors`.
    """
    times: dict[str, list[float]] = {runtime: [] for runtime in networks}
    config = next(iter(networks.values())).config
    search = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), np.uint8)
    features = np.zeros((1, *config.template_shape), np.float32)
    for _ in range(_BLOCKS):
        for runtime in list(times):
            try:
                times[runtime] += _block(networks[runtime], search, features)
            except Exception as error:  # the errors of the runtimes have no other base class in common
                del times[runtime]
                _leave_out(runtime, error, errors)
    return {runtime: statistics.median(values) for runtime, values in times.items()}


def _block(network: Network, search: Crops, features: Floats) -> list[float]:
    """Seconds of several calls, those that warm up left out."""
    seconds = []
    for _ in range(_WARM_UP + _TIMED):
        start = time.perf_counter()
        maps = network.match(search, features)
        seconds.append(time.perf_counter() - start)
    require_finite(maps)
    return seconds[_WARM_UP:]


def _memory() -> Path | None:
    """The file that remembers what was fastest; None where nothing can be written, not even in the temporary folder."""
    try:
        return cache_folder() / "fastest.json"
    except OSError:
        return None


def _remembered(memory: Path | None) -> dict[str, str]:
    if memory is None:
        return {}
    try:
        known = parse_json(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in known.items() if isinstance(value, str)} if isinstance(known, dict) else {}


def _remember(memory: Path, known: dict[str, str]) -> None:
    try:
        write_text_whole(memory, json.dumps(known, indent=1) + "\n")
    except (OSError, FearError) as error:  # then every start measures again, which only takes a second
        _log.info("could not remember the fastest runtime: %s", error)
