"""Where and how programs run in earnest: without a home, without rights, in any locale, into a pipe, on a full disk."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fear.annotations.boxfile import BoxFile
from fear.errors import FearError, VideoError
from fear.media.reader import open_source
from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter
from fear.tracking.track import Track
from fear.weights.store import write_text_whole

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="rights, limits and signals of Linux")

COMMAND = [sys.executable, "-c", "from fear.cli import app; app()"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What follows `fear track`: a short clip and its box."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    frames = list(render(Scene(frames=12, height=96, width=128)))
    with VideoWriter(path, 30) as writer:
        for index, frame in enumerate(frames):
            writer.write(frame.image, index / 30)
    box = ",".join(f"{value:.1f}" for value in frames[0].box_xywh)
    return [str(path), "--box", box, "--model", "fear-nano", "--runtime", "onnx", "--quiet"]


def run(*arguments: str, prefix: list[str] | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command with nothing in the environment but what is given."""
    paths = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
    command = [*(prefix or []), *COMMAND, *arguments]
    return subprocess.run(command, env=paths | environment, capture_output=True, text=True, errors="replace")


def test_no_home_and_no_environment(clip: list[str], tmp_path: Path) -> None:
    result = run("track", *clip, "--boxes", str(tmp_path / "b.txt"))
    assert (result.returncode, result.stderr) == (0, "")
    assert len((tmp_path / "b.txt").read_text().splitlines()) == 12


@pytest.mark.skipif(shutil.which("setpriv") is None or os.geteuid() != 0, reason="needs setpriv and its rights")
@pytest.mark.parametrize("home", ["of root", "nowhere", "not set"])
def test_a_foreign_user_without_a_home_that_can_be_written(clip: list[str], tmp_path: Path, home: str) -> None:
    """As in a container with `--user`. The capability lets this user read the installation, wherever it lies; it can write nothing."""
    rights = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    user = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", *rights]
    place = tmp_path / "home"
    place.mkdir(mode=0o755)
    homes = {"of root": {"HOME": str(place)}, "nowhere": {"HOME": "/nonexistent"}, "not set": {}}
    result = run("track", *clip, prefix=user, **homes[home])
    assert (result.returncode, result.stderr) == (0, "")
    assert not list(place.iterdir())


def test_the_cache_goes_where_xdg_says(clip: list[str], tmp_path: Path) -> None:
    clip = [part if part != "onnx" else "openvino" for part in clip]
    assert run("track", *clip, HOME=str(tmp_path / "home"), XDG_CACHE_HOME=str(tmp_path / "cache")).returncode == 0
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["fear"]
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("locale", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "latin-1"}])
def test_any_locale(locale: dict[str, str], tmp_path: Path) -> None:
    for arguments in (["models"], ["track", "--help"]):
        result = run(*arguments, **locale)  # type: ignore[arg-type]
        assert (result.returncode, result.stderr) == (0, "")
    result = run("track", str(tmp_path / "größe×.mp4"), "--box", "1,2,3,4", **locale)  # type: ignore[arg-type]
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("fear: ")


@pytest.mark.parametrize("arguments", [["models"], ["--help"], ["track"]])
def test_a_reader_that_goes_away_is_no_failure(clip: list[str], arguments: list[str]) -> None:
    if arguments == ["track"]:
        arguments = ["track", *clip[:-1]]  # with its summary
    reading, writing = os.pipe()
    process = subprocess.Popen([*COMMAND, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    os.close(reading)  # as `| head -0` does
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".jsonl"])
def test_a_full_disk_leaves_whole_lines(suffix: str, tmp_path: Path) -> None:
    track = Track((1.0, 2.0, 3.0, 4.0), 0.5, 0.5, False, 0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1001, before[1]))
    try:
        with BoxFile(tmp_path / f"b{suffix}", 1) as file, pytest.raises(FearError, match=r"expected to write on \(File too large\)"):
            for index in range(1000):
                file.write(index, index / 30, [track])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    lines = (tmp_path / f"b{suffix}").read_text().splitlines(keepends=True)
    assert 800 < sum(map(len, lines)) <= 1001
    assert lines[-1].endswith("\n")
    assert lines[-1].count(",") == lines[-2].count(",")


