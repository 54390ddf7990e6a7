"""What `fear eval` and `fear.evaluate` do: from a data set and trackers to results, scores and a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from fear.datasets import read
from fear.datasets.clip import Clip
from fear.errors import ConfigError
from fear.evaluation.jobs import Job
from fear.evaluation.others import adopt_results
from fear.evaluation.ownership import claim_data, claim_tracker, read_key, tracker_folders
from fear.evaluation.report import write_report
from fear.evaluation.results import is_done
from fear.evaluation.runner import run_all
from fear.evaluation.starts import choose_starts
from fear.evaluation.submissions import SUBMISSIONS, write_submission
from fear.evaluation.summary import Results, TrackerResults, summarise
from fear.evaluation.trackers import Spec, create, identify


@dataclass(frozen=True, slots=True)
class Options:
    """How an evaluation runs.

    Attributes:
        sequences: Names of the clips to run; None runs all of them.
        max_frames: Only so many frames of each clip; None runs all of them.
        anchors: Distance in frames between many starts, from which trackers run besides; None leaves them out.
        workers: Processes, with one thread each.
        cluster: Address of a Ray cluster that runs the jobs instead of this machine.
        results: Results of others to show beside ours, each with its name and folder, as `others.adopt_results` reads them.
    """

    sequences: tuple[str, ...] | None = None
    max_frames: int | None = None
    anchors: int | None = None
    workers: int = 1
    cluster: str | None = None
    results: tuple[tuple[str, Path], ...] = ()

    def __post_init__(self) -> None:
        for name in ("max_frames", "anchors", "workers"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ConfigError(f"Options.{name}: expected a whole number from 1 up, got {value!r}")
        if self.sequences is not None and (isinstance(self.sequences, str) or not self.sequences):
            raise ConfigError(f"Options.sequences: expected names of clips, or None for all of them, got {self.sequences!r}")


class Evaluation(NamedTuple):
    """What an evaluation found."""

    summary: dict[str, Any]
    """The content of `summary.json`: measures of every tracker, as means and by clip."""
    table: str
    """The main table of the report, in Markdown."""
    output: Path
    """Folder with the results and the report."""


def evaluate(
    root: str | Path,
    trackers: Iterable[str | Path | Spec],
    *,
    dataset: str = "folder",
    output: str | Path = "results",
    options: Options = Options(),
    on_done: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Scores trackers on clips with true boxes, and writes results and a report.

    What earlier calls with the same output have finished is not run again, and the report shows it, too.

    Examples:
        >>> import fear
        >>> found = fear.evaluate("data/own", ["fear-xs", "opencv:csrt"], output="results/own")  # doctest: +SKIP
        >>> print(found.table)  # doctest: +SKIP
        >>> found.summary["trackers"]["fear-xs"]["mean"]["auc"]  # doctest: +SKIP

    Args:
        root: Folder of the data set.
        trackers: Models, as `fear.Tracker` takes them, `opencv:csrt|kcf|mil|nano|vit`, `MODULE:CLASS`, or a `Spec`, which also holds rules,
            a runtime, and the folders of the networks of OpenCV's trackers. The report compares the first one with the others.
        dataset: Layout of the data set, one of `fear.datasets.READERS`.
        output: Folder for results and report.
        options: Which clips and frames to run, and where.
        on_done: Is called with the number of finished runs and the number of all runs.

    Raises:
        DatasetError: The folder has another layout, a clip shows its target in no frame, or the output holds results of other data.
        ConfigError: There is no tracker, or two of them would share a folder. Of two that differ in their rules alone, the later of two
            calls with the same output shows both.
        FearError: A tracker cannot be made.
    """
    output, specs = Path(output), list(dict.fromkeys(one if isinstance(one, Spec) else Spec(str(one)) for one in trackers))
    if not specs and not options.results:
        raise ConfigError("trackers: expected at least one, got none")
    _require_own_names(specs, options.results)
    whole = _read(dataset, Path(root), options, options.sequences)
    clips = [clip.from_first_box() for clip in whole]
    keys = [_prepare(spec) for spec in specs]
    known = claim_data(output, dataset, options.max_frames, clips)
    folders = [claim_tracker(output / "results", spec.folder_name, key) for spec, key in zip(specs, keys, strict=True)]
    adopted = [adopt_results(name, Path(folder), dataset, whole, output / "results") for name, folder in options.results]
    jobs = [
        job for spec, folder in zip(specs, folders, strict=True) for clip in clips for job in _jobs(spec, clip, folder, options.anchors)
    ]
    for done, _ in enumerate(run_all(jobs, options.workers, options.cluster), start=1):
        on_done(done, len(jobs))
    if set(known) > {clip.name for clip in clips}:
        clips = [clip.from_first_box() for clip in _read(dataset, Path(root), options, known)]
    results = _collect(output / "results", [*folders, *adopted], clips, options.anchors)
    if dataset in SUBMISSIONS:
        for spec in specs:
            write_submission(dataset, [job for job in jobs if job.spec == spec and job.start is None], output)
    return Evaluation(summarise(results), write_report(results, output), output)


def _read(dataset: str, root: Path, options: Options, names: Iterable[str] | None) -> list[Clip]:
    return [clip.cut(options.max_frames) for clip in read(dataset, root, names)]


def _require_own_names(specs: Sequence[Spec], others: Sequence[tuple[str, Path]]) -> None:
    """Checks that no two trackers of a call share a folder, not even where the file system takes capital letters for small ones."""
    named = [(spec, "evaluate one after the other, with the same output") for spec in specs]
    named += [(Spec(name), "give these results another NAME") for name, _ in others]
    seen: dict[str, str] = {}
    for spec, remedy in named:
        folder = spec.folder_name.casefold()
        if folder in seen:
            both = f"{seen[folder]!r} and {spec.name!r}"
            raise ConfigError(f"trackers: expected a name that no other tracker has, got {both}, which would share a folder; {remedy}")
        seen[folder] = spec.name


def _prepare(spec: Spec) -> dict[str, Any]:
    """The key of a tracker.

    The tracker is made once, so that an error comes before the first run, and conversions are kept before several processes need them.
    """
    create(spec, threads=1)
    return identify(spec, threads=1)


def _jobs(spec: Spec, clip: Clip, folder: Path, anchors: int | None) -> list[Job]:
    """The run over a clip, and those from many starts where they are wanted."""
    starts = choose_starts(clip.boxes_xywh, anchors) if anchors else []
    return [
        Job(spec, clip, folder),
        *(Job(spec, clip.part(start.frames), folder / "starts", start=start) for start in starts),
    ]


def _collect(results: Path, folders: Sequence[Path], clips: Sequence[Clip], anchors: int | None) -> Results:
    """Everything that is finished, of this call and of earlier ones."""
    found = Results({clip.name: clip for clip in clips})
    for name, folder in tracker_folders(results, folders).items():
        tracker = TrackerResults(read_key(folder) or {})
        starts: list[Job] = []
        for clip in clips:
            whole, *others = _jobs(Spec(name), clip, folder, anchors)
            if is_done(whole):
                tracker.add(whole)
                starts += others
        if starts and all(map(is_done, starts)):
            tracker.add_starts(starts, {clip.name: _size(clip) for clip in clips})
        if tracker.jobs:
            found.trackers[name] = tracker
    return found


def _size(clip: Clip) -> tuple[int, int]:
    """Height and width of a clip's frames."""
    height, width = next(iter(clip.cut(1))).image.shape[:2]
    return height, width
