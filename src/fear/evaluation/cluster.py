"""Runs jobs on several machines, by Ray.

Every machine needs this package, and the data set at the same path. The outcomes travel back to the caller, which writes the same files as
for a run on one machine, so that an evaluation may begin on a cluster and end on one machine.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from fear.errors import FearError, RuntimeMissingError
from fear.evaluation.jobs import Job, Outcome, track

_RETRIES = 3  # of a job whose machine is gone


def run_on_cluster(jobs: list[Job], address: str) -> Iterator[tuple[Job, Outcome]]:
    """Runs jobs, each of them on one processor of the cluster.

    Args:
        jobs: What to run.
        address: As `ray.init` takes it: `auto`, `HOST:PORT`, `ray://HOST:PORT`, or `local` for a cluster on this machine alone.

    Yields:
        Jobs and their outcomes as they are done.

    Raises:
        RuntimeMissingError: Ray is not installed.
        FearError: There is no such cluster, or what a job raised.
    """
    try:
        import ray
    except ImportError as error:
        raise RuntimeMissingError("--cluster needs Ray: pip install 'fear-tracker[cluster]'") from error
    if not jobs:
        return
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, include_dashboard=False if address == "local" else None)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise FearError(f"--cluster {address}: expected a Ray cluster ({' '.join(str(error).split())[:200]})") from error
    try:
        remote = ray.remote(num_cpus=1, max_retries=_RETRIES)(track)
        running = {remote.remote(job): job for job in jobs}
        while running:
            (done,), _ = ray.wait(list(running), num_returns=1)
            job = running.pop(done)
            try:
                outcome: Outcome = ray.get(done)
            except ray.exceptions.RayTaskError as error:
                cause = error.cause
                raise cause if isinstance(cause, FearError) else FearError(f"{job.clip.name}: {error}") from error
            yield job, outcome
    finally:
        ray.shutdown()
