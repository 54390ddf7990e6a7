"""Checkpoint → exported folder. Every export is compared with torch and fails if it differs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import torch
from torch.utils.flop_counter import FlopCounterMode

from fear.errors import ConfigError, WeightsError
from fear.export.compare import Report, compare
from fear.export.onnx import Match, sample_inputs, write_onnx
from fear.export.pairs import CropSet, Pair
from fear.network import FearNetwork, fold, load_checkpoint, parameter_count, template_parameter_count
from fear.runtime.protocol import QUANTISED
from fear.weights.card import WeightsCard, read_card, write_folder_card
from fear.weights.store import files_replaced, written_whole

__all__ = [
    "CropSet",
    "Format",
    "Pair",
    "Precision",
    "Report",
    "check_request",
    "compare",
    "count_macs",
    "export",
    "multiply_accumulates",
]

Format = Literal["onnx", "openvino", "coreml"]
Precision = Literal["fp32", "fp16", "int8"]

_GRAPHS = tuple(f"{part}{suffix}" for part in ("embed", "match", QUANTISED) for suffix in (".onnx", ".xml", ".bin", ".mlpackage"))
"""Names of the graphs that exports write, and of the additional one of packaged weights."""


def check_request(folder: Path, format: str, precision: str) -> None:
    """Checks what can be checked before the work begins.

    Raises:
        ConfigError: unknown format or precision, or the folder holds other things than an earlier export.
    """
    if format not in get_args(Format):
        raise ConfigError(f"format: expected {', '.join(get_args(Format))}; got {format!r}")
    if precision not in get_args(Precision) or (precision == "int8" and format != "openvino"):
        raise ConfigError(f"precision: expected fp32 or fp16, or int8 with format openvino; got {precision!r} with format {format}")
    if not _is_new(folder):
        try:
            read_card(folder)
        except WeightsError as error:
            raise ConfigError(f"{folder}: expected an empty or a new folder, or an earlier export; got something else ({error})") from error


def export(
    checkpoint: Path, folder: Path, crops: CropSet, format: str = "onnx", precision: str = "fp32", least_overlap: float | None = None
) -> Report:
    """Exports a checkpoint and compares the result with torch.

    Args:
        checkpoint: A `.safetensors` file.
        folder: Where `embed`, `match` and `config.json` go; made where it is missing. An earlier export there is replaced,
            and other files stay.
        crops: What the result is compared on, and for int8 calibrated on.
        format: `onnx`, `openvino` or `coreml`.
        precision: `fp32`; `fp16` stores the weights as float16 (CoreML also computes so); `int8` quantises, for OpenVINO.
        least_overlap: For int8: layers stay in float until the boxes overlap with the float network's by this much in the mean, 0 to 1.

    Raises:
        ExportError: a runtime gives other values than torch; nothing is written.
        ConfigError: see `check_request`.
        RuntimeMissingError: a package that the format needs is not installed.
    """
    check_request(folder, format, precision)
    network, card = load_checkpoint(checkpoint)
    folded = fold(network)
    if precision == "fp16":
        with torch.no_grad():
            for parameter in folded.parameters():
                parameter.copy_(parameter.half())  # so that torch computes with the weights as they are stored
    with _place(folder) as unfinished:
        report = _write_graphs(folded, unfinished, crops, format, precision, least_overlap)
        write_folder_card(_card_of(folded, card), unfinished)
    return report._replace(folder=folder)


def _is_new(folder: Path) -> bool:
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


@contextmanager
def _place(folder: Path) -> Iterator[Path]:
    """A folder to write an export into, which appears whole, or replaces an earlier export and keeps other files."""
    if _is_new(folder):
        with written_whole(folder) as unfinished:
            unfinished.mkdir()
            yield unfinished
    else:
        with files_replaced(folder, (*_GRAPHS, "config.json")) as unfinished:  # the card comes last, so that an export can be repeated
            yield unfinished


def _write_graphs(network: FearNetwork, folder: Path, crops: CropSet, format: str, precision: str, least_overlap: float | None) -> Report:
    if format == "coreml":
        from fear.export.coreml import write_coreml

        return Report(folder, write_coreml(network, folder, precision, crops.sides))
    if format == "onnx":
        write_onnx(network, folder, half_storage=precision == "fp16")
    else:
        from fear.export.openvino import write_openvino

        write_openvino(network, folder, precision, crops.calibration, least_overlap)
    return compare(network, folder, crops, quantised=precision == "int8")


def _card_of(network: FearNetwork, card: WeightsCard) -> WeightsCard:
    """The checkpoint's card, with what changes when batch norms are folded."""
    return replace(
        card,
        network=network.config,
        parameters=parameter_count(network),
        template_parameters=template_parameter_count(network),
        macs=count_macs(network),
    )


def count_macs(network: FearNetwork) -> int:
    """Returns the multiply-accumulates of one `match` call for one target."""
    _, search = sample_inputs(network.config, batch=1)
    features = torch.zeros(1, *network.config.template_shape)
    return multiply_accumulates(Match(network), search, features)


def multiply_accumulates(module: torch.nn.Module, *inputs: torch.Tensor) -> int:
    """Returns the multiply-accumulates of one call of a module, counted by torch."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs)
    return int(counter.get_total_flops()) // 2
