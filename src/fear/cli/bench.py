"""`fear bench`: measure speed and energy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fear.cli.app import app
from fear.cli.console import need, out, progress


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
    need("psutil", "bench", extra="bench")
    from fear.bench.report import run_bench, write_energy
    from fear.evaluation.trackers import Spec

    if energy is None:
        others = [Spec(name, runtime=runtime, nano=nano) for name in tracker or ()]
        out.print(run_bench(model, others, runtime, threads, output), end="")
        return
    from itertools import cycle

    from fear.bench.energy import run_energy
    from fear.media.synthetic import Scene, render
    from fear.tracking.tracker import Tracker

    output.mkdir(parents=True, exist_ok=True)
    rendered = list(render(Scene(frames=30, height=480, width=640)))
    follower = Tracker(model, runtime=runtime, threads=threads)
    follower.init(rendered[0].image, rendered[0].box_xywh)
    frames = cycle([frame.image for frame in rendered[1:] + rendered[-2:0:-1]])
    with progress() as advance:
        report = run_energy(
            lambda: follower.update(next(frames)),
            "online" if energy == "online" else "offline",
            seconds,
            output / f"energy-{energy}.csv",
            on_call=lambda: advance(None),
        )
    out.print(write_energy(report, output), end="")
