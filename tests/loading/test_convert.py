from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from fear.loading import convert
from fear.loading.convert import export_to_cache
from fear.weights import packaged

CHECKPOINT = packaged()["fear-nano"].checkpoint


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "fear"


def test_a_conversion_is_made_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def export(checkpoint: Path, folder: Path) -> None:
        made.append(checkpoint)
        folder.mkdir()
        (folder / "config.json").write_text("{}")

    monkeypatch.setattr(convert, "export_checkpoint", export)
    assert CHECKPOINT is not None
    assert export_to_cache(CHECKPOINT) == export_to_cache(CHECKPOINT)
    assert made == [CHECKPOINT]
    assert export_to_cache(CHECKPOINT).parent == cache


def test_a_full_cache_folder_does_not_keep_a_checkpoint_from_running(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def export(checkpoint: Path, folder: Path) -> None:
        if cache in folder.parents:
            raise OSError(errno.ENOSPC, "No space left on device", str(folder))
        folder.mkdir()
        (folder / "config.json").write_text("{}")

    monkeypatch.setattr(convert, "export_checkpoint", export)
    assert CHECKPOINT is not None
    folder = export_to_cache(CHECKPOINT)
    assert (folder / "config.json").is_file()
    assert cache not in folder.parents
    assert export_to_cache(CHECKPOINT) == folder
    shutil.rmtree(folder)
