"""Checkpoint → exported folder → runtime. Every export is compared with torch and fails if it differs."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import torch
from torch.utils.flop_counter import FlopCounterMode

from fear.errors import ConfigError
from fear.export.compare import Report, compare
from fear.export.onnx import Match, sample_inputs, write_onnx
from fear.loading.crops import cut_pairs
from fear.network import FearNetwork, fold, load_checkpoint, parameter_count, template_parameter_count

__all__ = ["Format", "Precision", "Report", "compare", "count_macs", "export", "export_to_cache"]

Format = Literal["onnx", "openvino", "coreml"]
Precision = Literal["fp32", "fp16", "int8"]

_CALIBRATION, _COMPARED = 128, {"fp32": 8, "fp16": 8, "int8": 48}  # pairs of crops


def export(
    checkpoint: Path,
    folder: Path,
    format: str = "onnx",
    precision: str = "fp32",
    pictures: Path | None = None,
    least_overlap: float | None = None,
) -> Report:
    """Exports a checkpoint and checks the result.

    Args:
        checkpoint: A `.safetensors` file.
        folder: Where `embed`, `match` and `config.json` go; made, or replaced when it holds an export already.
        format: `onnx`, `openvino` or `coreml`.
        precision: `fp32`; `fp16`: weights as float16 (and arithmetic too, where CoreML runs); `int8`: for OpenVINO.
        pictures: Folder with pictures for calibration and comparison; None renders some.
        least_overlap: Of int8: layers go back to float until its boxes overlap so much with the float network's, 0 to 1, in the mean.

    Raises:
        ExportError: a runtime gives other values than torch; nothing is written.
        ConfigError: unknown format or precision, or the folder holds other things.
        RuntimeMissingError: a package that the format needs is not installed.
    """
    if format not in get_args(Format):
        raise ConfigError(f"format: expected {', '.join(get_args(Format))}; got {format!r}")
    if precision not in get_args(Precision) or (precision == "int8" and format != "openvino"):
        raise ConfigError(f"precision: expected fp32 or fp16, or int8 with format openvino; got {precision!r} with format {format}")
    if folder.exists() and not (folder.is_dir() and ((folder / "config.json").is_file() or not any(folder.iterdir()))):
        raise ConfigError(f"{folder}: expected an empty or a new folder, or an earlier export; got something else")
    network, card = load_checkpoint(checkpoint)
    folded = fold(network)
    if precision == "fp16":
        with torch.no_grad():
            for parameter in folded.parameters():
                parameter.copy_(parameter.half())  # torch, too, shall compute with the weights as stored
    compared = _COMPARED[precision]
    wide = compared // 2
    pairs = cut_pairs(folded.config, wide, pictures) + cut_pairs(folded.config, compared - wide, pictures, steady=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        unfinished = Path(temporary) / "export"
        unfinished.mkdir()
        exported_card = replace(
            card,
            network=folded.config,
            parameters=parameter_count(folded),
            template_parameters=template_parameter_count(folded),
            macs=count_macs(folded),
        )
        (unfinished / "config.json").write_text(exported_card.to_json() + "\n", encoding="utf-8")
        if format == "coreml":
            from fear.export.coreml import write_coreml

            report = Report(folder, write_coreml(folded, unfinished, precision))
        else:
            if format == "onnx":
                write_onnx(folded, unfinished, half_storage=precision == "fp16")
            else:
                from fear.export.openvino import write_openvino

                calibration = (
                    cut_pairs(folded.config, compared + _CALIBRATION, pictures, steady=True)[compared:] if precision == "int8" else []
                )
                write_openvino(folded, unfinished, precision, calibration, least_overlap)
            report = compare(folded, unfinished, pairs, quantised=precision == "int8")._replace(folder=folder)
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    return report


def count_macs(network: FearNetwork) -> int:
    """Multiply-accumulates of one `match` call for one target, counted by torch."""
    _, search = sample_inputs(network.config, batch=1)
    features = torch.zeros(1, *network.config.template_shape)
    return multiply_accumulates(Match(network), search, features)


def multiply_accumulates(module: torch.nn.Module, *inputs: torch.Tensor) -> int:
    """Multiply-accumulates of one call of a module, counted by torch."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs)
    return int(counter.get_total_flops()) // 2


def export_to_cache(checkpoint: Path) -> Path:
    """The checkpoint as an ONNX folder under `~/.cache/fear`, named by its content, so that it is made once."""
    with checkpoint.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    folder = Path.home() / ".cache" / "fear" / f"export-{digest[:20]}"
    if not (folder / "config.json").is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            export(checkpoint, Path(temporary) / "export")
            try:
                (Path(temporary) / "export").rename(folder)
            except OSError:
                if not (folder / "config.json").is_file():  # else another process was faster, with the same result
                    raise
    return folder
