"""Speed of each stage of a tracking run, of several trackers side by side, and from file to file.

The method is that of FEAR's own benchmark: 20 calls to warm up, 100 timed calls. Trackers that are compared take turns frame by frame,
because the speed of a machine changes over time. Frames are rendered, and read from a real H.264 file where a file is part of the
measurement.
"""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from fear.annotations.draw import draw_tracks
from fear.annotations.recording import Recording, Summary, record
from fear.config import TrackerConfig
from fear.evaluation.trackers import Spec, create
from fear.geometry.boxes import Box
from fear.geometry.context import search_side, search_window, template_window
from fear.media.crop import crop
from fear.media.image import Image, mean_colour
from fear.media.reader import Frame, open_source
from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter
from fear.runtime.protocol import Network
from fear.tracking.decode import decode
from fear.tracking.loop import follow
from fear.tracking.protocol import BoxTracker, Timed
from fear.tracking.tracker import MultiTracker

WARM_UP, TIMED = 20, 100
_CLIP, _ROUNDS = 240, 5
_RATE = 30  # frames per second of the rendered clips

Result = TypeVar("Result")


class Timing(NamedTuple):
    """Milliseconds of one stage."""

    stage: str
    p50: float
    p95: float
    p99: float


class Speed(NamedTuple):
    """Milliseconds of `update` of one tracker, and its frames per second."""

    tracker: str
    fps: float
    p50: float
    p95: float
    p99: float


