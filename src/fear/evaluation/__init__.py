"""Sequences → results → scores → report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from fear.datasets import read
from fear.evaluation.report import Results, write_report
from fear.evaluation.runner import Job, run_all
from fear.evaluation.submissions import SUBMISSIONS, write_submission
from fear.evaluation.trackers import Spec, create

__all__ = ["Spec", "evaluate"]


def evaluate(
    dataset: str,
    root: Path,
    specs: list[Spec],
    output: Path,
    *,
    workers: int = 1,
    cluster: str | None = None,
    names: Iterable[str] | None = None,
    max_frames: int | None = None,
    on_done: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """Runs trackers over a data set and writes results and report.

    Args:
        dataset: Name of the layout.
        root: Where it lies.
        specs: Trackers.
        output: Folder; results that are there already are taken as they are.
        workers: Processes, one thread each.
        cluster: Address of a Ray cluster that runs the jobs instead of this machine.
        names: Sequences, all where None.
        max_frames: Frames of each sequence, all where None.
        on_done: Called with the numbers of jobs done and in all.

    Returns:
        The table of the report, Markdown.

    Raises:
        DatasetError: not such a data set.
        FearError: a tracker cannot be made.
    """
    sequences = [sequence.cut(max_frames) for sequence in read(dataset, root, names)]
    for spec in specs:
        create(spec, threads=1)  # what cannot be made fails now, and conversions are cached before workers share them
    results = Results(output / "results")
    jobs = [Job(spec, sequence, results.folder, 1) for spec in specs for sequence in sequences]
    for done, _ in enumerate(run_all(jobs, workers, cluster), start=1):
        on_done(done, len(jobs))
    for job in jobs:
        results.add(job)
    if dataset in SUBMISSIONS:
        for spec in specs:
            write_submission(dataset, [job for job in jobs if job.spec == spec], output)
    return write_report(results, output)
