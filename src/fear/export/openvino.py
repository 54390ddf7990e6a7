"""Checkpoint → OpenVINO's own format, `embed.xml` and `match.xml`, in float32, float16 storage, or int8.

int8 quantises the convolutions of `match` after training (NNCF), calibrated on crops; products, sums and the template's part stay as they
are, since OpenVINO's processor plugin does not compile a quantised correlation. On processors with int8 instructions it is faster; how
much it moves the answers is measured and told by the export.
"""

from __future__ import annotations

import importlib.util
import logging
import tempfile
from pathlib import Path

from fear.errors import RuntimeMissingError
from fear.export.crops import Pair
from fear.export.onnx import write_onnx
from fear.model import FearNetwork

_KEPT = ("MatMul", "Multiply", "Subtract", "Divide", "ReduceSum", "Add")


def write_openvino(network: FearNetwork, folder: Path, precision: str, pairs: list[Pair]) -> None:
    """Writes both graphs.

    Args:
        network: Folded, in evaluation mode.
        folder: An existing folder.
        precision: `fp32`, `fp16` (storage), or `int8`.
        pairs: For the calibration of int8.

    Raises:
        RuntimeMissingError: OpenVINO, or NNCF for int8, is not installed.
    """
    for package in ("openvino", *(("nncf",) if precision == "int8" else ())):
        if importlib.util.find_spec(package) is None:
            raise RuntimeMissingError(f"this export needs {package}, which is not installed: pip install {package}")
    import openvino

    with tempfile.TemporaryDirectory() as temporary:
        write_onnx(network, Path(temporary))
        core = openvino.Core()
        for part in ("embed", "match"):
            model = core.read_model(Path(temporary) / f"{part}.onnx")
            if part == "match" and precision == "int8":
                model = _quantise(model, core.compile_model(core.read_model(Path(temporary) / "embed.onnx"), "CPU"), pairs)
            openvino.save_model(model, folder / f"{part}.xml", compress_to_fp16=precision == "fp16")


def _quantise(model: object, embed: object, pairs: list[Pair]) -> object:
    logging.getLogger("nncf").setLevel(logging.ERROR)
    import nncf

    def inputs(pair: Pair) -> dict[str, object]:
        return {"search": pair.search, "template_features": embed([pair.template])[0]}  # type: ignore[operator]

    return nncf.quantize(
        model,
        nncf.Dataset(pairs, inputs),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(pairs),
        ignored_scope=nncf.IgnoredScope(types=list(_KEPT), validate=False),
    )
