"""The weights inside the package, the cards that describe weights, and the folder for what can be made again."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from fear.weights.card import WeightsCard, read_card

__all__ = ["Weights", "WeightsCard", "packaged", "read_card"]

_PACKAGED = Path(__file__).parent / "packaged"


class Weights(NamedTuple):
    """Where the forms of one packaged model lie."""

    checkpoint: Path | None
    """`.safetensors`, for torch."""
    folder: Path | None
    """Exported folder, for OpenVINO and ONNX Runtime."""


def packaged() -> dict[str, Weights]:
    """Returns the models inside this package by name."""
    found = {}
    for folder in sorted(path.parent for path in _PACKAGED.glob("*/config.json")):
        checkpoint = folder / "checkpoint.safetensors"
        found[folder.name] = Weights(checkpoint if checkpoint.is_file() else None, folder)
    return found
