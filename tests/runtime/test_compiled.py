from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fear.runtime.openvino import OpenVinoNetwork
from fear.weights import packaged

FOLDER = packaged()["fear-nano"].folder or Path()
SIDES = (128, 192)
SEARCH = np.random.default_rng(0).integers(0, 256, (1, 128, 128, 3), np.uint8)
TEMPLATE = np.random.default_rng(1).random((1, 128, 8, 8), np.float32)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "fear" / "compiled"


def scores() -> np.ndarray:
    return OpenVinoNetwork(FOLDER, threads=1, sides=SIDES).match(SEARCH, TEMPLATE).scores.copy()


def test_kept_networks_compute_the_same_and_are_not_written_again(kept: Path) -> None:
    fresh = scores()
    written = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert len(written) == 3  # embed, and match for both sides of the search
    np.testing.assert_array_equal(scores(), fresh)
    assert {path: path.stat().st_mtime_ns for path in kept.iterdir()} == written


def test_a_damaged_file_is_replaced(kept: Path) -> None:
    fresh = scores()
    for path in kept.iterdir():
        path.write_bytes(path.read_bytes()[:5000])
    np.testing.assert_array_equal(scores(), fresh)
    assert all(path.stat().st_size > 500_000 for path in kept.iterdir())


def test_a_changed_bit_is_noticed(kept: Path) -> None:
    """OpenVINO would read such a file and compute other boxes."""
    fresh = scores()
    damaged = {}
    for path in kept.iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 64
        path.write_bytes(content)
        damaged[path] = bytes(content)
    np.testing.assert_array_equal(scores(), fresh)
    for path in kept.iterdir():  # compiled and kept again
        assert path.read_bytes() != damaged[path]


def test_a_network_under_the_name_of_another_is_noticed(kept: Path) -> None:
    fresh = scores()
    first, *others = sorted(kept.iterdir())
    for path in others:
        path.write_bytes(first.read_bytes())
    np.testing.assert_array_equal(scores(), fresh)
    assert len({path.read_bytes() for path in kept.iterdir()}) == 3  # each was compiled and kept again


def test_folders_where_the_files_should_be(kept: Path) -> None:
    fresh = scores()
    for path in list(kept.iterdir()):
        path.unlink()
        path.mkdir()
    np.testing.assert_array_equal(scores(), fresh)


def test_other_settings_have_files_of_their_own(kept: Path) -> None:
    scores()
    OpenVinoNetwork(FOLDER, threads=2, sides=SIDES)
    assert len(list(kept.iterdir())) == 6


def test_a_home_that_cannot_be_written(kept: Path) -> None:
    kept.parent.mkdir(parents=True)
    kept.write_text("a file where the folder should be")
    assert scores().shape == (1, 1, 8, 8)


def test_several_processes_at_once(kept: Path) -> None:
    start = "import pathlib, sys; from fear.runtime.openvino import OpenVinoNetwork"
    code = f"{start}; OpenVinoNetwork(pathlib.Path(sys.argv[1]), threads=1, sides={SIDES})"
    processes = [subprocess.Popen([sys.executable, "-c", code, str(FOLDER)]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert len(list(kept.iterdir())) == 3  # nothing half-written is left
    assert scores().shape == (1, 1, 8, 8)