class _Clock:
    """Collects the milliseconds of stages."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}

    def timed(self, stage: str, call: Callable[[], Result]) -> Result:
        """Calls, and notes how long it took."""
        start = time.perf_counter()
        result = call()
        self.note(stage, time.perf_counter() - start)
        return result

    def note(self, stage: str, seconds: float) -> None:
        """Notes a time that was measured elsewhere."""
        self.times.setdefault(stage, []).append(seconds * 1e3)

    def reading(self, frames: Iterable[Frame], stage: str) -> Iterator[Frame]:
        """Frames, with a note of how long reading each took."""
        frames = iter(frames)
        while (frame := self.timed(stage, partial(next, frames, None))) is not None:
            yield frame


def measure_stages(network: Network, height: int = 720, width: int = 1280) -> list[Timing]:
    """Times the stages of a tracking run one by one, frame after frame.

    Args:
        network: Loaded onto the runtime that is measured.
        height: Of the frames.
        width: Of the frames.
    """
    images, box = scene(height, width)
    config, clock = TrackerConfig(), _Clock()
    fill, side = mean_colour(images[0]), search_side(config, network.config, steady=True)
    features = network.encode_template(crop(images[0], template_window(box, config, network.config), fill)[None])
    buffer = np.empty((1, side, side, 3), np.uint8)
    window = search_window(box, config, network.config, steady=True).on_pixels()
    _, _, expected_width, expected_height = window.to_crop(box)
    tracker = Timed(MultiTracker(network), partial(clock.note, "update, whole"))
    with _video(images, WARM_UP + TIMED + 1) as path, open_source(path) as source, VideoWriter(path.with_name("out.mp4"), _RATE) as writer:
        for step in follow(tracker, clock.reading(source, "read and decode video"), [box]):
            clock.timed("crop", partial(crop, step.frame.picture, window, fill, buffer[0]))
            maps = clock.timed("network", partial(network.match, buffer, features))
            decoding = partial(decode, maps.scores[0, 0], maps.boxes_ltrb[0], (expected_width, expected_height), config)
            clock.timed("decode maps", decoding)
            image: Image = clock.timed("colours of the whole frame", partial(getattr, step.frame, "image"))
            drawn = clock.timed("draw", partial(draw_tracks, image, step.tracks))
            clock.timed("encode and write video", partial(writer.write, drawn, step.frame.time))
    return [Timing(stage, *_percentiles(times[WARM_UP:])) for stage, times in clock.times.items()]


def measure_trackers(specs: Sequence[Spec], threads: int | None, height: int = 480, width: int = 640) -> list[Speed]:
    """Times `update` of several trackers, which take turns.

    Args:
        specs: The trackers.
        threads: Of each tracker; None leaves the number to its library.
        height: Of the frames.
        width: Of the frames.
    """
    images, box = scene(height, width)
    times = _take_turns([(create(spec, threads), [box]) for spec in specs], images)
    return [Speed(spec.name, 1e3 / float(np.mean(row)), *_percentiles(row)) for spec, row in zip(specs, times, strict=True)]


def measure_targets(network: Network, count: int = 8) -> dict[str, float]:
    """Compares `update` with one target and with several: medians in milliseconds, and their ratios.

    Each target has a part of the picture for itself. They are followed by the default rules, by which they are steady, and by rules that
    never take a target for steady, so that its searches show more.

    Args:
        network: Loaded onto the runtime that is measured.
        count: Number of the several targets.
    """
    images, boxes = several_scenes(count)
    unsteady = TrackerConfig(steady_search_size=None)
    trackers = [(MultiTracker(network, config=rules), some) for rules in (None, unsteady) for some in (boxes[:1], boxes)]
    one, several, unsteady_one, unsteady_several = (float(np.median(row)) for row in _take_turns(trackers, images))
    steady = {"count": count, "one_ms": one, "all_ms": several, "ratio": several / one}
    return steady | {
        "unsteady_one_ms": unsteady_one,
        "unsteady_all_ms": unsteady_several,
        "unsteady_ratio": unsteady_several / unsteady_one,
    }


def measure_end_to_end(network: Network, height: int = 720, width: int = 1280) -> dict[str, float]:
    """Measures frames per second from file to file, and of `update` on the same pictures in memory; medians of rounds that take turns.

    Args:
        network: Loaded with as many threads as a tracking run from file to file gives it.
        height: Of the frames.
        width: Of the frames.
    """
    images, box = scene(height, width)
    rates: dict[str, list[float]] = {"update": [], "boxes": [], "video": []}
    with _video(images, _CLIP) as path:
        for _ in range(_ROUNDS):
            seconds: list[float] = []
            deque(follow(Timed(MultiTracker(network), seconds.append), frames_of(images, _CLIP), [box]), maxlen=0)
            rates["update"].append((_CLIP - 1) / sum(seconds[1:]))
            for what, output in (("boxes", None), ("video", path.with_name("out.mp4"))):
                summary = Summary()
                with open_source(path) as source:
                    record(source, [box], MultiTracker(network), Recording(output, path.with_name("boxes.csv")), summary)
                rates[what].append(summary.fps)
    fps = {f"{what}_fps": float(np.median(values)) for what, values in rates.items()}
    return fps | {f"{what}_share": fps[f"{what}_fps"] / fps["update_fps"] for what in ("boxes", "video")}


def _take_turns(trackers: Sequence[tuple[BoxTracker, list[Box]]], images: Sequence[Image]) -> list[list[float]]:
    """Milliseconds of each timed `update` of trackers that see the same frames, each with its targets, in turns."""
    seconds: list[list[float]] = [[] for _ in trackers]
    runs = [
        follow(Timed(tracker, clock.append), frames_of(images, 1 + WARM_UP + TIMED), boxes)
        for (tracker, boxes), clock in zip(trackers, seconds, strict=True)
    ]
    deque(zip(*runs, strict=True), maxlen=0)
    return [[value * 1e3 for value in row[1 + WARM_UP :]] for row in seconds]


def scene(height: int, width: int) -> tuple[list[Image], Box]:
    """Rendered pictures, and the box of the target in the first one."""
    rendered = list(render(Scene(frames=30, height=height, width=width)))
    return [frame.image for frame in rendered], rendered[0].box_xywh


def several_scenes(count: int, height: int = 240, width: int = 320) -> tuple[list[Image], list[Box]]:
    """Rendered pictures side by side, each with a target of its own, and the boxes of the targets in the first ones.

    Args:
        count: Of the targets.
        height: Of the part of each.
        width: Of the part of each.
    """
    parts = [
        list(render(Scene(frames=30, height=height, width=width, growth=0.1, distractor=False, occlusion=False, seed=seed)))
        for seed in range(count)
    ]
    first = [part[0].box_xywh for part in parts]
    boxes = [(x + number * width, y, w, h) for number, (x, y, w, h) in enumerate(first)]
    return [np.concatenate([rendered.image for rendered in moment], axis=1) for moment in zip(*parts, strict=True)], boxes


def frames_of(images: Sequence[Image], count: int | None) -> Iterator[Frame]:
    """Frames that show the pictures forwards and backwards, so that nothing jumps; without an end where `count` is None."""
    there_and_back = cycle([*images, *images[-2:0:-1]])
    for index, image in enumerate(islice(there_and_back, count)):
        yield Frame(index, index / _RATE, image)


@contextmanager
def _video(images: Sequence[Image], count: int) -> Iterator[Path]:
    """A video file that shows the pictures forwards and backwards, in a folder that lasts as long as it is used."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        with VideoWriter(path, _RATE) as writer:
            for frame in frames_of(images, count):
                writer.write(frame.image, frame.time)
        yield path


def _percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    p50, p95, p99 = np.percentile(values, (50, 95, 99)).tolist()
    return p50, p95, p99
