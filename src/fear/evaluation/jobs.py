"""What an evaluation runs: one tracker over one clip, or over the part of a clip that one of many starts sees."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fear.datasets.clip import Clip
from fear.errors import DatasetError
from fear.evaluation.metrics import Floats
from fear.evaluation.starts import Start
from fear.evaluation.trackers import Spec, create
from fear.tracking.loop import follow
from fear.tracking.protocol import Timed


class Job(NamedTuple):
    """One run."""

    spec: Spec
    clip: Clip
    """The frames in the order in which the tracker sees them."""
    folder: Path
    """Folder of the files."""
    threads: int | None = 1
    start: Start | None = None
    """Where in the clip of the data set the run begins; None for the whole clip."""

    @property
    def name(self) -> str:
        """Name of the files: the clip's name, and the number of the first frame where the run is one of many starts."""
        return self.clip.name if self.start is None else f"{self.clip.name}_{self.start.frame:08d}"


class Outcome(NamedTuple):
    """What a run gave, for each of F frames."""

    boxes_xywh: Floats
    """(F, 4); the first is the given box."""
    seconds: Floats
    """(F,), of `init` and `update`; reading the frames is off the clock."""
    scores: Floats
    """(F,), the tracker's confidence; NaN where the tracker has none."""
    lost: NDArray[np.bool_]
    """(F,), whether the tracker says that it has lost the target."""


def track(job: Job) -> Outcome:
    """Runs a job.

    Raises:
        DatasetError: The first frame has no box, or a picture is damaged.
        FearError: The tracker cannot be made.
    """
    clip = job.clip
    if not clip.visible[0]:
        raise DatasetError(f"{clip.name}: expected a box in the first frame, got {clip.boxes_xywh[0].tolist()}")
    seconds: list[float] = []
    x, y, w, h = clip.boxes_xywh[0].tolist()
    tracker = Timed(create(job.spec, job.threads), seconds.append)
    tracks = [step.tracks[0] for step in follow(tracker, clip, [(x, y, w, h)])]
    return Outcome(
        np.array([one.box_xywh for one in tracks]),
        np.array(seconds),
        np.array([one.score for one in tracks]),
        np.array([one.lost for one in tracks]),
    )
