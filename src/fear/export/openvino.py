"""Checkpoint → OpenVINO's own format, `embed.xml` and `match.xml`, in float32, float16 storage, or int8.

On processors with int8 instructions that form is faster. The export measures and reports how much it changes the answers.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fear.errors import RuntimeMissingError
from fear.export.onnx import write_onnx
from fear.export.pairs import Pair
from fear.network import FearNetwork
from fear.telemetry import telemetry_off


def write_openvino(network: FearNetwork, folder: Path, precision: str, pairs: Sequence[Pair], least_overlap: float | None = None) -> None:
    """Writes both graphs.

    Args:
        network: Folded, in evaluation mode.
        folder: An existing folder.
        precision: `fp32`, `fp16` (storage), or `int8`.
        pairs: Crops that int8 is calibrated on.
        least_overlap: See `quantise`.

    Raises:
        RuntimeMissingError: OpenVINO, or NNCF for int8, is not installed.
    """
    for package in ("openvino", *(("nncf",) if precision == "int8" else ())):
        if importlib.util.find_spec(package) is None:
            raise RuntimeMissingError(f"this export needs {package}, which is not installed: pip install {package}")
    with telemetry_off():
        import openvino

    with tempfile.TemporaryDirectory() as temporary:
        write_onnx(network, Path(temporary))
        core = openvino.Core()
        for part in ("embed", "match"):
            model = core.read_model(Path(temporary) / f"{part}.onnx")
            if part == "match" and precision == "int8":
                from fear.export.quantise import quantise

                embed = core.compile_model(core.read_model(Path(temporary) / "embed.onnx"), "CPU")
                model = quantise(model, embed, pairs, least_overlap)
            openvino.save_model(model, folder / f"{part}.xml", compress_to_fp16=precision == "fp16")
