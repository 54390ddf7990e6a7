"""Checkpoint → exported folder → runtime. Every export is compared with torch and fails if it differs."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from fear.errors import ConfigError, ExportError, RuntimeMissingError
from fear.export.onnx import Match, sample_inputs, write_onnx
from fear.model import FearNetwork, fold, load_checkpoint, parameter_count
from fear.runtime.base import Maps, Network
from fear.template import merge_templates

__all__ = ["Format", "Report", "compare", "count_macs", "export", "export_to_cache"]

Format = Literal["onnx"]

TOLERANCE = 1e-3
"""Largest difference from torch, relative to the largest value of the output, for float32."""


class Report(NamedTuple):
    """How far an exported network is from torch."""

    folder: Path
    differences: dict[str, float]
    """Largest difference by output, relative to that output's largest value."""

    @property
    def largest(self) -> float:
        """The largest of all differences."""
        return max(self.differences.values())


def export(checkpoint: Path, folder: Path, format: str = "onnx", half_storage: bool = False) -> Report:
    """Exports a checkpoint and checks the result.

    Args:
        checkpoint: A `.safetensors` file.
        folder: Where `embed`, `match` and `config.json` go; made, or replaced when it holds an export already.
        format: `onnx`
        half_storage: Weights as float16 in the files; computation in float32.

    Raises:
        ExportError: a runtime gives other values than torch; nothing is written.
        ConfigError: unknown format, or the folder holds other things.
    """
    if format not in get_args(Format):
        raise ConfigError(f"format: expected {', '.join(get_args(Format))}; got {format!r}")
    if folder.exists() and not (folder.is_dir() and ((folder / "config.json").is_file() or not any(folder.iterdir()))):
        raise ConfigError(f"{folder}: expected an empty or a new folder, or an earlier export; got something else")
    network, card = load_checkpoint(checkpoint)
    folded = fold(network)
    if half_storage:
        with torch.no_grad():
            for parameter in folded.parameters():
                parameter.copy_(parameter.half())  # torch, too, shall compute with the weights as stored
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        unfinished = Path(temporary) / "export"
        unfinished.mkdir()
        write_onnx(folded, unfinished, half_storage)
        exported_card = replace(card, network=folded.config, parameters=parameter_count(folded), macs=count_macs(folded))
        (unfinished / "config.json").write_text(exported_card.to_json() + "\n", encoding="utf-8")
        report = Report(folder, compare(folded, unfinished))
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    return report


def compare(network: FearNetwork, folder: Path) -> dict[str, float]:
    """Runs an exported folder on every runtime that is installed and compares each output with torch, for one target and for three.

    Raises:
        ExportError: an output differs by more than `TOLERANCE`, or another cell of the map is the best.
    """
    from fear.runtime.pytorch import TorchNetwork

    truth = TorchNetwork(network)
    differences: dict[str, float] = {}
    for runtime, candidate in _runtimes(folder):
        for batch in (1, 3):
            template, search = (pictures.numpy() for pictures in sample_inputs(network.config, batch, seed=batch))
            features = truth.embed(template)
            stacked = merge_templates(np.repeat(features, batch, axis=0), np.repeat(features, batch, axis=0), truth)  # (N, C, T, T)
            expected, got = truth.match(search, stacked), candidate.match(search, stacked)
            pairs = {"features": (features, candidate.embed(template))} | {
                name: (a, b) for name, a, b in zip(Maps._fields, expected, got, strict=True) if a is not None and b is not None
            }
            for name, (a, b) in pairs.items():
                key = f"{runtime} {name}"
                difference = float(np.abs(a - b).max() / np.abs(a).max())
                differences[key] = max(differences.get(key, 0.0), difference)
    too_far = {key: value for key, value in differences.items() if not value <= TOLERANCE}
    if too_far:
        raise ExportError(f"expected the exported network within {TOLERANCE} of torch, got {too_far}")
    return differences


def _runtimes(folder: Path) -> Sequence[tuple[str, Network]]:
    from fear import runtime

    found: list[tuple[str, Network]] = []
    for name in ("onnx", "openvino"):
        try:
            found.append((name, runtime.load(folder, runtime=name)))
        except RuntimeMissingError:
            continue
    if not found:
        raise RuntimeMissingError("checking an export needs onnxruntime or openvino; found neither")
    return found


def count_macs(network: FearNetwork) -> int:
    """Multiply-accumulates of one `match` call for one target, counted by torch."""
    _, search = sample_inputs(network.config, batch=1)
    features = torch.zeros(1, *network.config.template_shape)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        Match(network)(search, features)
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
