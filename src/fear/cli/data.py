"""`fear data`: look at data sets and make them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fear.cli.app import app
from fear.cli.console import out, progress

if TYPE_CHECKING:
    from fear.annotations.formats import Reading

data_app = typer.Typer(help="Look at data sets and make them.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")

_Video = Annotated[str | None, typer.Option(metavar="VIDEO", help="The video or folder of images, which says its size and rate.")]
_Size = Annotated[str | None, typer.Option(metavar="WIDTHxHEIGHT", help="Size of the frames, where no --video says it.")]
_Rate = Annotated[float | None, typer.Option(min=0.001, help="Frames per second, where no --video says it.")]
_OneBased = Annotated[
    bool,
    typer.Option("--one-based", help="The first pixel has coordinate 1, as in MOTChallenge's own truth; for MOT, .csv, .jsonl and .txt."),
]
_First = Annotated[
    int | None,
    typer.Option(min=0, help="Number of the first frame; by default 1 in MOT, 0 in .csv, .jsonl, YOLO and COCO. Other formats say it."),
]


@data_app.callback()
def _data() -> None:
    """Look at data sets and make them."""


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
    with progress(unit="clips") as advance:
        findings = check(clips, lambda: advance(len(clips)))
    for fault in findings.faults:
        out.print(fault, markup=False)
    out.print(
        f"{findings.sequences} sequences, {findings.frames} frames, target absent in {findings.absent}, {len(findings.faults)} faults"
    )
    if findings.faults:
        raise DatasetError(f"{root}: expected every picture and box to be sound, got {len(findings.faults)} faults")


@data_app.command("unpack")
def data_unpack_command(
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="A video file or a folder of images.")],
    places: Annotated[
        list[Path],
        typer.Argument(
            metavar="[BOXES] ROOT/NAME",
            help="Boxes: one x,y,w,h line a frame, nan where the target is absent; or any format that fear data import reads, or a project "
            "of fear demo's page. Then the clip to write; without boxes it holds the frames alone.",
        ),
    ],
    target: Annotated[int | None, typer.Option(min=0, help="Which target of the boxes; needed where there are several.")] = None,
    first: _First = None,
    one_based: _OneBased = False,
) -> None:
    """Turn a video and its boxes into a clip to train or evaluate on.

    The clip has the layout `folder`.
    """
    from fear.datasets.unpack import unpack

    if len(places) > 2:
        raise typer.BadParameter(f"expected VIDEO [BOXES] ROOT/NAME, got {len(places) + 1} names", param_hint="[BOXES] ROOT/NAME")
    *boxes, output = places
    if not boxes and (first is not None or one_based):
        raise typer.BadParameter("expected boxes with --first or --one-based, got none", param_hint="[BOXES] ROOT/NAME")
    with progress(unit="frames") as advance:
        how = _reading(video if boxes and boxes[0].is_dir() else None, None, None, first, one_based)
        count = unpack(video, boxes[0] if boxes else None, output, lambda: advance(None), target, how)
    out.print(f"wrote {count} frames to {output}", markup=False)


@data_app.command("import")
def data_import_command(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="MOT (.txt or folder), COCO (.json), YOLO (folder), CVAT (.xml or .zip).")
    ],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help=".csv, .jsonl or .txt; or a clip ROOT/NAME that has frames only.")],
    format: Annotated[str | None, typer.Option(metavar="NAME", help="mot, coco, yolo or cvat, where the name does not tell.")] = None,
    target: Annotated[int | None, typer.Option(min=0, help="Which target alone; needed for a clip where there are several.")] = None,
    video: _Video = None,
    size: _Size = None,
    rate: _Rate = None,
    first: _First = None,
    one_based: _OneBased = False,
) -> None:
    """Turn another program's boxes into ours.

    What had to be left out or assumed is said.
    """
    from fear.datasets.exchange import import_boxes, require_apart

    if video is not None:
        require_apart(output, video)
    for line in import_boxes(source, output, format, _reading(video, size, rate, first, one_based), target):
        out.print(line, markup=False)
    out.print(f"wrote {output}", markup=False)


@data_app.command("export")
def data_export_command(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Our .csv, .jsonl, .txt or project, a clip, or a folder of clips.")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help=".mot.txt, .coco.json, .cvat.xml, or a new folder for YOLO.")],
    format: Annotated[
        str | None, typer.Option(metavar="NAME", help="mot, coco, cvat, yolo (to train with) or yolo-tracks (with ids).")
    ] = None,
    video: _Video = None,
    size: _Size = None,
    rate: _Rate = None,
    one_based: Annotated[
        bool, typer.Option("--one-based", help="Write MOT whose first pixel has coordinate 1, as in MOTChallenge's own truth.")
    ] = False,
) -> None:
    """Turn our boxes into another program's.

    What its format cannot hold is left out, and said.
    """
    from fear.datasets.exchange import export_boxes, require_apart

    if video is not None:
        require_apart(output, video)
    for line in export_boxes(source, output, format, _reading(video, size, rate, None, one_based)):
        out.print(line, markup=False)
    out.print(f"wrote {output}", markup=False)


@data_app.command("label")
def data_label_command(
    root: Annotated[Path, typer.Argument(metavar="SOURCE", help="A video file, or a folder with folders of frames.")],
    output: Annotated[Path, typer.Argument(metavar="TABLE.csv", help="The manifest to write; TABLE.png shows its tracks.")],
    dataset: Annotated[str, typer.Option(help="Layout of a folder; boxes that it has are not looked at.")] = "clips",
    tracker: Annotated[str, typer.Option(help="As for `fear eval`.")] = "fear-xs",
    targets: Annotated[int, typer.Option(min=1, help="Boxes to try in each clip.")] = 12,
    least: Annotated[float, typer.Option(min=0, max=1, help="Objectness that a track needs; 0 keeps walls as well.")] = 0.15,
    length: Annotated[int, typer.Option(min=2, help="Frames of the clips into which a video is cut.")] = 120,
    max_frames: Annotated[int | None, typer.Option(min=2, max=2**31, help="Only the first frames of a video.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Find things that can be followed in clips without boxes.

    A track is kept where it goes the same way forth and back and looks like a thing.

    The frames of a video are written to a folder beside the table, since the table names them.
    """
    from fear.datasets import read
    from fear.datasets.label import Labelling, label_clips
    from fear.datasets.unpack import unpack_parts
    from fear.errors import DatasetError
    from fear.evaluation.trackers import Spec, create

    if output.suffix.lower() != ".csv":  # so that table, sheet and frames have names that differ
        raise DatasetError(f"{output}: expected the name of a table that ends with .csv, got {output.suffix or 'no suffix'}")
    sheet, frames = output.with_suffix(".png"), output.with_suffix("")
    for path, kind in ((output, "table"), (sheet, "picture"), *([(frames, "folder")] if root.is_file() else [])):
        if path.exists():
            raise DatasetError(f"{path}: expected a new {kind}, found one that exists")
    found = create(Spec(tracker))
    if root.is_file():
        with progress(unit="frames") as advance:
            unpack_parts(root, frames, length, max_frames, lambda: advance(None))
        root, dataset = frames, "clips"
    clips = read(dataset, root)
    with progress(unit="clips") as advance:
        count = label_clips(clips, found, output, Labelling(targets, seed, least), lambda: advance(len(clips)), sheet)
    out.print(f"wrote {count} tracks to {output}, pictures of them to {sheet}", markup=False)


def _reading(video: str | None, size: str | None, rate: float | None, first: int | None, one_based: bool) -> Reading:
    from fear.annotations.annotation import Facts
    from fear.annotations.formats import Reading
    from fear.datasets.exchange import video_facts

    width, cross, height = (size or "").lower().replace("×", "x").partition("x")
    if size is not None and not (cross and all(side.isdecimal() and len(side) < 7 and int(side) for side in (width, height))):
        raise typer.BadParameter(f"expected WIDTHxHEIGHT such as 1280x720, got {size!r}", param_hint="--size")
    given = Facts(width=int(width), height=int(height), rate=rate) if size is not None else Facts(rate=rate)
    facts = video_facts(video, rate) if video is not None else given
    if size is not None and (facts.width, facts.height) != (given.width, given.height):
        raise typer.BadParameter(
            f"expected {facts.width}x{facts.height}, the size of {video}, or no --size; got {size}", param_hint="--size"
        )
    return Reading(first, float(one_based), facts)
