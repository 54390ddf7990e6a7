from __future__ import annotations

import ast
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fear
from fear.telemetry import telemetry_off

REPORTING = {"openvino", "onnxruntime", "nncf"}
"""Libraries that report their use when they are imported."""

RUN = """
import sys
sys.addaudithook(lambda event, details: event in ("socket.connect", "socket.getaddrinfo") and print(event, details, file=sys.stderr))
import numpy, fear
frame = numpy.zeros((120, 160, 3), numpy.uint8)
for runtime in ("openvino", "onnx", "auto"):
    tracker = fear.Tracker("fear-nano", runtime=runtime, threads=1)
    tracker.init(frame, (50, 40, 30, 30))
    tracker.update(frame)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux are checked")
def test_tracking_calls_nobody_and_leaves_no_foreign_file(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")}
    calls = tmp_path / "calls.txt"
    calls.touch()
    strace = ["strace", "-f", "-qq", "-e", "trace=connect,sendto", "-o", str(calls)] if shutil.which("strace") else []
    home = tmp_path / "home"
    home.mkdir()
    run = subprocess.run([*strace, sys.executable, "-c", RUN], env=environment | {"HOME": str(home)}, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert [line for line in calls.read_text().splitlines() if "AF_INET" in line] == []  # name servers are asked over AF_INET too
    assert [path.relative_to(home).as_posix() for path in (*home.iterdir(), *(home / ".cache").iterdir())] == [".cache", ".cache/fear"]


def test_libraries_that_report_are_imported_with_their_telemetry_off() -> None:
    imported = set()
    root = Path(fear.__file__).parent
    for path in root.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        switched_off = {
            inner
            for block in ast.walk(tree)
            if isinstance(block, ast.With) and ast.unparse(block.items[0]) == "telemetry_off()"
            for inner in ast.walk(block)
        }
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found = {name.partition(".")[0] for name in names} & REPORTING
            imported |= found
            assert not found or node in switched_off, f"{path.relative_to(root)}:{getattr(node, 'lineno', 0)}"
    assert imported == REPORTING


@pytest.mark.parametrize("before", [None, "0"])
def test_environment_and_modules_are_as_before(before: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    if before is not None:
        monkeypatch.setenv("ORT_DISABLE_TELEMETRY", before)
    sender = object()
    monkeypatch.setitem(sys.modules, "openvino_telemetry", sender)
    with telemetry_off():
        assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
        with pytest.raises(ImportError):
            importlib.import_module("openvino_telemetry")
    assert os.environ.get("ORT_DISABLE_TELEMETRY") == before
    assert sys.modules["openvino_telemetry"] is sender
