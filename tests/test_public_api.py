from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

import fear


def test_all_is_sorted_and_complete() -> None:
    assert fear.__all__ == sorted(fear.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    for name in fear.__all__:
        assert getattr(fear, name) is not None
    assert set(fear.__all__) <= set(dir(fear))


def test_every_error_is_a_fear_error() -> None:
    errors = [getattr(fear, name) for name in fear.__all__ if name.endswith("Error")]
    assert len(errors) == 9
    assert all(issubclass(error, fear.FearError) for error in errors)


def test_errors_about_a_value_are_value_errors() -> None:
    assert all(issubclass(error, ValueError) for error in (fear.ConfigError, fear.FrameError, fear.BoxError))


def test_the_version_is_the_same_everywhere() -> None:
    root = Path(__file__).parents[1]
    assert f"\nversion: {fear.__version__}\n" in (root / "CITATION.cff").read_text(encoding="utf-8")
    headings = [line for line in (root / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if line.startswith("## ")]
    assert headings[0].split()[1] == fear.__version__


def test_unknown_attribute() -> None:
    with pytest.raises(AttributeError, match="Trakcer"):
        _ = fear.Trakcer


@pytest.mark.parametrize(
    "use", ["import fear", "import fear; fear.Tracker", "import fear.cli, fear.annotations.recording, fear.media.reader, fear.evaluation"]
)
def test_core_imports_no_torch(use: str) -> None:
    subprocess.run([sys.executable, "-c", f"{use}\nimport sys; assert 'torch' not in sys.modules"], check=True)


def test_import_is_quick() -> None:
    def seconds(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    seconds("import fear")  # once for the file cache
    assert min(seconds("import fear") for _ in range(3)) - min(seconds("pass") for _ in range(3)) < 0.3
