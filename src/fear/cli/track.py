"""`fear track`: follow targets through a video."""

from __future__ import annotations

import math
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fear.cli.app import app
from fear.cli.assignments import parse_assignment
from fear.cli.console import complete_model, complete_runtime, out, progress, working
from fear.errors import BoxError, ConfigError, FearError
from fear.geometry.boxes import Box, parse_box

if TYPE_CHECKING:
    from fear.annotations.recording import Summary
    from fear.media.source import Source, SourceReport
    from fear.viewer.viewing import Viewing


def _boxes(texts: list[str]) -> list[Box]:
    try:
        return [parse_box(text.split(",")) for text in texts]
    except BoxError as error:
        raise typer.BadParameter(str(error), param_hint="--box") from error


def _require_start(text: str) -> None:
    from fear.media.start import parse_start

    try:
        parse_start(text)
    except ConfigError as error:
        raise typer.BadParameter(str(error), param_hint="--start") from error


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"expected KEY=VALUE, got {text!r}", param_hint="--stream-option")
        pairs[name] = value
    return pairs


def _list_cameras(wanted: bool) -> None:
    if wanted:
        from fear.media.cameras import list_cameras

        cameras = list_cameras()
        for number, (name, description) in enumerate(cameras):
            out.print(f"{number}  {name}  {description}", markup=False)
        if not cameras:
            out.print("no cameras found")
        raise typer.Exit


def _box_files(path: Path | None, targets: int) -> list[Path]:
    """The names that box files may get."""
    return [] if path is None else [path, *(path.with_stem(f"{path.stem}_{number}") for number in range(targets))]


