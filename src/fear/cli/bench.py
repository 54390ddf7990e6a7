"""`fear bench`: measure speed and energy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fear.cli.app import app
from fear.cli.console import complete_model, complete_runtime, need, out, progress, working


@app.command("bench")
def bench_command(
    model: Annotated[
        str, typer.Option(help="A name, a .safetensors checkpoint, an exported folder or published:DIR.", autocompletion=complete_model)
    ] = "fear-xs",
    tracker: Annotated[list[str] | None, typer.Option(help="Another tracker to time beside it, as for eval; repeatable.")] = None,
    output: Annotated[Path, typer.Option(help="Folder for JSON, CSV and Markdown.")] = Path("bench"),
    runtime: Annotated[str, typer.Option(help="auto, openvino, onnx or torch.", autocompletion=complete_runtime)] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of every tracker.")] = None,
    nano: Annotated[Path | None, typer.Option(help="Folder with the networks of opencv:nano.")] = None,
    vit: Annotated[Path | None, typer.Option(help="Folder with the network of opencv:vit.")] = None,
    energy: Annotated[str | None, typer.Option(help="online (30 frames per second) or offline (back to back).")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of an energy run.")] = 1800.0,
) -> None:
    """Measure speed stage by stage, or energy over time."""
    if energy is not None and energy not in ("online", "offline"):
        raise typer.BadParameter(f"expected online or offline, got {energy!r}", param_hint="--energy")
    if energy is not None and tracker:
        raise typer.BadParameter("expected no other tracker with --energy, which measures one at a time", param_hint="--tracker")
    need("psutil", "bench", extra="bench")
    from fear.bench.report import run_bench, run_energy_bench
    from fear.evaluation import Spec
    from fear.loading.load import computed_by, describe, load

    if energy is None:
        others = [Spec(name, runtime=runtime, nano=nano, vit=vit) for name in tracker or ()]
        with working(f"measuring {model}") as part:
            text = run_bench(model, others, runtime, threads, output, on_part=part)
        out.print(text, end="")
        return
    mode: Literal["online", "offline"] = "online" if energy == "online" else "offline"
    with working(f"loading {model}"):
        network = load(model, runtime=runtime, threads=threads)
    with progress(unit="frames") as advance:
        text = run_energy_bench(network, mode, seconds, output, on_call=lambda: advance(None))
    out.print(text, end="")
    out.print(f"computed by {computed_by(describe(network))}", markup=False)
