"""The application `fear` and what its commands do about failures."""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

import fear
from fear.cli.console import messages
from fear.errors import FearError, shortened
from fear.parsing import one_line
from fear.signals import on_ending_signal

_UsageError: Any = typer.BadParameter.__mro__[1]
_ClickError: Any = typer.BadParameter.__mro__[2]  # typer carries its own click and does not export these two


class _Commands(TyperGroup):
    """Every failure is one line on stderr: usage errors end with 2, any other with 1.

    What asks a program to end, such as SIGTERM, ends it as Ctrl-C does, so that nothing half-written stays behind.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            with on_ending_signal(signal.default_int_handler):
                return super().invoke(ctx)
        except KeyboardInterrupt:  # typer would end without a word
            self._end("interrupted", 1)

    def main(self, *args: Any, **options: Any) -> Any:
        standalone = options.get("standalone_mode", True)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # names that the terminal's or the pipe's encoding lacks are written with escapes
                stream.reconfigure(errors="backslashreplace")
        try:
            with messages():
                code = super().main(*args, **options | {"standalone_mode": False})
            if sys.stdout is not None:  # a shell's `>&-` closes it
                sys.stdout.flush()
        except _UsageError as error:
            if type(error).__name__ == "NoArgsIsHelpError":  # of `fear` and `fear data` alone; its message is the help
                typer.echo(error.ctx.get_help())
                raise SystemExit(0) from None
            self._end(error.format_message(), 2)
        except _ClickError as error:
            self._end(error.format_message(), error.exit_code)
        except FearError as error:
            self._end(str(error), 1)
        except (KeyboardInterrupt, typer.Abort):
            self._end("interrupted", 1)
        except BrokenPipeError:
            self._end_quietly()
        except SystemExit as end:  # typer turns a pipe whose reader has gone into exit code 1
            if isinstance(end.__context__, BrokenPipeError):
                self._end_quietly()
            raise
        except OSError as error:  # a full disk, a folder without permission
            self._end(f"{error.filename or 'the system'}: {error.strerror or error}", 1)
        except UnicodeEncodeError as error:  # a file name that is not UTF-8, in a file that has to be
            self._end(f"expected names and texts in UTF-8, got {error.object[:80]!r}", 1)
        except Exception as error:  # a fault of ours; users need a line that they can report, and developers the place
            if os.environ.get("FEAR_TRACEBACK"):
                raise
            self._end(f"unexpected {type(error).__name__}: {error}; please report it, with the lines that FEAR_TRACEBACK=1 adds", 1)
        if standalone:
            raise SystemExit(code if isinstance(code, int) else 0)
        return code

    @staticmethod
    def _end_quietly() -> NoReturn:
        """Ends with success where the reader of the output has gone, as with `fear models | head -1`."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still in the buffer goes nowhere
        raise SystemExit(0)

    @staticmethod
    def _end(message: str, code: int) -> NoReturn:
        typer.echo(f"fear: {shortened(one_line(message))}", err=True)
        raise SystemExit(code)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},  # of all commands
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(fear.__version__)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Follow one object through a video, in real time, on an ordinary CPU.

    For example: fear track race.mp4 --select --output followed.mp4

    Each command has a help of its own: fear track --help
    """
