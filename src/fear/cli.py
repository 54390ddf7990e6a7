"""The command `fear`: parse, call, print. Nothing imports this, and each command imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

import fear
from fear.boxes import Box, parse_box
from fear.errors import BoxError, ConfigError, FearError

if TYPE_CHECKING:
    from fear.pipeline import Summary

_UsageError: Any = typer.BadParameter.__mro__[1]
_ClickError: Any = typer.BadParameter.__mro__[2]  # typer carries its own click and does not export these two

_out = Console(highlight=False, soft_wrap=True)


class _Commands(TyperGroup):
    """Every failure is one line on stderr: usage errors end with 2, any other with 1."""

    def main(self, *args: Any, **options: Any) -> Any:
        standalone = options.get("standalone_mode", True)
        try:
            code = super().main(*args, **options | {"standalone_mode": False})
        except _UsageError as error:
            self._end(error.format_message(), 2)
        except _ClickError as error:
            self._end(error.format_message(), error.exit_code)
        except FearError as error:
            self._end(str(error), 1)
        except (KeyboardInterrupt, typer.Abort):
            self._end("interrupted", 1)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(0) from None
        except OSError as error:  # a full disk, a folder without permission
            self._end(f"{error.filename or 'the system'}: {error.strerror or error}", 1)
        if standalone:
            raise SystemExit(code if isinstance(code, int) else 0)
        return code

    @staticmethod
    def _end(message: str, code: int) -> None:
        typer.echo(f"fear: {' '.join(message.split())}", err=True)
        raise SystemExit(code)


app = typer.Typer(cls=_Commands, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(fear.__version__)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Follow one object through a video, in real time, on an ordinary CPU."""


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
    model: Annotated[str, typer.Option(help="A name, a .safetensors checkpoint or an exported folder.")] = "fear-xs",
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

    from fear.config import TrackerConfig
    from fear.pipeline import Summary, TimedNetwork, follow, network_threads
    from fear.runtime import load
    from fear.tracker import MultiTracker
    from fear.video import open_source

    if output is not None and output.exists() and Path(source).exists() and output.samefile(source):
        raise ConfigError(f"{output}: expected another file than the source, which would be overwritten while it is read")
    summary = Summary()
    with open_source(source) as frames:
        network = TimedNetwork(load(model, runtime=runtime, threads=threads or network_threads()))
        tracker = MultiTracker(network, config=TrackerConfig(dynamic_template=not no_dynamic))
        known = (frames.count, max_frames)
        total = min((count for count in known if count is not None), default=None)
        with _progress(quiet) as advance:
            try:
                follow(
                    frames,
                    targets,
                    tracker,
                    summary,
                    output=output,
                    box_path=boxes,
                    max_frames=max_frames,
                    drop_late=frames.live if drop_late is None else drop_late,
                    on_frame=lambda _: advance(total),
                )
            except KeyboardInterrupt as error:
                if not frames.live:
                    raise FearError(f"interrupted after {summary.frames} frames; they are kept") from error
    if not quiet:
        _print_summary(summary, output, boxes)


def _print_summary(summary: Summary, output: Path | None, boxes: Path | None) -> None:
    tracked = max(summary.frames - 1, 1)
    _out.print(
        f"{summary.frames} frames in {summary.seconds:.2f} s: {summary.fps:.1f} fps end to end; "
        f"update {summary.update_seconds / tracked * 1e3:.1f} ms, of it network {summary.network_seconds / tracked * 1e3:.1f} ms a frame"
    )
    if summary.dropped:
        _out.print(f"left out {summary.dropped} frames that came too fast")
    for number, lost in enumerate(summary.lost):
        name = "lost" if len(summary.lost) == 1 else f"target {number} lost"
        _out.print(f"{name} in {lost} of {summary.frames} frames")
    for path in (output, boxes):
        if path is not None:
            _out.print(f"wrote {path}")


