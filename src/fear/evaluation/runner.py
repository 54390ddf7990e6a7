"""Runs jobs: one after the other, in several processes, or on a cluster. What is done already is not run again."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed

from fear.errors import FearError
from fear.evaluation.jobs import Job, Outcome, track
from fear.evaluation.results import is_done, write_outcome

_LOOK = 2.0
"""Seconds between two looks of a worker at its parent."""


def run_all(jobs: Sequence[Job], workers: int = 1, cluster: str | None = None) -> Iterator[Job]:
    """Runs jobs and writes their files.

    Args:
        jobs: What to run.
        workers: Processes on this machine.
        cluster: Address of a Ray cluster that runs the jobs instead.

    Yields:
        Every job when it is done; jobs that were done before come first.

    Raises:
        FearError: What a job raised; the outcomes before it are kept.
    """
    waiting = []
    for job in jobs:
        if is_done(job):
            yield job
        else:
            waiting.append(job)
    for job, outcome in _outcomes(waiting, workers, cluster):
        write_outcome(job, outcome)
        yield job


def _outcomes(jobs: list[Job], workers: int, cluster: str | None) -> Iterator[tuple[Job, Outcome]]:
    if cluster is not None:
        from fear.evaluation.cluster import run_on_cluster

        yield from run_on_cluster(jobs, cluster)
    elif workers > 1 and len(jobs) > 1:
        yield from _in_processes(jobs, workers)
    else:
        for job in jobs:
            yield job, track(job)


def _in_processes(jobs: list[Job], workers: int) -> Iterator[tuple[Job, Outcome]]:
    # processes are spawned, not forked, since the threads of the runtimes do not survive a fork
    spawn = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())  # of the program that calls this
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=spawn, initializer=_end_with_parent, initargs=(os.getpid(),)) as pool:
        futures = {pool.submit(track, job): job for job in jobs}
        # Python watches only those workers that it had started before a call of `submit` was noticed. Without one more call, the end of the
        # last worker could stay unseen until another worker gives a result.
        pool.submit(os.getpid)
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenExecutor as error:
            raise FearError(
                "a worker process was ended from outside, perhaps for want of memory; what is finished is kept, the same command goes on"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()  # else the end of the clips at hand is waited for, though nobody takes their outcomes
            raise


def _end_with_parent(parent: int) -> None:
    """Ends this worker process soon after its parent has ended, however that was."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
