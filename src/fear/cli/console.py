"""What the commands share: output, messages, and signs of life during long work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console

from fear.errors import FearError

EVERY = 5.0
"""Seconds between two lines that say how far a long work is, where stderr is no terminal."""

_ANNOUNCED = ("fear.loading.convert", "fear.demo.site")
"""The parts of the package whose work is said when it begins, since it takes long: conversions, and the sample of the page."""


class Output(Console):
    """Standard output; where its reader has gone, as with `fear models | head -1`, the command ends with success."""

    def on_broken_pipe(self) -> NoReturn:
        """Hands the matter to the application; the default would end with 1."""
        raise BrokenPipeError


# names of files may hold brackets, which are no markup
out = Output(highlight=False, soft_wrap=True, markup=False)
err = Output(stderr=True, highlight=False, soft_wrap=True, markup=False)


def tell(message: str) -> None:
    """Writes one line to stderr."""
    err.print(f"fear: {' '.join(message.split())}", markup=False)


class _Messages(logging.Handler):
    """Writes warnings of the package as lines, and hands what it is doing to whoever shows that work goes on."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        message = record.getMessage()
        if record.levelno >= logging.WARNING or record.name in _ANNOUNCED:
            tell(message)
        else:
            _Activity.now = message


class _Activity:
    """What the package said last about its work."""

    now = ""


@contextmanager
def messages() -> Iterator[None]:
    """While this holds, the package's messages reach the user of a command."""
    logger, handler = logging.getLogger("fear"), _Messages(logging.INFO)
    before, logger.level = logger.level, logging.INFO
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@contextmanager
def progress(quiet: bool = False, unit: str = "steps") -> Iterator[Callable[[int | None], None]]:
    """Shows how far a work of many steps is: a bar on a terminal, else a line every few seconds.

    Args:
        quiet: Show nothing.
        unit: What is counted.

    Yields:
        What is called after each step, with the number of all steps where it is known.
    """
    if err.is_terminal and not quiet:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        with Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=err, transient=True) as bar:
            task = bar.add_task("", total=None)
            yield lambda total: bar.update(task, advance=1, total=total)
        return
    done, of = 0, ""

    def advance(total: int | None) -> None:
        nonlocal done, of
        done, of = done + 1, "" if total is None else f" of {total}"

    with _lines(lambda: f"{done}{of} {unit}", quiet):
        yield advance


@contextmanager
def working(what: str, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Shows that a work without countable steps goes on: a moving sign on a terminal, else a line every few seconds.

    Args:
        what: What is done, such as `loading fear-xs`.
        quiet: Show nothing.

    Yields:
        What is told when the next part of the work begins.
    """
    _Activity.now = ""
    if err.is_terminal and not quiet:
        with err.status(what) as status:
            yield status.update
        return
    parts = [what]
    with _lines(lambda: _Activity.now or parts[-1], quiet):
        yield parts.append


@contextmanager
def _lines(text: Callable[[], str], quiet: bool) -> Iterator[None]:
    """Writes a line every few seconds, in a thread, since the work itself may be one long call."""
    ended, start = threading.Event(), time.monotonic()

    def write() -> None:
        while not ended.wait(EVERY):
            tell(f"{text()}, {time.monotonic() - start:.0f} s")

    thread = threading.Thread(target=write, name="fear-progress", daemon=True)
    if not quiet:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if not quiet:
            thread.join()


def need(package: str, command: str, extra: str = "export") -> None:
    """Ends the command where a package is not installed or cannot be imported, and says how to install it."""
    import importlib.util

    if importlib.util.find_spec(package) is None:
        raise FearError(f"fear {command} needs {package}, which is not installed: pip install 'fear-tracker[{extra}]'")
    try:
        importlib.import_module(package)
    except Exception as error:  # a broken installation may raise anything
        raise FearError(
            f"fear {command} needs {package}, which is installed but cannot be imported ({type(error).__name__}: {error}): "
            f"pip install --force-reinstall {package}"
        ) from error


def complete_model(incomplete: str) -> list[str]:
    """Names of packaged models that begin so, for the shell."""
    from fear.weights import packaged

    return [name for name in packaged() if name.startswith(incomplete)]


def complete_runtime(incomplete: str) -> list[str]:
    """Names of runtimes that begin so, for the shell."""
    return [name for name in ("auto", "openvino", "onnx", "torch") if name.startswith(incomplete)]
