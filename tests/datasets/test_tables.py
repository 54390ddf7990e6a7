"""Boxes of one target from CSV and from projects, and the clips that they are unpacked into."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fear.annotations.formats import read_annotations
from fear.cli import app
from fear.datasets.exchange import only
from fear.datasets.files import read_boxes
from fear.errors import DatasetError
from fear.geometry.boxes import Box
from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter

CSV = """frame,time,target,x,y,w,h,score,similarity,lost
0,0,0,1.00,2.00,3.00,4.00,1,1,0
0,0,1,5.00,6.00,7.00,8.00,1,1,0
1,0.04,0,1.50,2.00,3.00,4.00,0.9,0.8,0
2,0.08,0,9.00,9.00,3.00,4.00,0.1,0.2,1
"""
PROJECT = {
    "format": "fear-project",
    "version": 1,
    "video": {"name": "clip.mp4", "width": 64, "height": 48, "frames": 4},
    "model": "fear-xs",
    "targets": [{"id": 0, "name": "goose", "rows": [[1, 1.5, 2, 3, 4, 0.9, 0.8, 0, 1], [2, 9, 9, 3, 4, 0.1, 0.2, 1, 0]]}],
}


def read_table(path: Path, target: int | None = None) -> dict[int, Box]:
    return {one.frame: one.box_xywh for one in only(read_annotations(path), target, path).boxes if not one.lost}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_lost_frames_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "boxes.csv", CSV)
    assert read_table(path, 0) == {0: (1, 2, 3, 4), 1: (1.5, 2, 3, 4)}
    assert read_table(path, 1) == {0: (5, 6, 7, 8)}
    assert read_table(write(tmp_path, "clip.fear.json", json.dumps(PROJECT))) == {1: (1.5, 2, 3, 4)}


@pytest.mark.parametrize(
    ("name", "text", "target", "message"),
    [
        ("a.csv", CSV, None, "expected one target, got 0, 1; choose one with --target"),
        ("a.csv", CSV, 7, "expected target 7, got 0, 1"),
        ("a.csv", CSV + "3,x\n", 0, "line 6: expected the columns"),
        ("a.csv", CSV.replace("1.50", "nan"), 0, "line 4: expected the columns"),
        ("a.json", "{", None, "expected a project that the page"),
        ("a.json", json.dumps(PROJECT | {"version": 9}), None, "got: fear-project, version 9"),
        ("a.json", '{"images": []}', None, "expected a project that the page"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(name: str, text: str, target: int | None, message: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=message):
        read_table(write(tmp_path, name, text), target)


@pytest.mark.parametrize(("name", "text"), [("boxes.csv", CSV), ("clip.fear.json", json.dumps(PROJECT))])
def test_a_video_and_its_table_become_a_clip_with_nan_where_the_target_is_not_known(name: str, text: str, tmp_path: Path) -> None:
    video = tmp_path / "clip.mp4"
    with VideoWriter(video, 25) as writer:
        for index, frame in enumerate(render(Scene(frames=4, height=48, width=64, occlusion=False))):
            writer.write(frame.image, index / 25)
    table = write(tmp_path, name, text)
    result = CliRunner().invoke(app, ["data", "unpack", str(video), str(table), str(tmp_path / "set" / "goose"), "--target", "0"])
    assert result.exit_code == 0, result.output
    boxes = read_boxes(tmp_path / "set" / "goose" / "groundtruth.txt")
    assert boxes.shape == (4, 4)
    assert boxes[1].tolist() == [1.5, 2, 3, 4]
    assert np.isnan(boxes[2:]).all()

    short = write(tmp_path, "late.csv", CSV + "4,0.16,0,1,2,3,4,1,1,0\n")
    result = CliRunner().invoke(app, ["data", "unpack", str(video), str(short), str(tmp_path / "set" / "late"), "--target", "0"])
    assert result.exit_code == 1
    assert "boxes up to frame 4, got 4 frames" in result.stderr
    assert not (tmp_path / "set" / "late").exists()
