"""Compares an exported network with torch: the outputs of every installed runtime, on crops as trackers cut them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fear.errors import ExportError, RuntimeMissingError
from fear.export.pairs import CropSet, Pair
from fear.geometry.cells import best_cell
from fear.network import FearNetwork
from fear.runtime.protocol import Floats, Maps, Network
from fear.weights.card import WeightsCard

TOLERANCE = 1e-3
"""Largest difference from torch, relative to the largest value of the output, for float arithmetic."""
NEAR = 0.9
"""Least share of crops where a quantised network's best cell is torch's or a neighbour of it."""
_STACKED = 3  # targets in the call that checks batches


class Report(NamedTuple):
    """How far an exported network is from torch."""

    folder: Path
    differences: dict[str, float]
    """Largest difference by runtime and output, relative to that output's largest value."""
    agreement: float | None = None
    """Share of crops with the same best cell; None where nothing could be run, as with CoreML."""
    near: float | None = None
    """Share of crops whose best cell is the same or a neighbour."""

    @property
    def largest(self) -> float:
        """The largest of all differences."""
        return max(self.differences.values())


class _Answer(NamedTuple):
    """What torch answers to one pair."""

    pair: Pair
    features: Floats
    """(1, C, T, T)"""
    maps: Maps


def compare(network: FearNetwork, folder: Path, crops: CropSet, quantised: bool = False) -> Report:
    """Runs an exported folder on every runtime that is installed and compares each output with torch.

    Args:
        network: Folded.
        folder: Exported; its `config.json` may be missing.
        crops: Crops to compare on; the first few also go through one call together.
        quantised: The best cells decide, not the difference of values.

    Raises:
        ExportError: an output differs by more than `TOLERANCE`; of a quantised network, too few best cells are near torch's.
        RuntimeMissingError: no runtime to check with.
    """
    differences: dict[str, float] = {}
    apart: list[int] = []  # cells between both best cells, for each runtime and pair
    answers = _answers_of_torch(network, crops)
    for runtime, candidate in _runtimes(folder, WeightsCard(network.config, "", ""), crops.sides):
        for pair, features, expected in answers:
            got = candidate.match(pair.search, _repeated(features, pair))
            outputs = [("features", features, candidate.encode_template(pair.template)), *zip(Maps._fields, expected, got, strict=True)]
            for name, truth, value in outputs:
                key = f"{runtime} {name}"
                differences[key] = max(differences.get(key, 0.0), float(np.abs(truth - value).max() / np.abs(truth).max()))
            cells = [np.array(best_cell(maps.scores[0, 0])) for maps in (expected, got)]
            apart.append(int(np.abs(cells[0] - cells[1]).max()))
    if not apart:
        raise RuntimeMissingError("checking an export needs onnxruntime or openvino; found neither: pip install onnxruntime")
    same, near = float(np.mean([cells == 0 for cells in apart])), float(np.mean([cells <= 1 for cells in apart]))
    if quantised and near < NEAR:
        raise ExportError(f"expected the best cell within one of torch's in {NEAR:.0%} of crops, got {near:.0%}")
    too_far = {key: value for key, value in differences.items() if not value <= TOLERANCE}
    if too_far and not quantised:
        raise ExportError(f"expected the exported network within {TOLERANCE} of torch, got {too_far}")
    return Report(folder, differences, same, near)


def _answers_of_torch(network: FearNetwork, crops: CropSet) -> list[_Answer]:
    """All answers of torch, before any other runtime is loaded: idle threads of one would slow the other."""
    from fear.runtime.pytorch import TorchNetwork

    truth, pairs = TorchNetwork(network), crops.compared
    stacked = np.concatenate([pair.search for pair in pairs[:_STACKED]])
    answers = []
    for pair in (*pairs, Pair(pairs[0].template, stacked)):
        features = truth.encode_template(pair.template)
        answers.append(_Answer(pair, features, truth.match(pair.search, _repeated(features, pair))))
    return answers


def _repeated(features: Floats, pair: Pair) -> Floats:
    """(1, C, T, T) → (N, C, T, T), for each search crop of the pair."""
    repeated: Any = np.repeat(features, len(pair.search), axis=0)
    return repeated  # type: ignore[no-any-return]


def _runtimes(folder: Path, card: WeightsCard, sides: list[int]) -> Iterator[tuple[str, Network]]:
    """Every installed runtime with the exported network, one after the other."""
    if (folder / "match.onnx").is_file() and importlib.util.find_spec("onnxruntime") is not None:
        from fear.runtime.onnx import OnnxNetwork

        yield "onnx", OnnxNetwork(folder, threads=1, card=card)
    if importlib.util.find_spec("openvino") is not None:
        from fear.runtime.openvino import OpenVinoNetwork

        yield "openvino", OpenVinoNetwork(folder, threads=1, sides=sides, card=card)
