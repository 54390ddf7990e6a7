"""`fear train`: run a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fear.cli.app import app
from fear.cli.assignments import parse_assignments
from fear.cli.console import need, out, progress
from fear.media.opencv import require_opencv


@app.command("train")
def train_command(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe's file, or the name of a shipped one such as own_videos.")],
    change: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Another value than the recipe's; repeatable.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the run; runs/NAME by default.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
) -> None:
    """Train a network, on one machine or several."""
    for package in ("torch", "lightning", "kornia"):
        need(package, "train", extra="train")
    require_opencv("fear train")
    from fear.training.recipe import find_recipe, load_recipe
    from fear.training.run import train

    loaded = load_recipe(find_recipe(recipe), parse_assignments(change))
    folder = output or Path("runs") / loaded.name
    # a stage tells itself how far it is; only pictures that are loaded before it are counted here
    with progress(quiet=loaded.machine.pictures != "device", unit="pictures loaded") as advance:
        weights = train(loaded, folder, resume, on_picture=advance, on_epoch=lambda line: typer.echo(line, err=True))
    out.print(f"wrote {weights}; logs, curves and checkpoints lie in {folder}")
