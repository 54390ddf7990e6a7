"""What the commands share: output and progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console

from fear.errors import FearError


class Output(Console):
    """Standard output; where its reader has gone, as with `fear models | head -1`, the command ends with success."""

    def on_broken_pipe(self) -> NoReturn:
        """Hands the matter to the application; the default would end with 1."""
        raise BrokenPipeError


out = Output(highlight=False, soft_wrap=True)


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[int | None], None]]:
    """A progress bar on stderr, where that is a terminal; yields what advances it, given the total where it is known."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda total: bar.update(task, advance=1, total=total)


def need(package: str, command: str, extra: str = "export") -> None:
    """Ends the command where a package is not installed, and says how to install it."""
    import importlib.util

    if importlib.util.find_spec(package) is None:
        raise FearError(f"fear {command} needs {package}, which is not installed: pip install 'fear-tracker[{extra}]'")
