"""Does memory grow, or speed fall, over many frames? Run it by `make soak`; it writes docs/results/soak.md.

Three runs, one after the other: one target; several targets, of which some are added and removed; a clip that is read again and again from
its file. Memory is the resident set of this process.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

import fear
from fear.media.image import Picture
from fear.media.synthetic import Scene, render
from research.measure.provenance import provenance

PAGE = Path("docs/results/soak.md")
SCENE = Scene(frames=60, height=240, width=320)
SAMPLES = 10
HEAD = """# Soak

Memory and time of a frame while trackers run on: fear-nano, {runtime}, one thread, frames of 320×240. Growth is counted from the
end of the first tenth of a run to its end. "Slower" compares the median time of a frame in the last tenth with the second
tenth, for each target where there are several.

{provenance}

| run | frames | seconds | MB at the start | MB after a tenth | MB at the end | growth, MB | slower |
|---|---|---|---|---|---|---|---|
"""


class Sample(NamedTuple):
    """State after a tenth of a run."""

    megabytes: float
    milliseconds: float
    """Median time of a frame in this tenth; of a frame and target where there are several."""


def _frames() -> list[Picture]:
    forth: list[Picture] = [frame.image for frame in render(SCENE)]
    return forth + forth[::-1]  # no leap where the clip begins again


def one_target(frames: list[Picture], count: int) -> Iterator[float]:
    """Yields the seconds of each frame."""
    tracker = fear.Tracker("fear-nano", threads=1, runtime="onnx")
    tracker.init(frames[0], next(iter(render(SCENE))).box_xywh)
    for number in range(1, count + 1):
        start = time.perf_counter()
        tracker.update(frames[number % len(frames)])
        yield time.perf_counter() - start


def several_targets(frames: list[Picture], count: int) -> Iterator[float]:
    """Yields the seconds of each frame and target; every fiftieth frame a target goes and another one comes."""
    chance = random.Random(0)
    tracker = fear.MultiTracker("fear-nano", threads=1, runtime="onnx")
    tracker.init(frames[0], [(20 + 60 * k, 40 + 30 * k, 40, 30) for k in range(3)])
    for number in range(1, count + 1):
        frame = frames[number % len(frames)]
        start = time.perf_counter()
        tracks = tracker.update(frame)
        if number % 50 == 0:
            if len(tracks) > 1:
                tracker.remove(chance.choice(tracks).id)
            if len(tracks) < 5:
                tracker.add(frame, (chance.uniform(0, 260), chance.uniform(0, 190), 40, 30))
        yield (time.perf_counter() - start) / len(tracks)


def file_in_a_loop(frames: list[Picture], count: int) -> Iterator[float]:
    """Yields the seconds of each frame, reading included; the file is opened again at its end."""
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
                start = time.perf_counter()
                for frame in source:
                    if frame.index == 0:
                        tracker.init(frame.picture, box)
                    else:
                        tracker.update(frame.picture)
                    yield time.perf_counter() - start
                    done += 1
                    start = time.perf_counter()


RUNS = {"Tracker": one_target, "MultiTracker, targets come and go": several_targets, "Tracker on a file in a loop": file_in_a_loop}


def soak(name: str, count: int) -> str:
    """Does one run; returns its row of the table."""
    frames, process = _frames(), psutil.Process()
    run = RUNS[name](frames, count)
    times, samples = [next(run)], []
    first = process.memory_info().rss / 1e6
    start = time.perf_counter()
    for number, seconds in enumerate(run, start=2):
        times.append(seconds)
        if number % max(1, count // SAMPLES) == 0:
            samples.append(Sample(process.memory_info().rss / 1e6, statistics.median(times) * 1e3))
            times = []
            print(f"{name}: {number} frames, {samples[-1].megabytes:.1f} MB, {samples[-1].milliseconds:.2f} ms", flush=True)
        if number >= count:
            break
    growth = samples[-1].megabytes - samples[0].megabytes
    slower = samples[-1].milliseconds / samples[1].milliseconds - 1
    memory = f"{first:.1f} | {samples[0].megabytes:.1f} | {samples[-1].megabytes:.1f} | {growth:+.1f}"
    return f"| {name} | {count} | {time.perf_counter() - start:.0f} | {memory} | {slower:+.0%} |"


def main() -> None:
    """Runs all of them and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000, help="frames of all runs together")
    arguments = parser.parse_args()
    frames = arguments.frames // len(RUNS)
    rows = [soak(name, frames) for name in RUNS]
    PAGE.write_text(
        HEAD.format(runtime="ONNX Runtime", provenance=provenance(f"python -m research.measure.soak --frames {arguments.frames}"))
        + "\n".join(rows)
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
