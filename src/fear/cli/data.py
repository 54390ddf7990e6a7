"""`fear data`: look at data sets and make them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fear.cli.app import app
from fear.cli.console import out, progress

data_app = typer.Typer(help="Look at data sets.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")


@data_app.callback()
def _data() -> None:
    """Look at data sets."""


@data_app.command("check")
def data_check_command(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Where the data set lies.")],
    dataset: Annotated[str, typer.Option(help="Layout: folder, got10k, lasot, nfs, otb, trackingnet or uav123.")] = "folder",
) -> None:
    """Read every picture and box; report counts and what is broken. Exit code 1 where something is."""
    from fear.datasets import read
    from fear.datasets.check import check
    from fear.errors import DatasetError

    clips = read(dataset, root)
    with progress() as advance:
        findings = check(clips, lambda: advance(len(clips)))
    for fault in findings.faults:
        out.print(fault)
    out.print(
        f"{findings.sequences} sequences, {findings.frames} frames, target absent in {findings.absent}, {len(findings.faults)} faults"
    )
    if findings.faults:
        raise DatasetError(f"{root}: expected every picture and box to be sound, got {len(findings.faults)} faults")


@data_app.command("unpack")
def data_unpack_command(
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="A video file or a folder of images.")],
    boxes: Annotated[
        Path,
        typer.Argument(
            metavar="BOXES",
            help="One x,y,w,h line a frame, nan where the target is absent; or a .csv of fear track or a project of fear demo's page.",
        ),
    ],
    output: Annotated[Path, typer.Argument(metavar="ROOT/NAME", help="The clip to write.")],
    target: Annotated[int | None, typer.Option(min=0, help="Which target of a .csv or a project; needed where there are several.")] = None,
) -> None:
    """Turn a video and its boxes into a clip of the layout `folder`, to train or evaluate on."""
    from fear.datasets.unpack import unpack

    with progress() as advance:
        count = unpack(video, boxes, output, on_frame=lambda: advance(None), target=target)
    out.print(f"wrote {count} frames to {output}")


@data_app.command("label")
def data_label_command(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Folders of frames.")],
    output: Annotated[Path, typer.Argument(metavar="TABLE.csv", help="The manifest to write.")],
    dataset: Annotated[str, typer.Option(help="Layout; boxes that it has are not looked at.")] = "clips",
    tracker: Annotated[str, typer.Option(help="As for `fear eval`.")] = "fear-xs",
    targets: Annotated[int, typer.Option(min=1, help="Boxes to try in each clip.")] = 12,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Find boxes in clips without any: what can be followed forth and back along the same way."""
    from fear.datasets import read
    from fear.datasets.label import Labelling, label_clips
    from fear.evaluation.trackers import Spec, create

    clips = read(dataset, root)
    with progress() as advance:
        count = label_clips(clips, create(Spec(tracker)), output, Labelling(targets, seed), on_clip=lambda: advance(len(clips)))
    out.print(f"wrote {count} tracks to {output}")
