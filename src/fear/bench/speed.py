"""Speed of every stage, of trackers side by side, and the distance to what the processor could do.

Method of FEAR's own benchmark: 20 calls to warm up, 100 timed. Frames are rendered, read from a real H.264 file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fear.annotations.draw import draw_tracks
from fear.annotations.recording import Recording, Summary, network_threads, record
from fear.config import TrackerConfig
from fear.evaluation.trackers import Spec, create
from fear.geometry.context import search_side, search_window, template_window
from fear.loading.load import load
from fear.media.crop import crop
from fear.media.image import Image, mean_colour
from fear.media.reader import open_source
from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter
from fear.tracking.decode import decode
from fear.tracking.tracker import MultiTracker, Tracker

WARM_UP, TIMED = 20, 100
_CLIP, _ROUNDS = 240, 5


class Timing(NamedTuple):
    """Milliseconds of one stage."""

    stage: str
    p50: float
    p95: float
    p99: float


class Speed(NamedTuple):
    """One tracker's `update`."""

    tracker: str
    fps: float
    p50: float
    p95: float
    p99: float


def measure_stages(model: str, runtime: str, threads: int | None, height: int = 720, width: int = 1280) -> list[Timing]:
    """Times the stages of a tracking run one by one, frame after frame in turn, since a machine's speed drifts."""
    frames, box = _scene(height, width)
    network = load(model, runtime=runtime, threads=threads)
    tracker, config = Tracker(network), TrackerConfig()
    tracker.init(frames[0], box)
    fill, size = mean_colour(frames[0]), search_side(config, network.config, steady=True)
    features = network.encode_template(crop(frames[0], template_window(box, config, network.config), fill)[None])
    buffer = np.empty((1, size, size, 3), np.uint8)
    window = search_window(box, config, network.config, steady=True).on_pixels()
    _, _, *expected = window.to_crop(box)
    times: dict[str, list[float]] = {}

    def timed(stage: str, call: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = call()
        times.setdefault(stage, []).append((time.perf_counter() - start) * 1e3)
        return result

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        with VideoWriter(path, 30) as writer:
            for index, image in enumerate(islice(cycle(frames), WARM_UP + TIMED + 1)):
                writer.write(image, index / 30)
        with open_source(path) as source, VideoWriter(Path(folder) / "out.mp4", 30) as writer:
            reader = iter(source)
            for index in range(WARM_UP + TIMED):
                frame = timed("read and decode video", partial(next, reader))
                timed("crop", partial(crop, frame.picture, window, fill, buffer[0]))
                maps = timed("network", partial(network.match, buffer, features))
                timed("decode maps", partial(decode, maps.scores[0, 0], maps.boxes_ltrb[0], (expected[0], expected[1]), config))
                track = timed("update, whole", partial(tracker.update, frame.picture))
                image = timed("colours of the whole frame", partial(getattr, frame, "image"))
                drawn = timed("draw", partial(draw_tracks, image, [track]))
                timed("encode and write video", partial(writer.write, drawn, index / 30))
    return [Timing(stage, *_percentiles(values[WARM_UP:])) for stage, values in times.items()]


def measure_trackers(specs: list[Spec], threads: int | None, height: int = 480, width: int = 640) -> list[Speed]:
    """Times `update` of several trackers, one frame of each in turn."""
    frames, box = _scene(height, width)
    trackers = [create(spec, threads) for spec in specs]
    for tracker in trackers:
        tracker.init(frames[0], box)
    times: list[list[float]] = [[] for _ in specs]
    for frame in islice(cycle(frames[1:] + frames[-2:0:-1]), WARM_UP + TIMED):  # there and back: no jump for anybody
        for values, tracker in zip(times, trackers, strict=True):
            start = time.perf_counter()
            tracker.update(frame)
            values.append((time.perf_counter() - start) * 1e3)
    return [
        Speed(spec.name, 1e3 / float(np.mean(values[WARM_UP:])), *_percentiles(values[WARM_UP:]))
        for spec, values in zip(specs, times, strict=True)
    ]


def measure_targets(model: str, runtime: str, threads: int | None, count: int = 8) -> dict[str, float]:
    """Median milliseconds of `update` with one target and with several of the same, in turn."""
    frames, box = _scene(480, 640)
    network = load(model, runtime=runtime, threads=threads)
    trackers = MultiTracker(network), MultiTracker(network)
    for tracker, boxes in zip(trackers, ([box], [box] * count), strict=True):
        tracker.init(frames[0], boxes)
    times: list[list[float]] = [[], []]
    for frame in islice(cycle(frames[1:] + frames[-2:0:-1]), WARM_UP + TIMED):
        for values, tracker in zip(times, trackers, strict=True):
            start = time.perf_counter()
            tracker.update(frame)
            values.append((time.perf_counter() - start) * 1e3)
    one, several = (float(np.median(values[WARM_UP:])) for values in times)
    return {"count": count, "one_ms": one, "all_ms": several, "ratio": several / one}


def measure_end_to_end(model: str, runtime: str, threads: int | None, height: int = 720, width: int = 1280) -> dict[str, float]:
    """Frames per second from file to file, and of `update` on the same pictures in memory, in turn; medians."""
    frames, box = _scene(height, width)
    there_and_back = frames + frames[-2:0:-1]
    network = load(model, runtime=runtime, threads=network_threads() if threads is None else threads)
    rates: dict[str, list[float]] = {"update": [], "boxes": [], "video": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with VideoWriter(folder / "clip.mp4", 30) as writer:
            for index, image in enumerate(islice(cycle(there_and_back), _CLIP)):
                writer.write(image, index / 30)
        for _ in range(_ROUNDS):
            tracker = MultiTracker(network)
            tracker.init(frames[0], [box])
            start = time.perf_counter()
            for image in islice(cycle(there_and_back), 1, _CLIP):
                tracker.update(image)
            rates["update"].append((_CLIP - 1) / (time.perf_counter() - start))
            for what, output in (("boxes", None), ("video", folder / "out.mp4")):
                summary = Summary()
                with open_source(folder / "clip.mp4") as source:
                    record(source, [box], MultiTracker(network), Recording(output, folder / "boxes.csv"), summary)
                rates[what].append(summary.fps)
    fps = {f"{what}_fps": float(np.median(values)) for what, values in rates.items()}
    return fps | {f"{what}_share": fps[f"{what}_fps"] / fps["update_fps"] for what in ("boxes", "video")}


def measure_start(model: str, runtime: str, threads: int | None) -> dict[str, float]:
    """A fresh process: seconds of import, of loading, to the first tracked frame; its peak memory in megabytes."""
    code = """
import json, sys, time
start = time.perf_counter()
import numpy, fear
fear.Tracker
imported = time.perf_counter()
model, runtime, threads = json.loads(sys.argv[1])
tracker = fear.Tracker(model, runtime=runtime, threads=threads)
loaded = time.perf_counter()
frame = numpy.zeros((480, 640, 3), numpy.uint8)
tracker.init(frame, (300, 200, 60, 60))
tracker.update(frame)
end = time.perf_counter()
import pathlib, psutil
memory = getattr(psutil.Process().memory_info(), "peak_wset", 0) / 1e6
status = pathlib.Path("/proc/self/status")
if status.is_file():  # getrusage would count what the parent held when it started this process
    memory = next(int(line.split()[1]) / 1e3 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
memory = memory or __import__("resource").getrusage(0).ru_maxrss / 1e6  # bytes on macOS
print(json.dumps({"import_s": imported - start, "load_s": loaded - imported, "first_frame_s": end - start,
                  "peak_memory_mb": memory}))
"""
    command = [sys.executable, "-c", code, json.dumps([model, runtime, threads])]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result


def measure_matrix_product(threads: int | None) -> float:
    """Multiply-accumulates per second of a float32 matrix product of 1024³ on these threads: what the processor could do at best."""
    code = """
import time, numpy
a = numpy.random.default_rng(0).random((1024, 1024), numpy.float32)
times = []
for _ in range(30):
    start = time.perf_counter(); a @ a; times.append(time.perf_counter() - start)
print(1024 ** 3 / sorted(times)[len(times) // 2])
"""
    limits = {name: str(threads or os.cpu_count() or 1) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ | limits)
    return float(run.stdout)


def _scene(height: int, width: int) -> tuple[list[Image], tuple[float, float, float, float]]:
    rendered = list(render(Scene(frames=30, height=height, width=width)))
    return [frame.image for frame in rendered], rendered[0].box_xywh


def _percentiles(values: list[float]) -> tuple[float, float, float]:
    p50, p95, p99 = np.percentile(values, (50, 95, 99)).tolist()
    return p50, p95, p99
