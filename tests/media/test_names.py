"""What a user may call a source: names with any characters, folders, patterns, pictures, standard input."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from clips import picture, read, write_clip
from fear.errors import VideoError
from fear.media.image import Image
from fear.media.names import home_path
from fear.media.reader import open_source
from fear.media.writer import VideoWriter


def save(path: Path, number: int) -> None:
    path.write_bytes(bytes(cv2.imencode(path.suffix, picture(number)[..., ::-1])[1]))


def same(images: list[Image], numbers: list[int]) -> bool:
    return all(np.array_equal(image, picture(number)) for image, number in zip(images, numbers, strict=True))


def test_folders_are_read_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 9, 1, 100, 2):
        save(tmp_path / f"frame_{number}.png", number)
    assert same(read(tmp_path)[2], [1, 2, 9, 10, 100])


@pytest.mark.parametrize("name", ["0001", "7"])
def test_folder_with_a_number_as_name_is_a_folder(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).mkdir()
    save(tmp_path / name / "1.png", 3)
    monkeypatch.chdir(tmp_path)
    assert same(read(name)[2], [3])
    with pytest.raises(VideoError, match="video96"):
        open_source("96")
    with pytest.raises(VideoError, match="video96"):
        open_source(96)


@pytest.mark.parametrize(
    "name", ["a:b.mp4", "http:x.mp4", "[1] (2) {3}.mp4", "100%d %s.mp4", "видео 動画 é.mp4", "-x.mp4", 'it\'s "x".mp4', " .mp4"]
)
def test_names_with_any_characters_are_read_and_written(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with VideoWriter(name, 25) as writer:
        for number in range(5):
            writer.write(picture(number), number / 25)
    assert Path(name).stat().st_size > 0
    assert len(read(name)[0]) == 5
    assert len(read(tmp_path / name)[0]) == 5


def test_name_that_is_no_utf8_is_read(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xfe.mp4"
    write_clip(tmp_path / "x.mp4", 3).rename(os.fsdecode(path))
    assert len(read(os.fsdecode(path))[0]) == 3


def test_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_clip(tmp_path / "x.mp4", 3)
    assert len(read("~/x.mp4")[0]) == 3
    monkeypatch.chdir(tmp_path)
    assert home_path(Path("~/seen.mp4")) == tmp_path / "seen.mp4"
    (tmp_path / "~").mkdir()
    assert home_path(Path("~/seen.mp4")) == Path("~/seen.mp4")
    assert home_path(Path("seen~.mp4")) == Path("seen~.mp4")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_command_writes_names_that_the_pipe_cannot_show(tmp_path: Path, encoding: str) -> None:
    write_clip(tmp_path / "видео.mp4", 4)
    command = [sys.executable, "-m", "fear.cli", "track", "видео.mp4", "--box", "4,12,30,30", "--boxes", "動画.csv", "--runtime", "onnx"]
    result = subprocess.run(
        command, cwd=tmp_path, capture_output=True, timeout=120, check=False, env=os.environ | {"PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    )
    assert result.returncode == 0, result.stderr
    assert b"wrote " in result.stdout
    assert len((tmp_path / "動画.csv").read_text().splitlines()) == 5


@pytest.mark.parametrize("pattern", ["img_%04d.png", "img_%d.png", "img_*.png"])
def test_patterns_of_names(tmp_path: Path, pattern: str) -> None:
    expected = [2, 3, 10, 100]
    for number in expected:
        save(tmp_path / f"img_{number:04d}.png", number)
    save(tmp_path / "other_0005.png", 5)
    _, times, images, source = read(tmp_path / pattern, rate=10)
    assert same(images, expected)
    assert times == pytest.approx([0, 0.1, 0.2, 0.3])
    assert source.count == 4
    with pytest.raises(VideoError, match="expected pictures with such names, found none"):
        open_source(tmp_path / "none_%04d.png")


def test_rate_of_a_folder(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"{number}.png", number)
    assert read(tmp_path, rate=5)[1] == pytest.approx([0, 0.2, 0.4])
    assert read(tmp_path)[1] == pytest.approx([0, 1 / 30, 2 / 30])


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.bmp", "x.webp", "x.tiff", "x_%04d.png", "100% [a].jpg"])
def test_single_picture_is_a_source_of_one_frame(tmp_path: Path, name: str) -> None:
    save(tmp_path / name, 5)
    _, times, (image,), source = read(tmp_path / name)
    assert times == [0]
    assert np.abs(image.astype(int) - picture(5)).mean() < 6
    assert source.count == 1


def test_animated_webp_is_read_with_its_times(tmp_path: Path) -> None:
    animation = cv2.Animation()
    animation.frames = [np.ascontiguousarray(picture(number)[..., ::-1]) for number in range(6)]
    animation.durations = np.array([40, 40, 100, 40, 40, 40], np.int32)  # type: ignore[assignment]
    good, data = cv2.imencodeanimation(".webp", animation)
    assert good
    (tmp_path / "demo.webp").write_bytes(bytes(data))
    _, times, images, source = read(tmp_path / "demo.webp")
    assert times == pytest.approx([0, 0.04, 0.08, 0.18, 0.22, 0.26], abs=1e-3)
    assert all(np.abs(image.astype(int) - picture(number)).mean() < 6 for number, image in enumerate(images))
    assert float(source.rate) == pytest.approx(20, rel=0.01)


@pytest.mark.parametrize(("name", "codec", "pix_fmt"), [("x.gif", "gif", "rgb8"), ("x.png", "apng", "rgb24")])
def test_other_animated_pictures_are_read(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    path = write_clip(tmp_path / name, 6, codec, pix_fmt=pix_fmt, rate=20, format="apng" if codec == "apng" else None)
    numbers, times, images, _ = read(path)
    assert numbers == list(range(6))
    assert times == pytest.approx([k / 20 for k in range(6)], abs=1e-3)
    assert all(np.abs(image.astype(int) - picture(number)).mean() < 20 for number, image in enumerate(images))


_READ_STANDARD_INPUT = """
import av
from fear.errors import VideoError
from fear.media.reader import open_source
av.logging.set_level(av.logging.PANIC)
try:
    with open_source("-") as source:
        print(len(list(source)), source.live)
except VideoError as error:
    print(error)
"""


def from_standard_input(path: Path, piped: bool) -> str:
    command = [sys.executable, "-c", _READ_STANDARD_INPUT]
    with path.open("rb") as file:
        if piped:
            result = subprocess.run(command, input=file.read(), capture_output=True, timeout=60, check=True)
        else:
            result = subprocess.run(command, stdin=file, capture_output=True, timeout=60, check=True)
    return result.stdout.decode().strip()


@pytest.mark.parametrize("piped", [True, False])
def test_standard_input(tmp_path: Path, piped: bool) -> None:
    assert from_standard_input(write_clip(tmp_path / "x.ts", 20), piped) == "20 False"


def test_standard_input_of_a_file_whose_index_stands_at_its_end(tmp_path: Path) -> None:
    """The shell hands over a file in which one can jump; a pipe cannot be read backwards."""
    noise = np.random.default_rng(0).integers(0, 256, (8, 240, 320, 3), np.uint8)
    path = write_clip(tmp_path / "x.mp4", 8, options={"crf": "5"}, draw=lambda number: noise[number])
    assert from_standard_input(path, piped=False) == "8 False"
    assert "index stands at its end; give the name of the file" in from_standard_input(path, piped=True)
