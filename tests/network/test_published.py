from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fear.errors import WeightsError
from fear.network import FearNetwork
from fear.network.published import import_published


@pytest.fixture(scope="module")
def published(official: Path) -> FearNetwork:
    return import_published(official / "Tracker.mlmodel", official / "TrackerInit.mlmodel")


@pytest.mark.parametrize("k", [0, 1])
def test_golden_values(published: FearNetwork, official: Path, k: int) -> None:
    golden = np.load(official / "golden.npz")
    with torch.no_grad():
        features = published.encode_template(torch.from_numpy(golden[f"template_{k}"]).permute(2, 0, 1)[None])
        prediction = published.match(torch.from_numpy(golden[f"search_{k}"]).permute(2, 0, 1)[None], features)
    for ours, name in ((features, "features"), (prediction.boxes_ltrb, "bbox"), (prediction.logits, "cls")):
        truth = golden[f"{name}_{k}"]
        assert np.abs(ours[0].numpy() - truth).max() < 1e-3 * np.abs(truth).max(), name
    cell = int(golden[f"cls_{k}"].argmax())
    assert int(prediction.logits.argmax()) == cell
    # where the target is, each single distance agrees
    there = golden[f"bbox_{k}"].reshape(4, -1)[:, cell]
    assert prediction.boxes_ltrb[0].flatten(1)[:, cell].numpy() == pytest.approx(there, rel=1e-3)


def test_without_dynamic_template(published: FearNetwork) -> None:
    assert float(published.dynamic_weight.detach()) == 0
    assert published.config.folded


def test_files_that_contradict(official: Path, tmp_path: Path) -> None:
    data = bytearray((official / "TrackerInit.mlmodel").read_bytes())
    data[len(data) // 2] ^= 0x10  # inside the weights
    (tmp_path / "init.mlmodel").write_bytes(data)
    with pytest.raises(WeightsError, match="expected the backbone of the other file"):
        import_published(official / "Tracker.mlmodel", tmp_path / "init.mlmodel")


def test_files_swapped(official: Path) -> None:
    with pytest.raises(WeightsError, match=r"expected layers .* of the published network"):
        import_published(official / "TrackerInit.mlmodel", official / "Tracker.mlmodel")


@pytest.mark.parametrize("content", [b"", b"not CoreML at all"])
def test_foreign_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.mlmodel").write_bytes(content)
    with pytest.raises(WeightsError, match="expected a CoreML"):
        import_published(tmp_path / "x.mlmodel", tmp_path / "x.mlmodel")


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="found nothing there"):
        import_published(tmp_path / "x.mlmodel", tmp_path / "x.mlmodel")
