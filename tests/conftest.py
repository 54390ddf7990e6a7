"""What several tests share: the reference data, a scripted network, the published network."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from fear.media.image import Image
from fear.media.synthetic import Scene, render
from fear.weights import packaged

SHARED = Path(os.environ.get("FEAR_SHARED", Path(__file__).parents[2] / "shared"))
"""Reference data that is not part of the project; tests that need it are skipped without it."""


@pytest.fixture(autouse=True)
def _no_lines_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands write lines of progress only in the tests that ask for them: on a busy machine any work may take seconds."""
    monkeypatch.setattr("fear.cli.console.EVERY", 3600.0)


@pytest.fixture(scope="session")
def official() -> Path:
    """Folder of the published network."""
    folder = SHARED / "official"
    if not (folder / "Tracker.mlmodel").is_file():
        pytest.skip(f"needs the published network in {folder} (set FEAR_SHARED)")
    return folder


@pytest.fixture(scope="session")
def sequences() -> Path:
    """Folder of the reference sequences."""
    folder = SHARED / "data" / "sequences"
    if not folder.is_dir():
        pytest.skip(f"needs the reference sequences in {folder} (set FEAR_SHARED)")
    return folder


@pytest.fixture(scope="session")
def clip() -> list[Image]:
    """Twelve small rendered frames."""
    return [frame.image for frame in render(Scene(frames=12, height=120, width=160))]


@pytest.fixture
def packaged_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports of the packaged fear-nano take the graphs of the package; tracing the network again would take most of their time."""

    def copy_graphs(network: object, folder: Path, half_storage: bool = False) -> None:
        for part in ("embed", "match"):
            shutil.copy((packaged()["fear-nano"].folder or Path()) / f"{part}.onnx", folder)

    monkeypatch.setattr("fear.export.write_onnx", copy_graphs)
    monkeypatch.setattr("fear.export.openvino.write_onnx", copy_graphs)
