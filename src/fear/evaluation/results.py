"""The files of a run.

OUTPUT/results/<tracker>/<clip>.txt     `x,y,w,h` of each frame
OUTPUT/results/<tracker>/<clip>_time.txt, _score.txt, _lost.txt
OUTPUT/results/<tracker>/starts/<clip>_<first frame>.txt and so on
"""

from __future__ import annotations

import warnings

import numpy as np

from fear.datasets.files import read_boxes
from fear.errors import DatasetError
from fear.evaluation.jobs import Job, Outcome
from fear.weights.store import write_text_whole

KINDS = ("time", "score", "lost")
"""Of the files beside the boxes."""


def write_outcome(job: Job, outcome: Outcome) -> None:
    """Writes the files of a run, each of them whole or not at all."""
    job.folder.mkdir(parents=True, exist_ok=True)
    write_text_whole(job.folder / f"{job.name}_score.txt", "".join(f"{value:.4f}\n" for value in outcome.scores))
    write_text_whole(job.folder / f"{job.name}_lost.txt", "".join(f"{int(value)}\n" for value in outcome.lost))
    write_text_whole(
        job.folder / f"{job.name}.txt", "".join(",".join(f"{value:.4f}" for value in box) + "\n" for box in outcome.boxes_xywh)
    )
    write_text_whole(job.folder / f"{job.name}_time.txt", "".join(f"{value:.6f}\n" for value in outcome.seconds))


def read_outcome(job: Job) -> Outcome:
    """Reads the files of a run.

    Raises:
        DatasetError: A file is missing or damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # an empty file is told by the number of its lines
            seconds, scores, lost = (np.loadtxt(job.folder / f"{job.name}_{kind}.txt", ndmin=1) for kind in KINDS)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{job.folder / job.name}: expected the files of a finished run ({error})") from error
    return Outcome(read_boxes(job.folder / f"{job.name}.txt"), seconds, scores, lost.astype(bool))


def is_done(job: Job) -> bool:
    """Whether all files of a run are there, with a line for every frame."""
    try:
        outcome = read_outcome(job)
    except DatasetError:
        return False
    return all(len(part) == len(job.clip) for part in outcome)
