"""Results in the form that the servers of GOT-10k and TrackingNet take: one archive for each tracker."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fear.evaluation.jobs import Job, Outcome
from fear.evaluation.results import read_outcome
from fear.weights.store import written_whole

Entries = Iterator[tuple[str, str]]
"""Names and texts of files in the archive."""


def _got10k(name: str, outcome: Outcome) -> Entries:
    """`NAME/NAME_001.txt` with `x,y,w,h` and `NAME/NAME_time.txt` with seconds, one line for each frame."""
    yield f"{name}/{name}_001.txt", "".join(",".join(f"{value:.3f}" for value in box) + "\n" for box in outcome.boxes_xywh.tolist())
    yield f"{name}/{name}_time.txt", "".join(f"{value:.8f}\n" for value in outcome.seconds.tolist())


def _trackingnet(name: str, outcome: Outcome) -> Entries:
    """`NAME.txt` with `x,y,w,h`, one line for each frame."""
    yield f"{name}.txt", "".join(",".join(f"{value:.2f}" for value in box) + "\n" for box in outcome.boxes_xywh.tolist())


SUBMISSIONS: dict[str, Callable[[str, Outcome], Entries]] = {"got10k": _got10k, "trackingnet": _trackingnet}


def write_submission(dataset: str, jobs: Sequence[Job], output: Path) -> Path:
    """Writes `submission-<tracker>.zip`.

    Args:
        dataset: `got10k` or `trackingnet`.
        jobs: All runs of one tracker, finished.
        output: Folder of the evaluation.
    """
    path = output / f"submission-{jobs[0].spec.folder_name}.zip"
    with written_whole(path) as unfinished, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for job in jobs:
            for name, text in SUBMISSIONS[dataset](job.clip.name, read_outcome(job)):
                archive.writestr(zipfile.ZipInfo(name), text)  # without the time of day, so that equal results make equal files
    return path
