"""`fear demo`: the page in the browser."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from fear.cli.app import app
from fear.cli.console import out

_OPENED = (
    "Everyone who can reach this machine can now open the page and load its networks. No other file is served and nothing is received."
)
_PLAIN = (
    "Over plain http, browsers keep the camera, threads and video decoders from pages of other machines: files open, tracking is slower. "
    "--certificate and --key serve over https."
)


@app.command("demo")
def demo_command(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the page is served on this machine; 0 takes a free port.")] = 8000,
    host: Annotated[
        str,
        typer.Option(help="Serve on this address; 0.0.0.0 opens the page to all machines that can reach this one."),
    ] = "127.0.0.1",
    certificate: Annotated[Path | None, typer.Option(help="Serve over https with this PEM file; needs --key.")] = None,
    key: Annotated[Path | None, typer.Option(help="The certificate's private key, a PEM file.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the page as plain files for any web server instead.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the default browser.")] = False,
) -> None:
    """Serve the page that tracks in the browser."""
    from fear.demo import HOST, Certificate, serve, write_site
    from fear.errors import ConfigError

    if (certificate is None) != (key is None):
        raise ConfigError("expected --certificate and --key together, got one of them")

    if output is not None:
        out.print(f"wrote {write_site(output)} files to {output}")
        return

    def ready(address: str) -> None:
        typer.echo(f"the page is at {address} – Ctrl-C ends it")
        if host != HOST:
            typer.echo(_OPENED if certificate is not None else f"{_OPENED} {_PLAIN}", err=True)
        if open_page:
            import webbrowser

            webbrowser.open(address)

    with suppress(KeyboardInterrupt):  # how it is meant to end
        serve(port, ready, host, None if certificate is None or key is None else Certificate(certificate, key))
