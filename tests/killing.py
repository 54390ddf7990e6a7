"""Kills a program at chosen moments, as `kill -9` or a power cut does."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable

_TOUCHING = ("open", "os.", "shutil.", "tempfile.")
"""Audit events of Python that change files, or are about to."""


def run_and_kill(call: Callable[[], object], at: int | None) -> int | None:
    """Runs something in a forked process, and kills it right before it touches files for the nth time.

    Args:
        call: What it does.
        at: The number of the touch; None lets it run to its end.

    Returns:
        How often files were touched; None where it was killed.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        count = 0

        def touch(event: str, details: tuple[object, ...]) -> None:
            nonlocal count
            if event.startswith(_TOUCHING):
                count += 1
                if count == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(touch)
            call()
            os.write(writing, str(count).encode())
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    _, status = os.waitpid(process, 0)
    with os.fdopen(reading) as told:
        text = told.read()
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None
    assert status == 0
    return int(text)
