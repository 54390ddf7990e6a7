"""Puts weights that training produced into the package, as checkpoint and exported graphs.

    python scripts/package_weights.py STUDENT.npz --name fear-xs --provenance "…" [--summary results/summary.json --tracker fear-xs]

STUDENT.npz holds the arrays of the first distillation, whose names differ from ours while the structure is the same. They are folded,
rounded to float16 and exported; the export is compared with torch. With a summary of `fear eval` the measured scores go into the card.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import fear.weights
from fear.config import PRESETS
from fear.export import count_macs, export
from fear.model import FearNetwork, build_network, fold, parameter_count, save_checkpoint
from fear.model.checkpoint import load_exactly
from fear.weights import WeightsCard

_UNITS = {"encode": "fusion.encode", "fuse": "fusion.aggregate", "tower.0": "head.tower.0", "tower.1": "head.tower.1"}


def load_student(path: Path) -> FearNetwork:
    """The network of an array file of the first distillation, in evaluation mode."""
    with np.load(path) as arrays:
        student = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    student = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in student.items()}
    network = build_network(PRESETS["fear-xs"])
    state: dict[str, Tensor] = {
        "dynamic_weight": torch.tensor(0.0),
        "box_head.scale": torch.tensor(0.1),
        "box_head.shift": torch.tensor(1.0),
    }
    state |= _backbone(student, network)
    for branch in ("score", "box"):
        for theirs, ours in _UNITS.items():
            state |= _separable(student, f"{branch}.{theirs}", f"{branch}_{ours}")
        state |= _last(student, branch, 0.0 if branch == "score" else 1.0)
    load_exactly(network, state, path)
    return network.eval()


def _backbone(student: dict[str, Tensor], network: FearNetwork) -> dict[str, Tensor]:
    """Stem, blocks and AdjustLayer: the same convolutions and norms in the same order."""

    def parts(names: list[str]) -> list[str]:
        return list(dict.fromkeys(name.rpartition(".")[0] for name in names))

    theirs = parts([name for name in student if name.startswith("backbone.")])
    ours = parts([name for name in network.state_dict() if name.startswith(("backbone.", "adjust."))])
    return {
        f"{new}.{name.removeprefix(f'{old}.')}": tensor
        for old, new in zip(theirs, ours, strict=True)
        for name, tensor in student.items()
        if re.fullmatch(rf"{re.escape(old)}\.\w+", name)
    }


def _separable(student: dict[str, Tensor], old: str, new: str) -> dict[str, Tensor]:
    """Depthwise and pointwise biases are absorbed by the norm behind them."""
    bias = student[f"{old}.1.bias"] + student[f"{old}.1.weight"][:, :, 0, 0] @ student[f"{old}.0.bias"]
    norm = {name: student[f"{old}.2.{name}"] for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")}
    norm["running_mean"] = norm["running_mean"] - bias
    return {f"{new}.0.weight": student[f"{old}.0.weight"], f"{new}.1.weight": student[f"{old}.1.weight"]} | {
        f"{new}.2.{name}": tensor for name, tensor in norm.items()
    }


def _last(student: dict[str, Tensor], branch: str, shift: float) -> dict[str, Tensor]:
    """The last convolution, with our heads' scaling 0.1 and shift undone."""
    weight, bias = student[f"{branch}.last.1.weight"], student[f"{branch}.last.1.bias"]
    bias = bias + weight[:, :, 0, 0] @ student[f"{branch}.last.0.bias"]
    new = f"{branch}_head.last"
    return {f"{new}.0.weight": student[f"{branch}.last.0.weight"], f"{new}.1.weight": weight * 10, f"{new}.1.bias": (bias - shift) * 10}


def main() -> None:
    """Parses, converts, exports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("student", type=Path)
    parser.add_argument("--name", default="fear-xs")
    parser.add_argument("--provenance", required=True)
    parser.add_argument("--summary", type=Path, help="summary.json of `fear eval`")
    parser.add_argument("--tracker", default="fear-xs", help="the tracker's name in the summary")
    parser.add_argument("--scores-on", default="", help="what the summary was measured on")
    parser.add_argument("--output", type=Path, help="folder; the package's own by default")
    options = parser.parse_args()

    network = fold(load_student(options.student))
    scores: dict[str, float] = {}
    if options.summary:
        mean = json.loads(options.summary.read_text())["trackers"][options.tracker]["mean"]
        scores = {key: round(mean[key], 4) for key in ("auc", "ao", "sr50", "precision")}
    card = WeightsCard(
        replace(network.config, name=options.name),
        "MIT",
        options.provenance,
        parameters=parameter_count(network),
        macs=count_macs(network),
        scores=scores,
        scores_on=options.scores_on,
    )
    network.config = card.network
    target = options.output or Path(fear.weights.__file__).parent / options.name
    with tempfile.TemporaryDirectory() as temporary:
        checkpoint = Path(temporary) / "checkpoint.safetensors"
        save_checkpoint(network, checkpoint, card, torch.float16)
        report = export(checkpoint, target, precision="fp16")
        shutil.copy(checkpoint, target / "checkpoint.safetensors")
    print(f"wrote {target}; largest difference between export and torch {report.largest:.1e}")


if __name__ == "__main__":
    main()
