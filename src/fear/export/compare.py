"""Is an exported network still the network? Its outputs beside torch's, on crops as trackers cut them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fear.errors import ExportError, RuntimeMissingError
from fear.loading.crops import Pair
from fear.network import FearNetwork
from fear.runtime.protocol import Maps, Network

TOLERANCE = 1e-3
"""Largest difference from torch, relative to the largest value of the output, for float arithmetic."""
NEAR = 0.9
"""Least share of crops where a quantised network's best cell is torch's or one beside it."""
_STACKED = 3  # targets in the call that checks batches


class Report(NamedTuple):
    """How far an exported network is from torch."""

    folder: Path
    differences: dict[str, float]
    """Largest difference by runtime and output, relative to that output's largest value."""
    agreement: float | None = None
    """Share of crops with the same best cell; None where nothing could be run, as with CoreML."""
    near: float | None = None
    """Share of crops whose best cell is the same or one beside it."""

    @property
    def largest(self) -> float:
        """The largest of all differences."""
        return max(self.differences.values())


def compare(network: FearNetwork, folder: Path, pairs: Sequence[Pair], quantised: bool = False) -> Report:
    """Runs an exported folder on every runtime that is installed and compares each output with torch.

    Args:
        network: Folded.
        folder: Exported.
        pairs: Crops; the first few also go through one call together.
        quantised: The best cell decides, not the difference of values.

    Raises:
        ExportError: an output differs by more than `TOLERANCE`; of a quantised network, too few best cells are near torch's.
        RuntimeMissingError: no runtime to check with.
    """
    from fear.runtime.pytorch import TorchNetwork

    truth = TorchNetwork(network)
    differences: dict[str, float] = {}
    same, near, count = 0, 0, 0

    def note(key: str, a: np.ndarray[tuple[int, ...], np.dtype[np.float32]], b: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
        differences[key] = max(differences.get(key, 0.0), float(np.abs(a - b).max() / np.abs(a).max()))

    stacked = np.concatenate([pair.search for pair in pairs[:_STACKED]])
    asked = [*pairs, Pair(pairs[0].template, stacked)]
    # torch answers first and the runtimes one after the other: their idle threads would slow each other
    features = [truth.encode_template(template) for template, _ in asked]
    merged = [np.repeat(f, len(search), axis=0) for f, (_, search) in zip(features, asked, strict=True)]  # (N, C, T, T)
    answers = [truth.match(search, m) for m, (_, search) in zip(merged, asked, strict=True)]
    for runtime, candidate in _runtimes(folder):
        for (template, search), f, m, expected in zip(asked, features, merged, answers, strict=True):
            note(f"{runtime} features", f, candidate.encode_template(template))
            got = candidate.match(search, m)
            for name, a, b in zip(Maps._fields, expected, got, strict=True):
                note(f"{runtime} {name}", a, b)
            cells = [np.array(np.unravel_index(maps.scores[0, 0].argmax(), maps.scores.shape[2:])) for maps in (expected, got)]
            apart = int(np.abs(cells[0] - cells[1]).max())
            same, near, count = same + (apart == 0), near + (apart <= 1), count + 1
    report = Report(folder, differences, same / count, near / count)
    too_far = {key: value for key, value in differences.items() if not value <= TOLERANCE}
    if quantised and near / count < NEAR:
        raise ExportError(f"expected the best cell within one of torch's in {NEAR:.0%} of crops, got {near / count:.0%}")
    if too_far and not quantised:
        raise ExportError(f"expected the exported network within {TOLERANCE} of torch, got {too_far}")
    return report


def _runtimes(folder: Path) -> Sequence[tuple[str, Network]]:

    from fear.loading.load import load

    found: list[tuple[str, Network]] = []
    for name in ("onnx", "openvino") if (folder / "match.onnx").is_file() else ("openvino",):
        try:
            found.append((name, load(folder, runtime=name, threads=1)))
        except RuntimeMissingError:
            continue
    if not found:
        raise RuntimeMissingError("checking an export needs onnxruntime or openvino; found neither")
    return found
