from __future__ import annotations

import csv
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

import fear
from fear.cli import app
from fear.geometry.boxes import iou
from fear.media.reader import open_source
from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter
from fear.signals import on_ending_signal
from fear.weights import packaged

SCENE = Scene(frames=24, height=180, width=320)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fails(result: Result, code: int, *words: str) -> None:
    """One clear line on stderr and the right exit code."""
    assert result.exit_code == code, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("fear: ")
    for word in words:
        assert word in lines[0]


def read_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoWriter(path, 30) as writer:
        for index, frame in enumerate(render(SCENE)):
            writer.write(frame.image, index / 30)
            if index == 0:
                box = ",".join(f"{value:.1f}" for value in frame.box_xywh)
    return path, box


def test_track_writes_everything(clip: tuple[Path, str], tmp_path: Path) -> None:
    path, box = clip
    for suffix in (".txt", ".csv", ".jsonl"):
        result = run("track", path, "--box", box, "--boxes", tmp_path / f"out{suffix}", "--output", tmp_path / "out.mp4")
        assert result.exit_code == 0, result.output
        assert "24 frames in" in result.stdout
        assert "fps end to end" in result.stdout
        assert "lost in 0 of 24 frames" in result.stdout
    lines = (tmp_path / "out.txt").read_text().splitlines()
    assert lines[0] == ",".join(f"{float(value):.2f}" for value in box.split(","))
    assert len(lines) == 24
    boxes = np.array([[float(value) for value in line.split(",")] for line in lines])
    assert iou(boxes, [frame.box_xywh for frame in render(SCENE)]).mean() > 0.7

    rows = read_rows(tmp_path / "out.csv")
    assert list(rows[0]) == ["frame", "time", "target", "x", "y", "w", "h", "score", "similarity", "lost"]
    assert [int(row["frame"]) for row in rows] == list(range(24))
    assert float(rows[3]["time"]) == pytest.approx(0.1)
    assert np.array([[float(row[key]) for key in "xywh"] for row in rows]) == pytest.approx(boxes)
    objects = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert list(objects[0]) == list(rows[0])
    assert objects[5]["lost"] is False
    assert [entry["x"] for entry in objects] == [float(row["x"]) for row in rows]

    with open_source(tmp_path / "out.mp4") as video:
        frames = list(video)
    assert [frame.time for frame in frames] == pytest.approx([k / 30 for k in range(24)], abs=1e-4)
    plain = next(render(SCENE)).image.astype(int)
    assert np.abs(frames[0].image.astype(int) - plain).max() > 100  # a box was drawn


def test_several_targets(clip: tuple[Path, str], tmp_path: Path) -> None:
    path, box = clip
    result = run("track", path, "--box", box, "--box", "200,90,40,40", "--boxes", tmp_path / "o.csv", "--max-frames", 5)
    assert result.exit_code == 0, result.output
    assert "target 1 lost in" in result.stdout
    rows = read_rows(tmp_path / "o.csv")
    assert [(row["frame"], row["target"]) for row in rows] == [(str(f), str(t)) for f in range(5) for t in range(2)]
    assert run("track", path, "--box", box, "--box", "200,90,40,40", "--boxes", tmp_path / "o.txt", "--max-frames", 5).exit_code == 0
    assert len((tmp_path / "o_0.txt").read_text().splitlines()) == len((tmp_path / "o_1.txt").read_text().splitlines()) == 5


def test_a_start_leaves_numbers_and_times_as_they_are(clip: tuple[Path, str], tmp_path: Path) -> None:
    box = ",".join(map(str, list(render(SCENE))[10].box_xywh))
    for start, first in (("10", 10), ("0.5s", 15)):
        result = run("track", clip[0], "--box", box, "--start", start, "--boxes", tmp_path / "o.csv", "--output", tmp_path / "o.mp4")
        assert result.exit_code == 0, result.output
        rows = read_rows(tmp_path / "o.csv")
        assert [int(row["frame"]) for row in rows] == list(range(first, 24))
        assert float(rows[0]["time"]) == pytest.approx(first / 30, abs=1e-4)
        with open_source(tmp_path / "o.mp4") as video:
            assert next(iter(video)).time == 0  # a video begins at its beginning


def test_folder_as_source_and_quiet(tmp_path: Path) -> None:
    frames = list(render(Scene(frames=4, height=120, width=160)))
    for number, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"{number}.png"), frame.image[..., ::-1])
    result = run(
        "track", tmp_path, "--box", ",".join(map(str, frames[0].box_xywh)), "--quiet", "--threads", 1, "--runtime", "onnx", "--no-dynamic"
    )
    assert result.exit_code == 0
    assert result.output == ""


