from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fear.weights.store import cache_folder, write_text_whole, written_whole


def test_the_cache_lies_where_the_platform_keeps_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cache_folder() == tmp_path / "caches" / "fear"
    assert cache_folder().is_dir()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "fear"


def test_without_a_home_that_can_be_written_the_cache_ends_with_the_process(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    code = "from fear.weights.store import cache_folder as f; p = f(); assert f() == p; (p / 'x').write_text('x'); print(p)"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}
    found = Path(subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True).stdout.strip())
    assert found.parent == tmp_path
    assert not found.exists()


def test_a_relative_cache_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # what comes of `~` without a home is relative too
    assert cache_folder().is_absolute()
    assert not any(tmp_path.iterdir())


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    with written_whole(path) as unfinished:
        unfinished.write_text("first")
        assert not path.exists()
    assert path.read_text() == "first"
    with pytest.raises(ZeroDivisionError), written_whole(path) as unfinished:
        unfinished.write_text("second")
        _ = 1 / 0
    assert path.read_text() == "first"
    assert [file.name for file in path.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize(("keep_existing", "expected"), [(False, "new"), (True, "old")])
def test_a_folder_replaces_another_or_leaves_it(tmp_path: Path, keep_existing: bool, expected: str) -> None:
    folder = tmp_path / "folder"
    with written_whole(folder, keep_existing=keep_existing) as unfinished:
        unfinished.mkdir()
        (unfinished / "content").write_text("new")
        folder.mkdir()  # another process is faster
        (folder / "content").write_text("old")
        (folder / "more").write_text("old")
    assert (folder / "content").read_text() == expected
    assert (folder / "more").exists() == keep_existing
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_what_a_killed_process_left_is_removed_after_a_day(tmp_path: Path) -> None:
    fresh, old = tmp_path / ".fear-fresh", tmp_path / ".fear-old"
    for folder in (fresh, old):
        folder.mkdir()
        (folder / "half.mp4").write_bytes(b"half")
    yesterday = time.time() - 100_000
    os.utime(old, (yesterday, yesterday))
    write_text_whole(tmp_path / "notes.txt", "whole")
    assert sorted(one.name for one in tmp_path.iterdir()) == [".fear-fresh", "notes.txt"]
