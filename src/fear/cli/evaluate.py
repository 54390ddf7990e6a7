"""`fear eval`: score trackers on sequences with true boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fear.cli.app import app
from fear.cli.assignments import parse_rules
from fear.cli.console import out, progress


@app.command("eval")
def eval_command(
    root: Annotated[Path, typer.Option(help="Where the data set lies.")],
    dataset: Annotated[str, typer.Option(help="Layout: folder, got10k, lasot, nfs, otb, trackingnet or uav123.")] = "folder",
    tracker: Annotated[
        list[str] | None, typer.Option(help="A model, opencv:csrt|kcf|mil|nano, published:DIR or MODULE:CLASS; repeatable.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder for results and report; what is there is not run again.")] = Path("results"),
    workers: Annotated[int, typer.Option(min=1, help="Processes, one thread each.")] = 1,
    cluster: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Run on this Ray cluster; local starts one here.")] = None,
    sequences: Annotated[str | None, typer.Option(help="Only these, comma-separated.")] = None,
    max_frames: Annotated[int | None, typer.Option(min=2, help="Only the first frames of each sequence.")] = None,
    nano: Annotated[Path | None, typer.Option(help="Folder with NanoTrack's networks, for opencv:nano.")] = None,
    runtime: Annotated[str, typer.Option(help="auto, openvino, onnx or torch.")] = "auto",
    rules: Annotated[list[str] | None, typer.Option("--set", help="A rule of FEAR trackers, such as window=0.38; repeatable.")] = None,
) -> None:
    """Score trackers on sequences with true boxes."""
    from fear.config import TrackerConfig
    from fear.evaluation import evaluate
    from fear.evaluation.trackers import Spec

    config = TrackerConfig.from_dict(parse_rules(rules))
    specs = [Spec(name, config, runtime, nano) for name in tracker or ["fear-xs"]]
    names = sequences.split(",") if sequences else None
    with progress() as advance:
        table = evaluate(
            dataset,
            root,
            specs,
            output,
            workers=workers,
            cluster=cluster,
            names=names,
            max_frames=max_frames,
            on_done=lambda _, total: advance(total),
        )
    out.print(table)
    out.print(f"wrote {output / 'summary.json'}, {output / 'report.md'}")
