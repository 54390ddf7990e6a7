"""Runs trackers over sequences, each result a pair of small files; what is there already is not run again."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fear.datasets.clip import Clip
from fear.datasets.files import read_boxes
from fear.datasets.frames import read_frame
from fear.errors import DatasetError
from fear.evaluation.trackers import Spec, create

Floats = NDArray[np.float64]


class Job(NamedTuple):
    """One tracker on one sequence."""

    spec: Spec
    sequence: Clip
    output: Path
    """Folder `results`; the files go into its folder of the tracker."""
    threads: int | None

    @property
    def boxes_path(self) -> Path:
        """`<tracker>/<sequence>.txt`"""
        return self.output / self.spec.folder_name / f"{self.sequence.name}.txt"

    @property
    def time_path(self) -> Path:
        """`<tracker>/<sequence>_time.txt`"""
        return self.boxes_path.with_name(f"{self.sequence.name}_time.txt")


def run_all(jobs: list[Job], workers: int = 1, cluster: str | None = None) -> Iterator[Job]:
    """Runs what is not done, and yields every job when it is; those done before come first.

    Args:
        jobs: What to run.
        workers: Processes on this machine.
        cluster: Address of a Ray cluster that runs the jobs instead.
    """
    waiting = []
    for job in jobs:
        if is_done(job):
            yield job
        else:
            waiting.append(job)
    if cluster is not None:
        from fear.evaluation.cluster import run_on_cluster

        yield from run_on_cluster(waiting, cluster)
        return
    if workers == 1:
        for job in waiting:
            run(job)
            yield job
        return
    # spawned, not forked: the runtimes' threads do not survive a fork
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(run, job): job for job in waiting}
        try:
            for future in as_completed(futures):
                future.result()
                yield futures[future]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def is_done(job: Job) -> bool:
    """Both files are there with a line for every frame."""
    try:
        boxes, seconds = read_result(job)
    except (DatasetError, ValueError, OSError):
        return False
    return len(boxes) == len(seconds) == len(job.sequence)


def read_result(job: Job) -> tuple[Floats, Floats]:
    """Boxes (F, 4) and seconds (F,) of a job that is done."""
    return read_boxes(job.boxes_path), np.loadtxt(job.time_path, ndmin=1)


class Outcome(NamedTuple):
    """What tracking a sequence gave, as the texts of its two files."""

    boxes: str
    seconds: str


def run(job: Job) -> None:
    """Tracks one sequence and writes its files."""
    keep(job, track_sequence(job))


def track_sequence(job: Job) -> Outcome:
    """Tracks one sequence; reading pictures is off the clock.

    Raises:
        DatasetError: no box in the first frame, or a broken picture.
    """
    sequence = job.sequence
    if not sequence.visible[0]:
        raise DatasetError(f"{sequence.name}: expected a box in the first frame, got {sequence.boxes_xywh[0].tolist()}")
    tracker = create(job.spec, job.threads)
    x, y, w, h = sequence.boxes_xywh[0].tolist()
    box = (x, y, w, h)
    boxes, seconds = [], []
    for index, path in enumerate(sequence.frames):
        frame = read_frame(path)
        start = time.perf_counter()
        if index == 0:
            tracker.init(frame, box)
        else:
            box = tracker.update(frame)
        seconds.append(time.perf_counter() - start)
        boxes.append(box)
    return Outcome(
        "".join(",".join(f"{value:.4f}" for value in box) + "\n" for box in boxes), "".join(f"{value:.6f}\n" for value in seconds)
    )


def keep(job: Job, outcome: Outcome) -> None:
    """Writes the files of a job."""
    job.boxes_path.parent.mkdir(parents=True, exist_ok=True)
    _write(job.boxes_path, outcome.boxes)
    _write(job.time_path, outcome.seconds)


def _write(path: Path, text: str) -> None:
    """Whole or not at all, also when killed in between."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
