"""`fear export`: a checkpoint as graphs for other runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fear.cli.app import app
from fear.cli.console import complete_model, need, out, working


@app.command("export")
def export_command(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A name, a .safetensors checkpoint or published:DIR.", autocompletion=complete_model)
    ],
    output: Annotated[Path, typer.Option(help="Folder to write; an earlier export there is replaced, other files stay.")],
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
    need("torch", "export")
    from fear.loading.convert import export_checkpoint
    from fear.loading.reference import find_model

    with working(f"exporting {model}"):
        checkpoint = find_model(model).require_checkpoint("an export")
        report = export_checkpoint(checkpoint, output, format, precision, pictures, least_overlap)
    for name, difference in report.differences.items():
        out.print(f"{name:24s} {difference:.1e}")
    if report.agreement is not None and report.near is not None:
        out.print(f"best cell: the same in {report.agreement:.0%} of crops, at most one beside it in {report.near:.0%}")
    out.print(f"wrote {output}; largest difference from torch {report.largest:.1e} of the largest value")
