"""`fear eval`: score trackers on clips with true boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fear.cli.app import app
from fear.cli.assignments import parse_rules
from fear.cli.console import complete_runtime, out, progress


@app.command("eval")
def eval_command(
    root: Annotated[Path, typer.Option(help="Folder of the data set.")],
    dataset: Annotated[str, typer.Option(help="Layout: folder, got10k, lasot, nfs, otb, trackingnet or uav123.")] = "folder",
    tracker: Annotated[
        list[str] | None, typer.Option(help="A model, opencv:csrt|kcf|mil|nano|vit, published:DIR or MODULE:CLASS; repeatable.")
    ] = None,
    results: Annotated[
        list[str] | None, typer.Option(metavar="NAME=DIR", help="Results of others to show beside ours, one text file a clip; repeatable.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder for results and report; what is finished is not run again.")] = Path("results"),
    workers: Annotated[int, typer.Option(min=1, help="Processes, one thread each.")] = 1,
    cluster: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Run on this Ray cluster; local starts one here.")] = None,
    sequences: Annotated[str | None, typer.Option(help="Only these clips, separated by commas.")] = None,
    max_frames: Annotated[int | None, typer.Option(min=2, max=2**31, help="Only the first frames of each clip.")] = None,
    anchors: Annotated[
        int | None, typer.Option(min=1, help="Start at every so many frames, too, forwards and backwards, as VOT does.")
    ] = None,
    nano: Annotated[Path | None, typer.Option(help="Folder with the networks of opencv:nano.")] = None,
    vit: Annotated[Path | None, typer.Option(help="Folder with the network of opencv:vit.")] = None,
    runtime: Annotated[str, typer.Option(help="auto, openvino, onnx or torch.", autocompletion=complete_runtime)] = "auto",
    rules: Annotated[list[str] | None, typer.Option("--set", help="A rule of FEAR trackers, such as window=0.38; repeatable.")] = None,
) -> None:
    """Score trackers on clips with true boxes."""
    from fear.config import TrackerConfig
    from fear.evaluation import Options, Spec, evaluate
    from fear.loading.load import computed_by

    config = TrackerConfig.from_dict(parse_rules(rules))
    specs = [Spec(name, config, runtime, nano, vit) for name in tracker or ["fear-xs"]]
    names = tuple(sequences.split(",")) if sequences else None
    options = Options(names, max_frames, anchors, workers, cluster, tuple(map(_named_folder, results or ())))
    with progress(unit="runs") as advance:
        found = evaluate(root, specs, dataset=dataset, output=output, options=options, on_done=lambda _, total: advance(total))
    out.print(found.table)
    computed = {name: entry.get("key", {}).get("runtime") for name, entry in found.summary["trackers"].items()}
    for name, description in computed.items():
        if description is not None:  # trackers of others say nothing
            out.print(f"{name}: computed by {computed_by(description)}, one thread", markup=False)
    out.print("wrote " + ", ".join(str(output / name) for name in ("summary.json", "summary.csv", "report.md")))


def _named_folder(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not name or not equals or not folder:
        raise typer.BadParameter(f"expected NAME=DIR, got {text!r}", param_hint="--results")
    return name, Path(folder)