@app.command("track")
def track_command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Video file, picture, folder of images, pattern such as img_%04d.png, camera number, stream URL, or - for standard input.",
        ),
    ],
    box: Annotated[
        list[str] | None, typer.Option(metavar="X,Y,W,H", help="A target in the first frame, in pixels; once for each target.")
    ] = None,
    select: Annotated[
        bool, typer.Option("--select", help="Draw the targets: in a window where OpenCV has windows, else on a page on this machine.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Watch the run, the same two ways; space pauses, r draws targets again, q ends the run.")
    ] = False,
    start: Annotated[
        str, typer.Option(metavar="FRAME|SECONDS", help="Begin there: 120 is a frame; 2.5, 2.5s and 00:01:05 are seconds.")
    ] = "0",
    output: Annotated[Path | None, typer.Option(help="Annotated H.264 video, .mp4.")] = None,
    boxes: Annotated[Path | None, typer.Option(help="Boxes of every frame: .txt, .csv, .jsonl, .mot.txt, .coco.json or .cvat.xml.")] = None,
    model: Annotated[
        str, typer.Option(help="A name, a .safetensors checkpoint, an exported folder or published:DIR.", autocompletion=complete_model)
    ] = "fear-xs",
    runtime: Annotated[str, typer.Option(help="auto, openvino, onnx or torch.", autocompletion=complete_runtime)] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the network; by default one core is left to the video.")] = None,
    device: Annotated[str, typer.Option(help="cpu, or what the runtime knows, such as cuda.")] = "cpu",
    no_dynamic: Annotated[bool, typer.Option("--no-dynamic", help="Keep the first frame's template for good.")] = False,
    no_redetect: Annotated[bool, typer.Option("--no-redetect", help="Do not look for a lost target in the whole picture.")] = False,
    rules: Annotated[
        list[str] | None, typer.Option("--set", metavar="RULE=VALUE", help="Another value of a rule, such as window=0.3; repeatable.")
    ] = None,
    max_frames: Annotated[int | None, typer.Option(min=1, max=2**31, help="Stop after so many frames.")] = None,
    drop_late: Annotated[
        bool | None, typer.Option("--drop-late/--keep-late", help="Leave out frames that come too fast; by default in live sources.")
    ] = None,
    no_audio: Annotated[bool, typer.Option("--no-audio", help="Leave the sound of the source out of the annotated video.")] = False,
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Frames per second of a folder or pattern of images; by default 30.")
    ] = None,
    video_stream: Annotated[
        int | None, typer.Option(min=0, help="Number of the stream of pictures, from 0, where a file has several; by default the best.")
    ] = None,
    stream_option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Option of FFmpeg for a source, such as rtsp_transport=tcp or video_size=1280x720."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the page of --select and --show, even where there are windows.")
    ] = None,
    reconnect: Annotated[float, typer.Option(min=0, help="Seconds for which a stream that was cut is tried again; 0 ends there.")] = 30.0,
    list_cameras: Annotated[  # noqa: ARG001  its callback does everything
        bool, typer.Option("--list-cameras", callback=_list_cameras, is_eager=True, help="Print the cameras with their numbers.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar and no summary.")] = False,
) -> None:
    """Follow one or several targets through a video."""
    targets = _boxes(box or [])
    _require_start(start)
    options = _pairs(stream_option or [])
    if not targets and not select:
        raise typer.BadParameter("expected a target: --box X,Y,W,H, or --select to draw it", param_hint="--box")

    from fear.annotations.recording import Recording, Summary, TimedNetwork, network_threads, record
    from fear.config import TrackerConfig
    from fear.loading.load import computed_by, describe, load
    from fear.media.names import home_path
    from fear.media.reader import is_source, open_source
    from fear.tracking.tracker import MultiTracker

    output, boxes = (None if path is None else home_path(path) for path in (output, boxes))
    for path in (output, *_box_files(boxes, len(targets))):
        if path is not None and is_source(path, source):
            raise ConfigError(f"{path}: expected another file than the source, which would be overwritten while it is read")
    switched = {"dynamic_template": False} if no_dynamic else {}
    switched |= {"redetection": False} if no_redetect else {}
    chosen = dict(parse_assignment(text) for text in rules or ())
    for name in sorted(switched.keys() & chosen.keys()):
        if chosen[name] != switched[name]:
            raise typer.BadParameter(f"expected {name} to be switched once, got --no-… and {name}={chosen[name]}", param_hint="--set")
    config = TrackerConfig.from_dict(switched | chosen)
    summary = Summary()
    with (
        open_source(source, options=options, stream=video_stream, rate=rate, reconnect=reconnect, start=start) as frames,
        ExitStack() as stack,
    ):
        late = frames.live if drop_late is None else drop_late
        recording = Recording(output, boxes, max_frames, sound=not no_audio, drop_late=late)
        with working(f"loading {model}", quiet):
            loaded = load(model, runtime=runtime, device=device, threads=threads or network_threads(), rules=config)
        network = TimedNetwork(loaded)
        tracker = MultiTracker(network, config=config)
        viewing = _viewing(stack, select, show, port, frames.live) if select or show else None
        total = _total(frames, max_frames)
        with progress(quiet or viewing is not None, unit="frames") as advance:  # who watches sees how far it is
            try:
                record(frames, targets, tracker, recording, summary, lambda _: advance(total), viewing)
            except KeyboardInterrupt as error:
                if not frames.live:
                    raise FearError(f"interrupted after {summary.frames} frames; they are kept") from error
    if not quiet:
        _print_summary(summary, frames.report)
        out.print(f"computed by {computed_by(describe(loaded))}, on {device}", markup=False)


def _viewing(stack: ExitStack, select: bool, show: bool, port: int | None, live: bool) -> Viewing:
    """A person at the run; the window or page is closed with the stack."""
    from fear.viewer.opening import open_screen
    from fear.viewer.viewing import Viewing

    what = "draw the targets" if select else "watch the run"
    screen = open_screen(port, lambda address: typer.echo(f"{what} at {address}"))
    stack.callback(screen.close)
    return Viewing(screen, select, show, live)


def _total(frames: Source, max_frames: int | None) -> int | None:
    """How many frames will be tracked, where that is known."""
    counts = [max_frames] if max_frames is not None else []
    if frames.count is not None:
        first = frames.start.frame + math.ceil(frames.start.seconds * frames.rate)
        counts.append(max(frames.count - first, 0))
    return min(counts, default=None)


def _print_summary(summary: Summary, report: SourceReport) -> None:
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
    for line in report.lines():
        out.print(line)
    for path in summary.written:
        out.print(f"wrote {path}", markup=False)
