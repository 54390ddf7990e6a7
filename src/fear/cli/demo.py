"""`fear demo`: the page in the browser."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from fear.cli.app import app
from fear.cli.console import out


@app.command("demo")
def demo_command(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the page is served on this machine; 0 takes a free port.")] = 8000,
    output: Annotated[Path | None, typer.Option(help="Write the page as plain files for any web server instead.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the default browser.")] = False,
) -> None:
    """Serve the page that tracks in the browser."""
    from fear.demo import serve, write_site

    if output is not None:
        out.print(f"wrote {write_site(output)} files to {output}")
        return

    def ready(address: str) -> None:
        typer.echo(f"the page is at {address} – Ctrl-C ends it")
        if open_page:
            import webbrowser

            webbrowser.open(address)

    with suppress(KeyboardInterrupt):  # how it is meant to end
        serve(port, ready)
