"""Results as the servers of GOT-10k and TrackingNet take them: one zip a tracker."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from fear.evaluation.runner import Job, read_result

Entries = Iterator[tuple[str, str]]


def _got10k(job: Job) -> Entries:
    """`NAME/NAME_001.txt` with `x,y,w,h` and `NAME/NAME_time.txt` with seconds, one line a frame."""
    name = job.sequence.name
    boxes, seconds = read_result(job)
    yield f"{name}/{name}_001.txt", "".join(",".join(f"{value:.3f}" for value in box) + "\n" for box in boxes.tolist())
    yield f"{name}/{name}_time.txt", "".join(f"{value:.8f}\n" for value in seconds.tolist())


def _trackingnet(job: Job) -> Entries:
    """`NAME.txt` with `x,y,w,h`, one line a frame."""
    boxes, _ = read_result(job)
    yield f"{job.sequence.name}.txt", "".join(",".join(f"{value:.2f}" for value in box) + "\n" for box in boxes.tolist())


SUBMISSIONS: dict[str, Callable[[Job], Entries]] = {"got10k": _got10k, "trackingnet": _trackingnet}


def write_submission(dataset: str, jobs: list[Job], output: Path) -> Path:
    """Writes `submission-<tracker>.zip`.

    Args:
        dataset: `got10k` or `trackingnet`.
        jobs: Of one tracker, all done.
        output: Folder of the evaluation.
    """
    path = output / f"submission-{jobs[0].spec.folder_name}.zip"
    unfinished = path.with_name(f".{path.name}.unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for job in jobs:
            for name, text in SUBMISSIONS[dataset](job):
                archive.writestr(zipfile.ZipInfo(name), text)  # without the time of day: equal results make equal files
    unfinished.replace(path)
    return path
