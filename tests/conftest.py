"""What several tests share: the reference data, a scripted network, the published network."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from fear.media.image import Image
from fear.media.synthetic import Scene, render
from fear.weights import packaged

settings.register_profile("patient", deadline=None)  # how long an example takes depends on what else the machine does
settings.load_profile("patient")

signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start background jobs without it, and their children inherit that

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


@pytest.fixture(scope="session")
def traced_graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of graphs that were traced in this run of the tests; the processes of one run share it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "graphs"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def traced_once(traced_graphs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports of the same weights share one tracing, which takes ten seconds and more."""
    import onnx
    import torch

    import fear.export.onnx as module

    original = module.trace_graph

    def trace_graph(network: torch.nn.Module, inputs: dict[str, torch.Tensor], outputs: list[str], fixed: bool = False) -> onnx.ModelProto:
        digest = hashlib.sha256(f"{network} {outputs} {fixed}".encode())
        for name, tensor in (*network.state_dict().items(), *inputs.items()):
            digest.update(f"{name} {tensor.shape} {tensor.dtype}".encode() + tensor.numpy().tobytes())
        path = traced_graphs / f"{digest.hexdigest()}.onnx"
        if not path.is_file():
            unfinished = path.with_suffix(f".{os.getpid()}")
            onnx.save_model(original(network, inputs, outputs, fixed), unfinished)
            unfinished.rename(path)
        return onnx.load_model(path)

    monkeypatch.setattr(module, "trace_graph", trace_graph)


@pytest.fixture
def packaged_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports of the packaged fear-nano take the graphs of the package; tracing the network again would take most of their time."""

    def copy_graphs(network: object, folder: Path, half_storage: bool = False) -> None:
        for part in ("embed", "match"):
            shutil.copy((packaged()["fear-nano"].folder or Path()) / f"{part}.onnx", folder)

    monkeypatch.setattr("fear.export.write_onnx", copy_graphs)
    monkeypatch.setattr("fear.export.openvino.write_onnx", copy_graphs)
