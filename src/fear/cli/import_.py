"""`fear import`: the published CoreML files as a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fear.cli.app import app
from fear.cli.console import need, out, working


@app.command("import")
def import_command(
    tracker: Annotated[Path, typer.Argument(metavar="TRACKER.mlmodel", help="The published network.")],
    init: Annotated[Path, typer.Argument(metavar="INIT.mlmodel", help="Its template part.")],
    output: Annotated[Path, typer.Option(help="Checkpoint to write, .safetensors.")],
) -> None:
    """Turn the published CoreML files into a checkpoint."""
    if output.suffix != ".safetensors":
        raise typer.BadParameter(f"expected a .safetensors file, got {output}", param_hint="--output")
    need("torch", "import")
    from fear.loading.convert import import_published

    with working(f"reading {tracker}"):
        card = import_published(tracker, init, output)
    out.print(f"wrote {output}: {card.network.name}, {card.parameters:,} parameters, without dynamic template")
