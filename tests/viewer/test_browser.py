"""`fear track --select --show` on its page in a real Chromium. Needs npm's packages in `web/`; skipped without."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from fear.annotations.recording import Recording, Summary, record
from fear.media.source import Frame, SourceReport
from fear.media.start import BEGINNING
from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter
from fear.tracking.tracker import MultiTracker
from fear.viewer.server import PageScreen
from fear.viewer.viewing import Viewing
from scripted_network import ScriptedNetwork

WEB = Path(__file__).parents[2] / "web"
HEIGHT, WIDTH = 180, 320

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip that is long enough to be paused, and the box of its target in shares of the picture."""
    folder = tmp_path_factory.mktemp("viewer")
    frames = list(render(Scene(frames=60, height=HEIGHT, width=WIDTH, occlusion=False)))
    with VideoWriter(folder / "clip.mp4", 30) as writer:
        for index in range(1800):
            there_and_back = index % 118
            writer.write(frames[min(there_and_back, 118 - there_and_back)].image, index / 30)
    x, y, w, h = frames[5].box_xywh
    (folder / "box.json").write_text(json.dumps([x / WIDTH, y / HEIGHT, (x + w) / WIDTH, (y + h) / HEIGHT]))
    return folder


def _chromium() -> str:
    command = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if command is None or shutil.which("node") is None or not (WEB / "node_modules" / "playwright-core").is_dir():
        pytest.skip("needs Chromium, npm and its packages: cd web && npm ci")
    return command


@pytest.fixture(scope="module")
def seen(folder: Path) -> dict[str, Any]:
    """What `track.mjs` saw; the files of the run lie beside the clip."""
    chromium = _chromium()
    command = [sys.executable, "-u", "-m", "fear.cli", "track", "clip.mp4", "--select", "--show", "--start", "5", "--model", "fear-nano"]
    command += ["--boxes", "boxes.csv", "--output", "tracked.mp4", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        run = subprocess.run(["node", "test/track.mjs", address, chromium, str(folder)], cwd=WEB, capture_output=True, text=True)
        if run.returncode:
            process.terminate()
        rest = process.stdout.read()
    assert run.returncode == 0, run.stdout + run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found | {"address": address, "code": process.returncode, "summary": rest}


def _rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "boxes.csv").read_text().splitlines()))


def _box(row: dict[str, str]) -> list[float]:
    return [float(row[key]) for key in "xywh"]


def test_boxes_are_drawn_with_the_mouse_and_with_keys_and_the_command_goes_on(folder: Path, seen: dict[str, Any]) -> None:
    assert seen["code"] == 0
    assert seen["early"]
    assert seen["givenUp"] == "No box was drawn."
    assert [row.split(":")[0] for row in seen["drawn"]] == ["target 0", "target 1", "a new target"]
    assert seen["touched"].endswith("16, 9, 48, 27Remove")
    first, second = _rows(folder)[:2]
    left, top, right, bottom = json.loads((folder / "box.json").read_text())
    assert _box(first) == pytest.approx([left * WIDTH, top * HEIGHT, (right - left) * WIDTH, (bottom - top) * HEIGHT], abs=1)
    assert _box(second) == pytest.approx([WIDTH * 0.375 + 10, HEIGHT * 0.375 + 1, WIDTH * 0.25 + 1, HEIGHT * 0.25])


def test_frames_keep_the_numbers_and_times_of_the_source_from_the_start_on(folder: Path, seen: dict[str, Any]) -> None:
    numbers = [int(row["frame"]) for row in _rows(folder) if row["target"] == "0"]
    assert numbers == list(range(5, 5 + len(numbers)))
    assert float(_rows(folder)[0]["time"]) == pytest.approx(5 / 30, abs=1e-4)


def test_the_run_is_paused_stepped_corrected_and_ended(folder: Path, seen: dict[str, Any]) -> None:
    paused, stepped = (int(re.findall(r"frame (\d+)", place)[0]) for place in seen["places"])
    assert stepped == paused + 1
    assert len(seen["tracked"]) == 2
    corrected = [row for row in _rows(folder) if int(row["frame"]) == stepped]
    assert _box(corrected[1]) == pytest.approx([WIDTH / 2, HEIGHT / 2, WIDTH / 4, HEIGHT / 4], abs=1)
    assert float(corrected[1]["score"]) == 1
    assert float(corrected[0]["score"]) < 1  # a target that was not drawn again goes on as it was
    assert int(_rows(folder)[-1]["frame"]) < 1799
    assert seen["end"] == "The run has ended. This page can be closed."
    assert "wrote boxes.csv" in seen["summary"]
    assert (folder / "tracked.mp4").stat().st_size > 1000


def test_the_page_can_be_used_by_all_in_light_and_dark_on_a_narrow_screen(seen: dict[str, Any]) -> None:
    assert seen["errors"] == []
    assert seen["faults"] == seen["faultsInTheDark"] == []
    assert not seen["tooWide"]


class Camera:
    """A source that does not wait: one rendered picture, again and again, for some seconds after somebody has chosen a target."""

    live, start, count, sound = True, BEGINNING, None, None
    rate, pixel_aspect = Fraction(30), Fraction(1)

    def __init__(self) -> None:
        self.report = SourceReport()
        self.chosen = threading.Event()
        self.image = next(render(Scene(frames=1, height=HEIGHT, width=WIDTH, occlusion=False))).image

    def __iter__(self) -> Iterator[Frame]:
        left = 5
        for index in range(100_000):
            time.sleep(0.02)
            yield Frame(index, index / 30, self.image)
            left -= self.chosen.is_set()
            if left == 0:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass


def test_a_camera_stands_still_when_a_drawing_begins_and_is_followed_from_that_picture_on(folder: Path) -> None:
    chromium, camera, summary = _chromium(), Camera(), Summary()
    addresses: list[str] = []
    screen = PageScreen(on_ready=addresses.append)
    command = ["node", "test/track.mjs", addresses[0], chromium, str(folder), "live"]
    with subprocess.Popen(command, cwd=WEB, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as browser:
        viewer = Viewing(screen, selects=True, shows=False, live=True)
        recording = Recording(boxes=folder / "live.csv", drop_late=True)
        record(camera, [], MultiTracker(ScriptedNetwork()), recording, summary, lambda step: camera.chosen.set(), viewer)
        screen.close()
        told, complaints = browser.communicate(timeout=60)
    assert browser.returncode == 0, complaints
    seen = json.loads(told)
    rows = list(csv.DictReader((folder / "live.csv").read_text().splitlines()))
    assert seen["held"].startswith(f"frame {rows[0]['frame']},")
    assert int(rows[0]["frame"]) > 0
    assert seen["errors"] == []
    assert summary.dropped < 50  # what the camera showed while the person was drawing does not count
    assert viewer.waited > summary.seconds
