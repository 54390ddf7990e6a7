from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from fear.geometry.boxes import iou
from fear.media.reader import open_source
from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def clip(tmp_path: Path) -> tuple[Path, str]:
    with VideoWriter(tmp_path / "clip.mp4", 30) as writer:
        for index, frame in enumerate(render(Scene(frames=5, height=120, width=160))):
            writer.write(frame.image, index / 30)
            if index == 0:
                box = ",".join(f"{value:.1f}" for value in frame.box_xywh)
    return tmp_path / "clip.mp4", box


def run(name: str, *arguments: object) -> str:
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_track_video(clip: tuple[Path, str]) -> None:
    lines = run("track_video.py", *clip).splitlines()
    assert len(lines) == 5
    assert all("score" in line for line in lines)


def test_blur_faces(clip: tuple[Path, str], tmp_path: Path) -> None:
    run("blur_faces.py", clip[0], tmp_path / "out.mp4", clip[1], "100,60,20,20")
    with open_source(tmp_path / "out.mp4") as source:
        assert len(list(source)) == 5


def test_own_tracker_finds_the_patch_of_the_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    tracker = importlib.import_module("own_tracker").PatchTracker()
    frames = list(render(Scene(frames=5, height=120, width=160, distractor=False, occlusion=False)))
    tracker.init(frames[0].image, frames[0].box_xywh)
    assert all(iou(tracker.update(frame.image), frame.box_xywh) > 0.5 for frame in frames[1:])