def test_summary_adds_up(clip: tuple[Path, str]) -> None:
    words = run("track", clip[0], "--box", clip[1], "--max-frames", 4).stdout.split()
    update, network = (float(words[words.index(word) + 1]) for word in ("update", "network"))
    assert 0 < network <= update


def test_the_source_is_not_overwritten(clip: tuple[Path, str], tmp_path: Path) -> None:
    copy = tmp_path / "clip.mp4"
    shutil.copy(clip[0], copy)
    fails(run("track", copy, "--box", clip[1], "--output", tmp_path / "." / "clip.mp4"), 1, "another file than the source")
    assert copy.read_bytes() == clip[0].read_bytes()


@pytest.mark.parametrize("box", ["1,2,3", "1,2,3,x", "1,2,0,4", "1,2,3,-4", "nan,2,3,4", "", "1;2;3;4", "1,2,3,4,5"])
def test_wrong_boxes_are_usage_errors(clip: tuple[Path, str], box: str) -> None:
    fails(run("track", clip[0], "--box", box), 2, "--box", "box")


def test_box_outside_the_picture(clip: tuple[Path, str], tmp_path: Path) -> None:
    (tmp_path / "o.txt").write_text("earlier result")
    fails(run("track", clip[0], "--box", "900,20,30,30", "--boxes", tmp_path / "o.txt"), 1, "320×180", "900")
    assert (tmp_path / "o.txt").read_text() == "earlier result"


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["track", "nothing.mp4", "--box", "1,2,3,4"], 1, "found nothing there"),
        (["track"], 2, "Missing"),
        (["track", "x.mp4"], 2, "--box X,Y,W,H, or --select"),
        (["track", "{clip}", "--box", "{box}", "--start", "soon"], 2, "a time, such as 2.5s"),
        (["track", "{clip}", "--box", "{box}", "--start", "24"], 1, "a start before its end"),
        (["track", "{clip}", "--box", "{box}", "--model", "nope"], 1, "expected a known model"),
        (["track", "{clip}", "--box", "{box}", "--model", "fear-l"], 1, "no weights"),
        (["track", "{clip}", "--box", "{box}", "--runtime", "tvm"], 1, "expected auto"),
        (["track", "{clip}", "--box", "{box}", "--threads", "0"], 2, "--threads"),
        (["track", "{clip}", "--box", "{box}", "--boxes", "x.xml"], 1, ".txt, .csv, .jsonl"),
        (["track", "{clip}", "--box", "{box}", "--boxes", "nowhere/x.txt"], 1, "existing folder"),
        (["track", "{clip}", "--box", "{box}", "--output", "x.gif"], 1, ".mp4"),
        (["track", "{clip}", "--box", "{box}", "--output", "nowhere/x.mp4"], 1, "existing folder"),
        (["tarck"], 2, "tarck"),
        (["track", "--colour"], 2, "--colour"),
        (["import", "a.mlmodel", "b.mlmodel", "--output", "x.pt"], 2, ".safetensors"),
        (["import", "a.mlmodel", "b.mlmodel", "--output", "x.safetensors"], 1, "found nothing there"),
        (["export", "nope", "--output", "x"], 1, "expected a known model"),
        (["export", "fear-xs", "--output", "x", "--precision", "int3"], 2, "fp32"),
        (["export", "fear-xs", "--output", "x", "--format", "tflite"], 1, "format"),
        (["export", "fear-xs", "--output", "x", "--precision", "int8", "--least-overlap", "1.5"], 2, "up to 1"),
        (["export", "fear-xs", "--output", "x", "--least-overlap", "0.9"], 2, "int8"),
        (["eval", "--root", "nowhere"], 1, "expected NAME/img"),
        (["eval", "--root", ".", "--dataset", "kitti"], 1, "dataset: expected one of"),
        (["eval", "--root", ".", "--set", "window"], 2, "KEY=VALUE"),
        (["eval", "--root", ".", "--set", "colour=3"], 1, "unknown key colour"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_requests(
    clip: tuple[Path, str], arguments: list[str], code: int, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fails(run(*(text.format(clip=clip[0], box=clip[1]) for text in arguments)), code, word)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"this is no video"])
