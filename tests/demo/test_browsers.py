"""The page in real browsers, used as a person would. Needs npm's packages in `web/`, Chromium and Firefox; each is skipped without."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest

from fear.geometry.boxes import Box, iou
from fear.loading.load import load
from fear.media.reader import open_source
from fear.media.synthetic import Scene, render
from fear.tracking.loop import track

WEB = Path(__file__).parents[2] / "web"
MODEL = "fear-nano"
FRAMES, HEIGHT, WIDTH = 24, 180, 320

pytestmark = pytest.mark.slow


def _browser(*names: str) -> str:
    command = next((found for name in names if (found := shutil.which(name))), None)
    if command is None or shutil.which("node") is None or not (WEB / "node_modules" / "playwright-core").is_dir():
        pytest.skip(f"needs {names[0]}, npm and its packages: cd web && npm ci")
    return command


def _write(path: Path, codec: str, images: list[np.ndarray[Any, Any]], seconds: list[float]) -> None:
    with av.open(str(path), "w") as container:
        stream = cast(av.VideoStream, container.add_stream(codec, rate=30))
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for image, time in zip(images, seconds, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip of irregular times, and with files that no page can read."""
    folder = tmp_path_factory.mktemp("clip")
    frames = list(render(Scene(frames=FRAMES, height=HEIGHT, width=WIDTH, occlusion=False)))
    images = [frame.image for frame in frames]
    x, y, w, h = frames[0].box_xywh
    _write(folder / "clip.mp4", "libx264", images, [k * 0.04 + (k % 3) * 0.01 for k in range(FRAMES)])
    (folder / "clip.json").write_text(json.dumps([x / WIDTH, y / HEIGHT, (x + w) / WIDTH, (y + h) / HEIGHT]))
    (folder / "clip.csv").write_text(f"frame,time,target,x,y,w,h,score,similarity,lost\n0,0,0,{x},{y},{w},{h},1,1,0\n")
    (folder / "broken.mp4").write_text("not a video")
    _write(folder / "old.avi", "mpeg4", images[:3], [0, 0.04, 0.08])
    _write(folder / "hevc.mp4", "libx265", images[:3], [0, 0.04, 0.08])
    return folder


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-u", "-m", "fear.cli", "demo", "--port", "0"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split()[4]
        server.terminate()


@pytest.fixture(scope="module")
def seen(clip: Path, address: str) -> dict[str, Any]:
    """What `page.mjs` saw in Chromium; the files that the page saved lie beside the clip."""
    chromium = _browser("chromium", "chromium-browser", "google-chrome")
    run = subprocess.run(["node", "test/page.mjs", address, chromium, str(clip), MODEL], cwd=WEB, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def _rows(text: str, target: int = 0) -> list[dict[str, str]]:
    return [row for row in csv.DictReader(text.splitlines()) if int(row["target"]) == target]


def _boxes(text: str, target: int = 0) -> list[Box]:
    return [(float(row["x"]), float(row["y"]), float(row["w"]), float(row["h"])) for row in _rows(text, target)]


def _follow_as_the_command_does(clip: Path, box: Box) -> list[Box]:
    return [found.box_xywh for _, found in track(clip / "clip.mp4", box, load(MODEL, runtime="onnx", threads=1))]


def test_a_file_is_followed_through_every_frame_as_the_command_does(clip: Path, seen: dict[str, Any]) -> None:
    text = (clip / "tracked.csv").read_text()
    boxes = _boxes(text)
    ours = _follow_as_the_command_does(clip, boxes[0])
    assert len(boxes) == len(ours) == FRAMES
    assert np.mean([float(iou(a, b)) for a, b in zip(boxes, ours, strict=True)]) > 0.97
    with open_source(clip / "clip.mp4") as frames:
        times = [frame.time for frame in frames]
    assert [float(row["time"]) for row in _rows(text)] == pytest.approx(times, abs=1e-4)
    assert [int(row["frame"]) for row in _rows(text)] == list(range(FRAMES))
    assert seen["isolated"]
    assert seen["errors"] == []
    assert seen["still"]


def test_a_correction_holds_from_its_frame_on_and_the_first_box_stays_the_first(clip: Path, seen: dict[str, Any]) -> None:
    before, after, again = ((clip / f"{name}.csv").read_text().splitlines() for name in ("tracked", "corrected", "again"))
    assert after[:11] == before[:11]
    x, y, w, h = _boxes("\n".join(before))[10]
    assert _boxes("\n".join(after))[10] == pytest.approx((x + 10, y + 1, w + 1, h), abs=0.02)
    assert len(after) == len(again) == FRAMES + 1
    assert again[1] == before[1]
    assert again[11] == after[11]
    assert seen["undraw"]


def test_several_targets_are_saved_in_every_format_and_opened_again(clip: Path, seen: dict[str, Any]) -> None:
    text = (clip / "two.csv").read_text()
    assert len(_rows(text, 0)) == len(_rows(text, 1)) == FRAMES
    assert (clip / "reopened.csv").read_text() == text
    rows = json.loads((clip / "two.json").read_text())
    assert {(row["target"], row["name"]) for row in rows} == {(0, "target 0"), (1, "wall")}
    assert [row["frame"] for row in rows if row["key"]] == [0, 0, 10]
    mot = [line.split(",") for line in (clip / "two.mot.txt").read_text().splitlines()]
    assert len(mot) == sum(row["lost"] == "0" for target in (0, 1) for row in _rows(text, target))
    assert {line[1] for line in mot} <= {"1", "2"}
    assert seen["project"] == "clip.fear.json"
    with open_source(clip / "video") as frames:
        images = [frame.image for frame in frames]
    assert len(images) == FRAMES
    assert images[0].shape == (HEIGHT, WIDTH, 3)


def test_the_page_can_be_used_without_a_mouse_and_by_people_who_do_not_see_it(seen: dict[str, Any]) -> None:
    assert seen["faults"] == []
    assert seen["tooWide"] == []
    assert seen["live"] == ["hint"]  # messages alone are spoken, not numbers that change with every frame


def test_what_cannot_be_read_is_said_in_known_words(seen: dict[str, Any]) -> None:
    complaints = seen["complaints"]
    assert "not a video that the page can open" in complaints["broken.mp4"]
    assert "AVI files cannot be opened in a browser" in complaints["old.avi"]
    assert "H.265 (HEVC)" in complaints["hevc.mp4"]
    assert all("Convert it to MP4 with H.264" in complaint for complaint in complaints.values())


def test_a_camera_is_followed_and_late_frames_are_counted(clip: Path, seen: dict[str, Any]) -> None:
    rows = _rows((clip / "camera.csv").read_text())
    numbers = [int(row["frame"]) for row in rows]
    assert len(rows) >= 3
    assert numbers == sorted(set(numbers))
    assert seen["camera"] == f"{len(rows)}, {numbers[-1] - numbers[0] + 1 - len(rows)} left out"


def test_firefox_follows_as_the_command_does(clip: Path, address: str) -> None:
    firefox = _browser("firefox-esr", "firefox")
    run = subprocess.run(["node", "test/firefox.mjs", address, firefox, str(clip), MODEL], cwd=WEB, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(run.stdout)
    boxes = _boxes(found["csv"])
    ours = _follow_as_the_command_does(clip, boxes[0])
    assert len(boxes) == len(ours) == FRAMES
    assert np.mean([float(iou(a, b)) for a, b in zip(boxes, ours, strict=True)]) > 0.97
    assert found["errors"] == []