@pytest.mark.parametrize("room", [1, 20_000, 120_000, 240_000])
def test_a_full_disk_is_told_by_the_video(room: int, tmp_path: Path) -> None:
    """FFmpeg tells no error that comes while it closes a file, and crashed after others."""
    pictures = [np.random.default_rng(number).integers(0, 255, (96, 128, 3), np.uint8) for number in range(30)]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(VideoError, match=r"expected to write on \(File too large\)"), VideoWriter(tmp_path / "v.mp4", 30) as writer:
            for number, picture in enumerate(pictures):
                writer.write(picture, number / 30)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "v.mp4").stat().st_size == room


def test_boxes_go_into_a_pipe(clip: list[str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "boxes.csv")
    process = subprocess.Popen([*COMMAND, "track", *clip, "--boxes", str(tmp_path / "boxes.csv")])
    lines = (tmp_path / "boxes.csv").read_text().splitlines()
    assert process.wait() == 0
    assert lines[0].startswith("frame,time,target")
    assert len(lines) == 13


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_with_the_name_of_the_box_file(clip: list[str], tmp_path: Path) -> None:
    (tmp_path / "b.csv").symlink_to("/dev/full")
    result = subprocess.run([*COMMAND, "track", *clip, "--boxes", str(tmp_path / "b.csv")], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (1, f"fear: {tmp_path / 'b.csv'}: expected to write on (No space left on device)\n")


def test_a_full_disk_is_told_with_the_name_of_a_file_that_appears_whole(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as raised:
            write_text_whole(tmp_path / "card.json", "x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert raised.value.filename == str(tmp_path / "card.json")
    assert not list(tmp_path.iterdir())


STARTING = """
import os, sys, time
import fear.loading.load
from pathlib import Path
from fear.weights.store import written_whole

def slow(*_, **__):
    with written_whole(Path(sys.argv[-1])) as unfinished:
        unfinished.write_text("begun")
        print("ready", flush=True)
        time.sleep(60)

fear.loading.load.load = slow
from fear.cli import app
app(sys.argv[1:-1])
"""
"""The command, which stays busy while it loads a network, with a file half-written."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_a_network_is_loaded_ends_with_a_line_and_leaves_nothing(clip: list[str], tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-c", STARTING, "track", *clip, str(tmp_path / "half")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (1, "fear: interrupted\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_is_full_from_the_beginning(clip: list[str], tmp_path: Path) -> None:
    (tmp_path / "v.mp4").symlink_to("/dev/full")
    result = subprocess.run([*COMMAND, "track", *clip, "--output", str(tmp_path / "v.mp4")], capture_output=True, text=True)
    assert result.returncode == 1
    assert "expected to write on (No space left on device)" in result.stderr


def test_a_killed_run_leaves_whole_lines_and_a_video_that_plays(clip: list[str], tmp_path: Path) -> None:
    frames = list(render(Scene(frames=400, height=96, width=128)))
    with VideoWriter(tmp_path / "long.mp4", 30) as writer:
        for index, frame in enumerate(frames):
            writer.write(frame.image, index / 30)
    boxes, video = tmp_path / "b.csv", tmp_path / "out.mp4"
    command = [*COMMAND, "track", str(tmp_path / "long.mp4"), *clip[1:], "--boxes", str(boxes), "--output", str(video), "--threads", "1"]
    process = subprocess.Popen(command)
    while process.poll() is None and not (boxes.exists() and boxes.stat().st_size > 8000):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    lines = boxes.read_text().splitlines(keepends=True)
    assert len(lines) > 100
    assert all(line.endswith("\n") and line.count(",") == 9 for line in lines)
    with open_source(video) as source:
        try:
            played = sum(1 for _ in source)
        except FearError:  # it may say that the file breaks off
            played = 1
    assert played > 0
