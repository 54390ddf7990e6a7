"""One network for several threads, for changing numbers of targets, and for worker processes."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

import fear
from fear.loading.load import load
from fear.runtime.openvino import OpenVinoNetwork
from fear.runtime.protocol import Crops, Floats, Maps, Network
from fear.weights import packaged
from scripted_network import ScriptedNetwork

SIDE, THREADS = 128, 4


KINDS = ("openvino", "openvino int8", "onnx", "torch")
_WITH_TESTS = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture(scope="module", params=KINDS)
def network(request: pytest.FixtureRequest) -> Network:
    return made(request.param)


def made(kind: str) -> Network:
    folder = packaged()["fear-nano"].folder
    assert folder is not None
    if kind == "openvino int8":
        return OpenVinoNetwork(folder, threads=1, quantised=True, sides=[SIDE])
    return load("fear-nano", runtime=kind, threads=1)


def work(count: int, seed: int) -> tuple[Crops, Floats]:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, SIDE, SIDE, 3), np.uint8), random.random((count, 128, 8, 8), np.float32)


def test_threads_that_share_a_network_get_their_own_answers(network: Network) -> None:
    tasks = [work(1 + seed % 3, seed) for seed in range(8 * THREADS)]
    alone = [Maps(*(part.copy() for part in network.match(*task))) for task in tasks]
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda task: network.match(*task), tasks))
    for expected, got in zip(alone, together, strict=True):
        for one, other in zip(expected, got, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)  # an answer of another call would differ by far more


def test_answers_outlive_the_next_call(network: Network) -> None:
    first = network.match(*work(1, 0))
    before = [part.copy() for part in first]
    network.match(*work(1, 1))
    assert all(np.array_equal(one, other) for one, other in zip(first, before, strict=True))


def test_several_crops_are_answered_as_one_by_one(network: Network) -> None:
    search, features = work(5, 0)
    together = network.match(search, features)
    for row in range(5):
        for part, alone in zip(together, network.match(search[row : row + 1], features[row : row + 1]), strict=True):
            np.testing.assert_allclose(part[row], alone[0], rtol=1e-3, atol=1e-3)


def test_another_number_of_targets_costs_no_stall(network: Network) -> None:
    network.match(*work(12, 0))
    one = min(_seconds(network, 1) for _ in range(5))
    for count in range(2, 12):
        assert _seconds(network, count) < 8 * count * one + 0.25  # compiling takes half a second and more


@pytest.mark.parametrize("kind", KINDS)
def test_another_number_of_targets_costs_no_memory(kind: str) -> None:
    """In a process of its own: what other tests left behind in this one changes what is reused."""
    code = f"from test_sharing import growth; print(growth({kind!r}))"
    run = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, env=_WITH_TESTS, capture_output=True, text=True)
    # a graph for each number would take 200 MiB and more; torch keeps up to 30
    assert int(run.stdout) < 60 * 2**20, run.stderr


def growth(kind: str) -> int:
    """Bytes by which this process grows while the number of targets changes."""
    network = made(kind)
    network.match(*work(12, 0))
    before = psutil.Process().memory_info().rss
    for count in range(2, 12):
        network.match(*work(count, count))
    return int(psutil.Process().memory_info().rss - before)


def _seconds(network: Network, count: int) -> float:
    task = work(count, count)
    start = time.perf_counter()
    network.match(*task)
    return time.perf_counter() - start


@pytest.mark.parametrize("kind", [fear.Tracker, fear.MultiTracker])
def test_a_tracker_that_is_pickled_says_what_to_do(kind: type[fear.Tracker | fear.MultiTracker]) -> None:
    tracker = kind(ScriptedNetwork())
    for attempt in (pickle.dumps, copy.deepcopy):
        with pytest.raises(fear.FearError, match=f"make a {kind.__name__} in each worker process"):
            attempt(tracker)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_that_answers_no_number_ends_the_track_with_an_error(value: float) -> None:
    tracker = fear.Tracker(ScriptedNetwork(lambda k: (0.9 if k < 3 else value, (24, 24, 24, 24), (8, 8))))
    frame = np.zeros((120, 160, 3), np.uint8)
    tracker.init(frame, (50, 40, 30, 30))
    tracker.update(frame)
    tracker.update(frame)
    with pytest.raises(fear.WeightsError, match="expected finite numbers from the network, got NaN or infinity"):
        tracker.update(frame)
