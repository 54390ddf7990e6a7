"""Does memory grow, or speed fall, over many frames? Run it by `make soak`; it writes docs/results/soak.md.

Three runs, one after the other: one target; several targets, of which some are added and removed; a clip that is read again and again from
its file. Memory is the resident set of this process, time that of its threads on a processor: waiting for other
programs does not count, but sharing a core and its caches with them does.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

import fear
from fear.media.image import Picture
from fear.media.synthetic import Scene, render
from research.measure.provenance import provenance

PAGE = Path("docs/results/soak.md")
SCENE = Scene(frames=60, height=240, width=320)
PARTS = 10
SETTLED = 10_000
"""Frames after which memory should stay as it is; a tenth of a shorter run."""
HEAD = """# Soak

Memory and processor time while trackers run on: fear-nano, {runtime}, one thread, frames of 320×240. Growth is the
resident memory at the end less that after the first {settled:,} frames. "Slower" compares the median time of a frame in the
last tenth with that in the first, for each target where there are several.

{provenance}

| run | frames | seconds | MB at the start | MB when settled | MB at the end | growth, MB | ms, first tenth | ms, last tenth | slower |
|---|---|---|---|---|---|---|---|---|---|
"""


class Sample(NamedTuple):
    """State after a part of a run."""

    megabytes: float
    milliseconds: float
    """Median processor time of a frame in this part; of a frame and target where there are several."""


def _frames() -> list[Picture]:
    forth: list[Picture] = [frame.image for frame in render(SCENE)]
    return forth + forth[::-1]  # no leap where the clip begins again


def one_target(frames: list[Picture], count: int) -> Iterator[float]:
    """Yields the seconds of the processor for each frame."""
    tracker = fear.Tracker("fear-nano", threads=1, runtime="onnx")
    tracker.init(frames[0], next(iter(render(SCENE))).box_xywh)
    for number in range(1, count + 1):
        start = time.process_time()
        tracker.update(frames[number % len(frames)])
        yield time.process_time() - start


def several_targets(frames: list[Picture], count: int) -> Iterator[float]:
    """Yields the seconds of the processor for each frame and target; every fiftieth frame a target goes and another one comes."""
    chance = random.Random(0)
    tracker = fear.MultiTracker("fear-nano", threads=1, runtime="onnx")
    tracker.init(frames[0], [(20 + 60 * k, 40 + 30 * k, 40, 30) for k in range(3)])
    for number in range(1, count + 1):
        frame = frames[number % len(frames)]
        start = time.process_time()
        tracks = tracker.update(frame)
        if number % 50 == 0:
            if len(tracks) > 1:
                tracker.remove(chance.choice(tracks).id)
            if len(tracks) < 5:
                tracker.add(frame, (chance.uniform(0, 260), chance.uniform(0, 190), 40, 30))
        yield (time.process_time() - start) / len(tracks)


def file_in_a_loop(frames: list[Picture], count: int) -> Iterator[float]:
    """Yields the seconds of the processor for each frame, reading included; the file is opened again at its end."""
    box = next(iter(render(SCENE))).box_xywh
    tracker = fear.Tracker("fear-nano", threads=1, runtime="onnx")
    done = 0
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        with fear.VideoWriter(clip, 30) as writer:
            for number, image in enumerate(frames):
                writer.write(image, number / 30)  # type: ignore[arg-type]
        while done < count:
            with fear.open_source(clip) as source:
                start = time.process_time()
                for frame in source:
                    if frame.index == 0:
                        tracker.init(frame.picture, box)
                    else:
                        tracker.update(frame.picture)
                    yield time.process_time() - start
                    done += 1
                    start = time.process_time()


class Run(NamedTuple):
    """One of the runs."""

    frames: Callable[[list[Picture], int], Iterator[float]]
    share: float
    """Of all frames."""


RUNS = {
    "Tracker": Run(one_target, 0.45),
    "MultiTracker, targets come and go": Run(several_targets, 0.15),
    "Tracker on a file in a loop": Run(file_in_a_loop, 0.4),
}


def soak(name: str, count: int) -> str:
    """Does one run; returns its row of the table."""
    process, start = psutil.Process(), time.perf_counter()
    run = RUNS[name].frames(_frames(), count)
    times, parts, settled = [next(run)], [], 0.0
    first = process.memory_info().rss / 1e6
    for number, seconds in enumerate(run, start=2):
        times.append(seconds)
        if number == min(SETTLED, count // PARTS):
            settled = process.memory_info().rss / 1e6
        if number % (count // PARTS) == 0:
            parts.append(Sample(process.memory_info().rss / 1e6, statistics.median(times) * 1e3))
            times = []
            print(f"{name}: {number} frames, {parts[-1].megabytes:.1f} MB, {parts[-1].milliseconds:.2f} ms", flush=True)
        if number >= count:
            break
    begin, end = parts[0], parts[-1]
    memory = f"{first:.1f} | {settled:.1f} | {end.megabytes:.1f} | {end.megabytes - settled:+.1f}"
    speed = f"{begin.milliseconds:.2f} | {end.milliseconds:.2f} | {end.milliseconds / begin.milliseconds - 1:+.0%}"
    return f"| {name} | {count:,} | {time.perf_counter() - start:.0f} | {memory} | {speed} |"


def main() -> None:
    """Runs all of them and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000, help="frames of all runs together")
    arguments = parser.parse_args()
    rows = [soak(name, round(run.share * arguments.frames)) for name, run in RUNS.items()]
    PAGE.write_text(
        HEAD.format(
            runtime="ONNX Runtime", settled=SETTLED, provenance=provenance(f"python -m research.measure.soak --frames {arguments.frames}")
        )
        + "\n".join(rows)
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
