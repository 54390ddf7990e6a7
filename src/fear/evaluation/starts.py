"""Tracking from many starts: the protocol of VOT-ST2020 to VOT-ST2022 and its measures (Kristan et al., ECCV Workshops 2020).

One run over a clip depends on chance: a target that is lost early costs the whole clip. Here a tracker starts at frames that lie a fixed
distance apart. From starts in the first half of the clip it runs forwards to the end, from starts in the second half backwards to the
beginning, so that no run is short. The measures agree with those of the VOT toolkit, which rounds boxes to whole pixels where these do not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fear.errors import DatasetError
from fear.evaluation.metrics import Floats, has_target
from fear.geometry.boxes import iou

FAILED = 0.1
"""A frame is failed where the overlap is at most this."""
GRACE = 10
"""A run fails with so many failed frames in a row, and a run ends lost where so many frames at its end are failed."""


class Start(NamedTuple):
    """Where a run begins, and its direction."""

    frame: int
    backwards: bool

    @property
    def frames(self) -> slice:
        """The frames of the run, in its order."""
        return slice(self.frame, None, -1 if self.backwards else 1)


class StartScores(NamedTuple):
    """Measures over the runs of one clip or of a data set."""

    eao: float
    """Expected average overlap, 0 to 1."""
    accuracy: float
    """Mean overlap before runs fail, 0 to 1."""
    robustness: float
    """Share of the frames before runs fail, 0 to 1."""
    auc: float
    """Mean success over runs; of a data set, the mean over its clips."""
    lost: float
    """Share of the runs that end lost; of a data set, the share of all its runs."""
    runs: int


class Run(NamedTuple):
    """What is known of one run."""

    overlaps: Floats
    """(F,), as `run_overlaps` returns them."""
    present: NDArray[np.bool_]
    """(F,), whether the frame shows the target."""
    auc: float
    """Success of the run, as `metrics.measure` returns it."""


class ClipRuns(NamedTuple):
    """All runs over one clip."""

    frames: int
    """Length of the clip, its weight in the robustness of a data set."""
    runs: Sequence[Run]


def choose_starts(truth_xywh: Floats, every: int) -> list[Start]:
    """Chooses starts that lie `every` frames apart, counted from the first frame forwards and from the last frame backwards.

    Where the target is absent, the start moves on in the direction of its run by less than `every` frames; a start without such a frame is
    left out.

    Args:
        truth_xywh: (F, 4), NaN where the target is absent.
        every: Distance between starts, in frames.

    Raises:
        DatasetError: The distance is not positive.
    """
    if every < 1:
        raise DatasetError(f"anchors: expected a distance of at least one frame, got {every}")
    present, count = has_target(truth_xywh), len(truth_xywh)
    planned = [Start(frame, False) for frame in range(0, (count + 1) // 2, every)]
    planned += [Start(frame, True) for frame in range(count - 1, (count - 1) // 2, -every)]
    starts: dict[int, Start] = {}
    for start in planned:
        shown = np.flatnonzero(present[start.frames][:every])
        if len(shown):
            frame = start.frame + int(shown[0]) * (-1 if start.backwards else 1)
            starts.setdefault(frame, Start(frame, start.backwards))
    return [start for start in starts.values() if len(range(*start.frames.indices(count))) > 1]


def run_overlaps(tracked_xywh: Floats, truth_xywh: Floats, size: tuple[int, int] | None = None) -> Floats:
    """Overlaps of one run as the VOT toolkit counts them: 0 in the first frame, which is given, and where the target is absent.

    Args:
        tracked_xywh: (F, 4)
        truth_xywh: (F, 4), NaN where the target is absent.
        size: Height and width of the frames, within which boxes are compared; None compares them whole.
    """
    present = has_target(truth_xywh)
    overlaps = np.zeros(len(truth_xywh))
    tracked, truth = tracked_xywh[present], truth_xywh[present]
    if size is not None:
        tracked, truth = _within(tracked, size), _within(truth, size)
    overlaps[present] = np.nan_to_num(iou(tracked, truth))  # a tracker may give no box
    overlaps[:1] = 0
    return overlaps


def frames_before_failure(overlaps: Floats, present: NDArray[np.bool_]) -> int:
    """Number of frames before the run fails; all frames where it does not fail.

    Frames without the target end a row of failed frames, as in the VOT toolkit.
    """
    failed = 0
    for frame, bad in enumerate((overlaps <= FAILED) & present):
        failed = failed + 1 if bad else 0
        if failed == GRACE:
            return frame + 1 - GRACE
    return len(overlaps)


def ends_lost(overlaps: Floats, present: NDArray[np.bool_]) -> bool:
    """Whether the last `GRACE` frames that show the target, or all but the first of a shorter run, are failed."""
    shown = overlaps[1:][present[1:]][-GRACE:]
    return bool(len(shown) and (shown <= FAILED).all())


def score_starts(clips: Sequence[ClipRuns], frames: tuple[int, int]) -> StartScores:
    """Scores the runs of a data set.

    Args:
        clips: The runs of each clip.
        frames: First and last number of frames over which the expected average overlap is averaged.
    """
    runs = [run for clip in clips for run in clip.runs]
    tracked, before, robust, aucs = 0, 0.0, [], []
    for clip in clips:
        kept = [frames_before_failure(run.overlaps, run.present) for run in clip.runs]
        tracked += sum(kept)
        before += sum(float(run.overlaps[:count].sum()) for run, count in zip(clip.runs, kept, strict=True))
        robust.append(_ratio(sum(kept), sum(len(run.overlaps) for run in clip.runs)))
        aucs.append(_mean([run.auc for run in clip.runs]))
    weights = [clip.frames for clip in clips]
    return StartScores(
        eao=expected_average_overlap(runs, frames),
        accuracy=_ratio(before, tracked),
        robustness=_ratio(float(np.dot(robust, weights)), sum(weights)),
        auc=_mean(aucs),
        lost=_ratio(sum(ends_lost(run.overlaps, run.present) for run in runs), len(runs)),
        runs=len(runs),
    )


def expected_average_overlap(runs: Iterable[Run], frames: tuple[int, int]) -> float:
    """The mean of the curve of expected average overlap between two numbers of frames, both included.

    Numbers of frames for which no run counts are left out; NaN where that leaves nothing.
    """
    low, high = frames
    curve = overlap_curve(runs, high)[low : high + 1]
    known = curve[np.isfinite(curve)]
    return float(known.mean()) if len(known) else float("nan")


def overlap_curve(runs: Iterable[Run], length: int) -> Floats:
    """The expected average overlap over the number of frames.

    A run counts up to its own length; a run that failed counts for every length, with an overlap of 0 after its failure.

    Args:
        runs: Of one clip or of a data set.
        length: Length L of the curve.

    Returns:
        (L,); entry j is the mean over runs of their mean overlap in frames 1 to j; NaN where no run counts.
    """
    totals, counts = np.zeros(length), np.zeros(length)
    for run in runs:
        kept = frames_before_failure(run.overlaps, run.present)
        end = min(len(run.overlaps), length)
        sums = np.cumsum(np.where(np.arange(len(run.overlaps)) < kept, run.overlaps, 0)[1:])
        lengths = np.arange(1, length)
        totals[1:end] += sums[: end - 1] / lengths[: end - 1]
        counts[1:end] += 1
        if kept < len(run.overlaps) and end < length:
            totals[end:] += sums[-1] / (lengths[end - 1 :] - 1)  # the toolkit divides by one frame less here
            counts[end:] += 1
    counts[:1] = 1  # no frame, no overlap
    curve: Floats = np.divide(totals, counts, out=np.full(length, np.nan), where=counts > 0)
    return curve


def usual_lengths(runs: Iterable[Run]) -> tuple[int, int]:
    """The middle half of the runs' lengths, over which the expected average overlap is averaged.

    The challenges use 115 to 755 frames, which suits their clips alone.
    """
    low, high = np.percentile([len(run.overlaps) for run in runs], (25, 75)).round().astype(int).tolist()
    return max(low, 1), max(high, 2)


def _within(boxes_xywh: Floats, size: tuple[int, int]) -> Floats:
    """Boxes cut to a frame of some height and width."""
    height, width = size
    corners = np.clip(np.concatenate((boxes_xywh[:, :2], boxes_xywh[:, :2] + boxes_xywh[:, 2:]), axis=1), 0, (width, height) * 2)
    return np.concatenate((corners[:, :2], corners[:, 2:] - corners[:, :2]), axis=1)


def _mean(values: Sequence[float]) -> float:
    """The mean without NaN; NaN where nothing else is left."""
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