def test_broken_video(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    fails(run("track", tmp_path / "x.mp4", "--box", "1,2,3,4"), 1, "x.mp4")


def test_broken_checkpoint(clip: tuple[Path, str], tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"GGUF" + bytes(200))
    fails(run("track", clip[0], "--box", clip[1], "--model", tmp_path / "x.safetensors"), 1, "expected a .safetensors checkpoint")


def test_home_folder_and_a_limit_of_frames(clip: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    result = run("track", clip[0], "--box", clip[1], "--output=~/100%d.mp4", "--boxes=~/a [x].txt", "--max-frames", 2)
    assert result.exit_code == 0, result.output
    assert len((tmp_path / "a [x].txt").read_text().splitlines()) == 2
    with open_source(tmp_path / "100%d.mp4") as video:
        assert len(list(video)) == 2


def test_frames_that_change_size_are_scaled_to_the_first_and_told(tmp_path: Path) -> None:
    for number, frame in enumerate(render(Scene(frames=6, height=120, width=160))):
        cv2.imwrite(str(tmp_path / f"{number}.png"), frame.image if number < 4 else frame.image.repeat(2, 0).repeat(2, 1))
    result = run("track", tmp_path, "--box", "20,40,26,26", "--boxes", tmp_path / "o.txt", "--output", tmp_path / "o.mp4")
    assert result.exit_code == 0
    assert "2 pictures of another size, scaled to the size of the first" in result.stdout
    assert len((tmp_path / "o.txt").read_text().splitlines()) == 6
    with open_source(tmp_path / "o.mp4") as video:
        assert {frame.image.shape for frame in video} == {(120, 160, 3)}


def test_video_that_breaks_off_keeps_what_was_tracked(clip: tuple[Path, str], tmp_path: Path) -> None:
    frames = list(render(SCENE))
    import av

    with av.open(str(tmp_path / "x.mp4"), "w", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for frame in frames * 4:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, format="rgb24")))
        file.mux(stream.encode(None))
    data = (tmp_path / "x.mp4").read_bytes()
    (tmp_path / "x.mp4").write_bytes(data[: len(data) // 2])
    result = run("track", tmp_path / "x.mp4", "--box", clip[1], "--boxes", tmp_path / "o.csv", "--output", tmp_path / "o.mp4")
    fails(result, 1, "breaks off after")
    rows = read_rows(tmp_path / "o.csv")
    assert 20 < len(rows) < 96
    assert f"after {len(rows)} frames" in result.stderr
    with open_source(tmp_path / "o.mp4") as video:
        assert len(list(video)) == len(rows)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_is_one_clear_line(clip: tuple[Path, str], tmp_path: Path) -> None:
    (tmp_path / "o.csv").symlink_to("/dev/full")
    fails(run("track", clip[0], "--box", clip[1], "--boxes", tmp_path / "o.csv"), 1, "No space left")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that takes seconds to follow."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    images = [frame.image for frame in render(SCENE)]
    with VideoWriter(path, 30) as writer:
        for index in range(1200):
            writer.write(images[index % len(images)], index / 30)
    return path


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_run_leaves_valid_files(long: Path, tmp_path: Path, ending: signal.Signals) -> None:
    command = [sys.executable, "-m", "fear.cli", "track", str(long), "--box", "45,70,35,35", "--boxes", "o.csv", "--output", "o.mp4"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "200"})
    while not (tmp_path / "o.csv").exists() or len((tmp_path / "o.csv").read_bytes()) < 2000:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(ending)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    rows = read_rows(tmp_path / "o.csv")
    (line,) = stderr.splitlines()
    kept = int(line.removeprefix("fear: interrupted after ").removesuffix(" frames; they are kept"))
    assert kept > 20
    assert kept <= len(rows) <= kept + 1  # the interrupt may come between a frame's box and its picture
    with open_source(tmp_path / "o.mp4") as video:
        assert kept <= len(list(video)) <= kept + 1


def test_a_terminal_that_is_closed_leaves_valid_files(long: Path, tmp_path: Path) -> None:
    """The system sends SIGHUP then, and every line that is printed afterwards is an error."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "fear.cli", "track", str(long), "--box", "45,70,35,35", "--boxes", "o.csv", "--output", "o.mp4"]
    login = "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen([sys.executable, "-c", login, *command], cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    while not (tmp_path / "o.csv").exists() or len((tmp_path / "o.csv").read_bytes()) < 2000:
        assert process.poll() is None
        time.sleep(0.05)
    os.close(ours)
    process.wait(timeout=30)
    rows = read_rows(tmp_path / "o.csv")
    assert 20 < len(rows) < 1200
    with open_source(tmp_path / "o.mp4") as video:
        assert len(rows) - 1 <= len(list(video)) <= len(rows)


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with on_ending_signal(signal.default_int_handler):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) is not signal.default_int_handler
    finally:
        signal.signal(signal.SIGHUP, before)


def test_version_help_and_models() -> None:
    assert run("--version").stdout.strip() == fear.__version__
    text = run("--help").stdout
    for command in ("track", "import", "export", "models", "eval"):
        assert command in text
    table = run("models").stdout
    for word in ("fear-xs", "fear-m", "fear-l", "1.35 M + 0.76 M", "12.51 M", "32.97 M", "0.46 G", "MIT"):
        assert word in table


def test_import_and_export(official: Path, tmp_path: Path, clip: tuple[Path, str]) -> None:
    checkpoint = tmp_path / "published.safetensors"
    result = run("import", official / "Tracker.mlmodel", official / "TrackerInit.mlmodel", "--output", checkpoint)
    assert result.exit_code == 0, result.output
    assert "1,346,432 parameters" in result.stdout
    result = run("export", checkpoint, "--output", tmp_path / "exported")
    assert result.exit_code == 0, result.output
    assert "largest difference from torch" in result.stdout
    assert sorted(path.name for path in (tmp_path / "exported").iterdir()) == ["config.json", "embed.onnx", "match.onnx"]
    for model in (tmp_path / "exported", checkpoint):
        result = run(
            "track", clip[0], "--box", clip[1], "--model", model, "--runtime", "torch" if model == checkpoint else "onnx", "--max-frames", 3
        )
        assert result.exit_code == 0, result.output


def test_export_of_an_exported_folder(tmp_path: Path) -> None:
    folder = packaged()["fear-xs"].folder
    assert folder is not None
    shutil.copytree(folder, tmp_path / "x")
    fails(run("export", tmp_path / "x", "--output", tmp_path / "y"), 1, "exported already")


def test_data_check(tmp_path: Path) -> None:
    folder = tmp_path / "walk" / "img"
    folder.mkdir(parents=True)
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.jpg"), np.zeros((20, 30, 3), np.uint8))
    (folder.parent / "groundtruth.txt").write_text("1,2,3,4\nnan,nan,nan,nan\n5,6,7,8\n")
    result = run("data", "check", tmp_path, "--dataset", "folder")
    assert result.exit_code == 0, result.output
    assert "1 sequences, 3 frames, target absent in 1, 0 faults" in result.stdout
    (folder / "1.jpg").write_bytes(b"")
    result = run("data", "check", tmp_path)
    fails(result, 1, "1 faults")
    assert "1.jpg: expected a picture" in result.stdout


def test_eval(tmp_path: Path) -> None:
    for seed in (1, 2):
        folder = tmp_path / "data" / f"clip{seed}"
        (folder / "img").mkdir(parents=True)
        frames = list(render(Scene(frames=8, height=120, width=160, seed=seed)))
        for number, frame in enumerate(frames):
            cv2.imwrite(str(folder / "img" / f"{number:03d}.jpg"), frame.image[..., ::-1])
        (folder / "groundtruth.txt").write_text("".join(",".join(map(str, frame.box_xywh)) + "\n" for frame in frames))
    arguments = ["eval", "--dataset", "folder", "--root", tmp_path / "data", "--tracker", "fear-xs", "--tracker", "opencv:mil"]
    result = run(*arguments, "--output", tmp_path / "out", "--max-frames", 6)
    assert result.exit_code == 0, result.output
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert list(summary["trackers"]) == ["fear-xs", "opencv:mil"]
    ours = summary["trackers"]["fear-xs"]
    assert set(ours["mean"]) == {"auc", "precision", "norm_precision", "ao", "sr50", "sr75", "fps"}
    assert set(ours["sequences"]["clip1"]) == {*ours["mean"], "frames"}
    assert ours["sequences"]["clip1"]["frames"] == 6
    assert ours["mean"]["ao"] > 0.5
    results = tmp_path / "out" / "results"
    assert len((results / "opencv-mil" / "clip2.txt").read_text().splitlines()) == 6
    assert len((results / "fear-xs" / "clip2_time.txt").read_text().splitlines()) == 6
    for name in ("report.md", "success.png", "precision.png"):
        assert (tmp_path / "out" / name).stat().st_size > 200


def test_data_label_finds_what_can_be_followed(tmp_path: Path) -> None:
    folder = tmp_path / "clips" / "disc"
    folder.mkdir(parents=True)
    for index, frame in enumerate(render(Scene(frames=6, height=180, width=320, distractor=False, occlusion=False))):
        cv2.imwrite(str(folder / f"{index:06d}.png"), frame.image[..., ::-1])
    result = run("data", "label", tmp_path / "clips", tmp_path / "tracks.csv", "--targets", 3)
    assert result.exit_code == 0, result.output
    rows = read_rows(tmp_path / "tracks.csv")
    tracks = {row["track_id"] for row in rows}
    assert f"wrote {len(tracks)} tracks" in result.output.replace("\n", " ")
    assert len(rows) == 6 * len(tracks)
    fails(run("data", "label", tmp_path / "clips", tmp_path / "tracks.csv"), 1, "expected a new table")
