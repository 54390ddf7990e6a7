"""The signals that ask a program to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Ctrl-C; what services and containers send; what a terminal sends when it is closed (not on Windows)."""


def is_interruption(error: BaseException) -> bool:
    """Whether Ctrl-C is behind an error: libraries in C++ that are interrupted while they are imported raise an ImportError instead."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, KeyboardInterrupt):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


@contextmanager
def on_ending_signal(handler: Callable[[int, Any], Any]) -> Iterator[None]:
    """Calls a handler when a signal asks the program to end. Afterwards the handlers are what they were before.

    What the caller ignores stays ignored: `nohup` starts programs that outlive their terminal. Outside the main thread, where Python allows
    no handlers, nothing changes.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in ENDING:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):  # None: not Python has set it
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
