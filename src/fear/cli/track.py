"""`fear track`: follow targets through a video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fear.cli.app import app
from fear.cli.console import out, progress
from fear.errors import BoxError, ConfigError, FearError
from fear.geometry.boxes import Box, parse_box

if TYPE_CHECKING:
    from fear.annotations.recording import Summary


def _boxes(texts: list[str]) -> list[Box]:
    try:
        return [parse_box(text.split(",")) for text in texts]
    except BoxError as error:
        raise typer.BadParameter(str(error), param_hint="--box") from error


@app.command("track")
def track_command(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Video file, folder of images, camera number or stream URL.")],
    box: Annotated[list[str], typer.Option(metavar="X,Y,W,H", help="A target in the first frame, in pixels; once for each target.")],
    output: Annotated[Path | None, typer.Option(help="Annotated H.264 video, .mp4.")] = None,
    boxes: Annotated[Path | None, typer.Option(help="Boxes of every frame: .txt, .csv or .jsonl.")] = None,
    model: Annotated[str, typer.Option(help="A name, a .safetensors checkpoint, an exported folder or published:DIR.")] = "fear-xs",
    runtime: Annotated[str, typer.Option(help="auto, openvino, onnx or torch.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the network; by default one core is left to the video.")] = None,
    no_dynamic: Annotated[bool, typer.Option("--no-dynamic", help="Keep the first frame's template for good.")] = False,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None,
    drop_late: Annotated[
        bool | None, typer.Option("--drop-late/--keep-late", help="Leave out frames that come too fast; by default in live sources.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar and no summary.")] = False,
) -> None:
    """Follow one or several targets through a video."""
    targets = _boxes(box)

    from fear.annotations.recording import Recording, Summary, TimedNetwork, network_threads, record
    from fear.config import TrackerConfig
    from fear.loading.load import load
    from fear.media.reader import open_source
    from fear.tracking.tracker import MultiTracker

    if output is not None and output.exists() and Path(source).exists() and output.samefile(source):
        raise ConfigError(f"{output}: expected another file than the source, which would be overwritten while it is read")
    summary = Summary()
    with open_source(source) as frames:
        late = frames.live if drop_late is None else drop_late
        recording = Recording(output, boxes, max_frames, drop_late=late)
        network = TimedNetwork(load(model, runtime=runtime, threads=threads or network_threads()))
        tracker = MultiTracker(network, config=TrackerConfig(dynamic_template=not no_dynamic))
        total = min((count for count in (frames.count, max_frames) if count is not None), default=None)
        with progress(quiet) as advance:
            try:
                record(frames, targets, tracker, recording, summary, lambda _: advance(total))
            except KeyboardInterrupt as error:
                if not frames.live:
                    raise FearError(f"interrupted after {summary.frames} frames; they are kept") from error
    if not quiet:
        _print_summary(summary, output, boxes)


def _print_summary(summary: Summary, output: Path | None, boxes: Path | None) -> None:
    tracked = max(summary.frames - 1, 1)
    out.print(
        f"{summary.frames} frames in {summary.seconds:.2f} s: {summary.fps:.1f} fps end to end; "
        f"update {summary.update_seconds / tracked * 1e3:.1f} ms, of it network {summary.network_seconds / tracked * 1e3:.1f} ms a frame"
    )
    if summary.dropped:
        out.print(f"left out {summary.dropped} frames that came too fast")
    for number, lost in summary.lost.items():
        name = "lost" if len(summary.lost) == 1 else f"target {number} lost"
        out.print(f"{name} in {lost} of {summary.frames} frames")
    for path in (output, boxes):
        if path is not None:
            out.print(f"wrote {path}")