@contextmanager
def _progress(quiet: bool = False) -> Iterator[Callable[[int | None], None]]:
    """A progress bar on stderr, where that is a terminal; yields what advances it, given the total where it is known."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda total: bar.update(task, advance=1, total=total)


@app.command("import")
def import_command(
    tracker: Annotated[Path, typer.Argument(metavar="TRACKER.mlmodel", help="The published network.")],
    init: Annotated[Path, typer.Argument(metavar="INIT.mlmodel", help="Its template part.")],
    output: Annotated[Path, typer.Option(help="Checkpoint to write, .safetensors.")],
) -> None:
    """Turn the published CoreML files into a checkpoint."""
    if output.suffix != ".safetensors":
        raise typer.BadParameter(f"expected a .safetensors file, got {output}", param_hint="--output")
    _need("torch", "import")
    from fear.model import parameter_count, save_checkpoint
    from fear.model.published import CARD, import_published

    network = import_published(tracker, init)
    save_checkpoint(network, output, CARD)
    _out.print(f"wrote {output}: {CARD.network.name}, {parameter_count(network):,} parameters, without dynamic template")


@app.command("export")
def export_command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name or a .safetensors checkpoint.")],
    output: Annotated[Path, typer.Option(help="Folder to write.")],
    format: Annotated[str, typer.Option(help="onnx, openvino or coreml.")] = "onnx",
    precision: Annotated[str, typer.Option(help="fp32; fp16 halves the stored weights; int8, with openvino, quantises.")] = "fp32",
    pictures: Annotated[Path | None, typer.Option(help="Pictures to calibrate int8 and to compare on; rendered ones by default.")] = None,
    least_overlap: Annotated[
        float | None, typer.Option(help="int8: layers stay in float until boxes overlap with the float network's by this, 0 to 1; minutes.")
    ] = None,
) -> None:
    """Export a checkpoint and compare it with torch."""
    if precision not in ("fp32", "fp16", "int8"):
        raise typer.BadParameter(f"expected fp32, fp16 or int8, got {precision!r}", param_hint="--precision")
    if least_overlap is not None and (precision != "int8" or not 0 < least_overlap <= 1):
        raise typer.BadParameter(f"expected a number up to 1 with --precision int8, got {least_overlap}", param_hint="--least-overlap")
    _need("torch", "export")
    from fear.export import export
    from fear.weights import resolve

    weights = resolve(model)
    if weights.checkpoint is None:
        raise ConfigError(f"{model}: expected a checkpoint to export, got a folder that is exported already")
    report = export(weights.checkpoint, output, format, precision, pictures, least_overlap)
    for name, difference in report.differences.items():
        _out.print(f"{name:24s} {difference:.1e}")
    if report.agreement is not None and report.near is not None:
        _out.print(f"best cell: the same in {report.agreement:.0%} of crops, at most one beside it in {report.near:.0%}")
    _out.print(f"wrote {output}; largest difference from torch {report.largest:.1e} of the largest value")


@app.command("train")
def train_command(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="What to train, on what, and how.")],
    change: Annotated[
        list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Another value than the recipe's; repeatable.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the run; runs/NAME by default.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
) -> None:
    """Train a network, on one machine or several."""
    for package in ("torch", "lightning", "kornia"):
        _need(package, "train", extra="train")
    from fear.training.recipe import load_recipe
    from fear.training.run import train

    loaded = load_recipe(recipe, change or ())
    folder = output or Path("runs") / loaded.name
    with _progress() as advance:
        weights = train(loaded, folder, resume, on_picture=advance, on_epoch=lambda line: typer.echo(line, err=True))
    _out.print(f"wrote {weights}; logs, curves and checkpoints lie in {folder}")


@app.command("models")
def models_command() -> None:
    """List the family and its known weights."""
    from fear.weights import family

    table = Table(box=None, pad_edge=False)
    for column in ("model", "backbone", "parameters", "MACs", "dynamic w", "measured", "licence", "provenance"):
        table.add_column(column, justify="right" if column in ("parameters", "MACs", "dynamic w") else "left", overflow="fold")
    for card, present in family():
        scores = ", ".join(f"{name} {value:.3f}" for name, value in card.scores.items())
        table.add_row(
            card.network.name,
            card.network.backbone,
            f"{card.parameters / 1e6:.2f} M" + (f" + {card.template_parameters / 1e6:.2f} M" if card.template_parameters else ""),
            f"{card.macs / 1e9:.2f} G",
            f"{card.dynamic_weight:.3f}" if present else "–",
            f"{scores} ({card.scores_on})" if scores else "–",
            card.licence or "–",
            card.provenance,
        )
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)


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
    rule: Annotated[list[str] | None, typer.Option("--set", help="A rule of FEAR trackers, such as window=0.38; repeatable.")] = None,
) -> None:
    """Score trackers on sequences with true boxes."""
    from fear.config import TrackerConfig
    from fear.evaluation import evaluate
    from fear.evaluation.trackers import Spec

    config = TrackerConfig.from_dict(dict(_rule(text) for text in rule or []))
    specs = [Spec(name, config, runtime, nano) for name in tracker or ["fear-xs"]]
    names = sequences.split(",") if sequences else None
    with _progress() as advance:
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
    _out.print(table)
    _out.print(f"wrote {output / 'summary.json'}, {output / 'report.md'}")


@app.command("bench")
def bench_command(
    model: Annotated[str, typer.Option(help="A name, a .safetensors checkpoint or an exported folder.")] = "fear-xs",
    tracker: Annotated[list[str] | None, typer.Option(help="Another tracker to time beside it, as for eval; repeatable.")] = None,
    output: Annotated[Path, typer.Option(help="Folder for JSON, CSV and Markdown.")] = Path("bench"),
    runtime: Annotated[str, typer.Option(help="auto, openvino, onnx or torch.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of every tracker.")] = None,
    nano: Annotated[Path | None, typer.Option(help="Folder with NanoTrack's networks, for opencv:nano.")] = None,
    energy: Annotated[str | None, typer.Option(help="online (30 frames per second) or offline (back to back).")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of an energy run.")] = 1800.0,
) -> None:
    """Measure speed stage by stage, or energy over time."""
    if energy is not None and energy not in ("online", "offline"):
        raise typer.BadParameter(f"expected online or offline, got {energy!r}", param_hint="--energy")
    _need("psutil", "bench", extra="bench")
    from fear.evaluation.bench import run_bench, write_energy
    from fear.evaluation.trackers import Spec

    if energy is None:
        others = [Spec(name, runtime=runtime, nano=nano) for name in tracker or ()]
        _out.print(run_bench(model, others, runtime, threads, output), end="")
        return
    from itertools import cycle

    from fear.evaluation.energy import run_energy
    from fear.synthetic import Scene, render
    from fear.tracker import Tracker

    output.mkdir(parents=True, exist_ok=True)
    rendered = list(render(Scene(frames=30, height=480, width=640)))
    follower = Tracker(model, runtime=runtime, threads=threads)
    follower.init(rendered[0].image, rendered[0].box_xywh)
    frames = cycle([frame.image for frame in rendered[1:] + rendered[-2:0:-1]])
    with _progress() as advance:
        report = run_energy(
            lambda: follower.update(next(frames)),
            "online" if energy == "online" else "offline",
            seconds,
            output / f"energy-{energy}.csv",
            on_call=lambda: advance(None),
        )
    _out.print(write_energy(report, output), end="")


@app.command("demo")
def demo_command(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the page is served on this machine; 0 takes a free port.")] = 8000,
    output: Annotated[Path | None, typer.Option(help="Write the page as plain files for any web server instead.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the default browser.")] = False,
) -> None:
    """Serve the page that tracks in the browser."""
    from fear.demo import serve, write_site

    if output is not None:
        _out.print(f"wrote {write_site(output)} files to {output}")
        return

    def ready(address: str) -> None:
        typer.echo(f"the page is at {address} – Ctrl-C ends it")
        if open_page:
            import webbrowser

            webbrowser.open(address)

    with suppress(KeyboardInterrupt):  # how it is meant to end
        serve(port, ready)


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

    sequences = read(dataset, root)
    with _progress() as advance:
        findings = check(sequences, lambda: advance(len(sequences)))
    for fault in findings.faults:
        _out.print(fault)
    _out.print(
        f"{findings.sequences} sequences, {findings.frames} frames, target absent in {findings.absent}, {len(findings.faults)} faults"
    )
    if findings.faults:
        raise DatasetError(f"{root}: expected every picture and box to be sound, got {len(findings.faults)} faults")


@data_app.command("unpack")
def data_unpack_command(
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="A video file or a folder of images.")],
    boxes: Annotated[Path, typer.Argument(metavar="BOXES.txt", help="One x,y,w,h line a frame; nan where the target is absent.")],
    output: Annotated[Path, typer.Argument(metavar="ROOT/NAME", help="The sequence to write.")],
) -> None:
    """Turn a video and its boxes into a sequence of the layout `folder`, to train or evaluate on."""
    from fear.datasets.unpack import unpack

    with _progress() as advance:
        count = unpack(video, boxes, output, on_frame=lambda: advance(None))
    _out.print(f"wrote {count} frames to {output}")


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
    from fear.datasets.label import label_clips
    from fear.evaluation.trackers import Spec, create

    sequences = read(dataset, root)
    with _progress() as advance:
        count = label_clips(sequences, create(Spec(tracker)), output, targets=targets, seed=seed, on_clip=lambda: advance(len(sequences)))
    _out.print(f"wrote {count} tracks to {output}")


def _rule(text: str) -> tuple[str, Any]:
    import json

    name, found, value = text.partition("=")
    if not found:
        raise typer.BadParameter(f"expected key=value, got {text!r}", param_hint="--set")
    try:
        return name, json.loads({"None": "null", "True": "true", "False": "false"}.get(value, value))
    except ValueError as error:
        raise typer.BadParameter(f"expected a number, true, false or null for {name}, got {value!r}", param_hint="--set") from error


def _need(package: str, command: str, extra: str = "export") -> None:
    import importlib.util

    if importlib.util.find_spec(package) is None:
        raise FearError(f"fear {command} needs {package}, which is not installed: pip install 'fear-tracker[{extra}]'")


if __name__ == "__main__":
    app()
