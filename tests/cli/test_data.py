"""`fear data import`, `export`, `unpack` and `label` from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from fear.annotations.formats import read_annotations
from fear.cli import app
from fear.datasets import read
from fear.datasets.files import read_boxes
from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter

CSV = """frame,time,target,x,y,w,h,score,similarity,lost
0,0,0,1,2,3,4,1,1,0
0,0,1,5,6,7,8,1,1,0
1,0.04,0,1.5,2,3,4,0.9,0.8,0
2,0.08,0,9,9,3,4,0.1,0.2,1
"""
PAGE = {
    "boxes.csv": CSV,
    "boxes.txt": "1,1,1.00,2.00,3.00,4.00,1.0000,-1,-1,-1\n1,2,5,6,7,8,1,-1,-1,-1\n2,1,1.50,2.00,3.00,4.00,0.9,-1,-1,-1\n",
    "boxes.json": json.dumps(
        [
            {
                "frame": 0,
                "time": 0,
                "target": 0,
                "name": "goose",
                "x": 1,
                "y": 2,
                "w": 3,
                "h": 4,
                "score": 1,
                "similarity": 1,
                "lost": False,
                "key": True,
            },
            {
                "frame": 0,
                "time": 0,
                "target": 1,
                "name": "duck",
                "x": 5,
                "y": 6,
                "w": 7,
                "h": 8,
                "score": 1,
                "similarity": 1,
                "lost": False,
                "key": True,
            },
            {
                "frame": 1,
                "time": 0.04,
                "target": 0,
                "name": "goose",
                "x": 1.5,
                "y": 2,
                "w": 3,
                "h": 4,
                "score": 0.9,
                "similarity": 0.8,
                "lost": False,
                "key": False,
            },
        ]
    ),
    "clip.fear.json": json.dumps(
        {
            "format": "fear-project",
            "version": 1,
            "video": {"name": "clip.mp4", "width": 64, "height": 48, "frames": 4},
            "model": "fear-xs",
            "targets": [
                {"id": 0, "name": "goose", "rows": [[0, 1, 2, 3, 4, 1, 1, 0, 1], [1, 1.5, 2, 3, 4, 0.9, 0.8, 0, 0]]},
                {"id": 1, "name": "duck", "rows": [[0, 5, 6, 7, 8, 1, 1, 0, 1]]},
            ],
        }
    ),
}


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


def succeeds(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def fails(code: int, message: str, *arguments: object) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 25) as writer:
        for index, frame in enumerate(render(Scene(frames=4, height=48, width=64, occlusion=False))):
            writer.write(frame.image, index / 25)
    return path


@pytest.mark.parametrize("name", sorted(PAGE))
def test_what_the_page_saves_is_read(name: str, video: Path, tmp_path: Path) -> None:
    (tmp_path / name).write_text(PAGE[name])
    told = succeeds("import", tmp_path / name, tmp_path / "ours.csv")
    assert "of 2 targets" in told
    found = read_annotations(tmp_path / "ours.csv")
    assert [(one.frame, one.target, one.box_xywh) for one in found.boxes if not one.lost] == [
        (0, 0, (1, 2, 3, 4)),
        (0, 1, (5, 6, 7, 8)),
        (1, 0, (1.5, 2, 3, 4)),
    ]
    succeeds("unpack", video, tmp_path / name, tmp_path / "set" / "duck", "--target", 1)
    truth = read_boxes(tmp_path / "set" / "duck" / "groundtruth.txt")
    assert truth[0].tolist() == [5, 6, 7, 8]
    assert np.isnan(truth[1:]).all()


@pytest.mark.parametrize(("name", "said"), [("o.mot.txt", "similarities, 1 boxes of frames"), ("o.cvat.xml", "times"), ("yolo", "scores")])
def test_boxes_go_out_and_come_back_and_what_is_left_out_is_said(name: str, said: str, video: Path, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(CSV)
    arguments = ["--format", "yolo-tracks"] if name == "yolo" else []
    told = succeeds("export", tmp_path / "b.csv", tmp_path / name, "--video", video, *arguments)
    assert "4 boxes of 2 targets" in told
    assert "cannot hold it" in told
    assert said in told or name == "yolo"
    succeeds("import", tmp_path / name, tmp_path / "back.csv", "--video", video)
    back = read_annotations(tmp_path / "back.csv")
    assert [(one.frame, one.target, one.box_xywh) for one in back.boxes if not one.lost][2] == (1, 0, (1.5, 2, 3, 4))
    assert back.boxes[-1].time == pytest.approx(back.boxes[-1].frame / 25)


def test_a_folder_of_clips_goes_out_and_a_clip_without_boxes_gets_them(video: Path, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("1,2,3,4\nnan,nan,nan,nan\n5,6,7,8\n5,6,7,8.125\n")
    succeeds("unpack", video, tmp_path / "b.txt", tmp_path / "set" / "walk")
    told = succeeds("export", tmp_path / "set", tmp_path / "out", "--format", "coco")
    assert "walk: 3 boxes of 1 target" in told
    succeeds("unpack", video, tmp_path / "plain" / "walk")  # the frames alone
    assert [len(clip) for clip in read("clips", tmp_path / "plain")] == [4]
    succeeds("import", tmp_path / "out" / "walk.coco.json", tmp_path / "plain" / "walk")
    first, second = (read_boxes(tmp_path / place / "walk" / "groundtruth.txt") for place in ("set", "plain"))
    np.testing.assert_array_equal(first, second)
    assert "1 sequences, 4 frames, target absent in 1, 0 faults" in succeeds("check", tmp_path / "plain")
    fails(1, "expected a clip without boxes", "import", tmp_path / "b.txt", tmp_path / "plain" / "walk")


@pytest.mark.parametrize("name", ["b.csv", "b.txt", "boxes"])
def test_boxes_that_count_from_1_are_unpacked(name: str, video: Path, tmp_path: Path) -> None:
    rows = "frame,x,y,w,h\n" + "".join(f"{frame},{frame},2,3,4\n" for frame in range(1, 5))
    _written(tmp_path / name, rows if name == "b.csv" else "1,2,3,4\n2,2,3,4\n3,2,3,4\n4,2,3,4\n")
    first = ["--first", 1] if name == "b.csv" else []
    succeeds("unpack", video, tmp_path / name, tmp_path / "set" / "x", *first, "--one-based")
    assert read_boxes(tmp_path / "set" / "x" / "groundtruth.txt").tolist() == [[x, 1, 3, 4] for x in range(4)]


def test_how_boxes_count_is_not_ignored(video: Path, tmp_path: Path) -> None:
    lines = _written(tmp_path / "b.txt", "1,2,3,4\n" * 4)
    boxes = _written(tmp_path / "b.csv", CSV)
    fails(1, "expected no --first, since our text file says itself", "unpack", video, lines, tmp_path / "set" / "x", "--first", 1)
    fails(2, "expected boxes with --first or --one-based", "unpack", video, tmp_path / "set" / "x", "--one-based")
    fails(1, "expected --one-based with MOT alone", "export", boxes, tmp_path / "o.coco.json", "--size", "64x48", "--one-based")
    succeeds("export", boxes, tmp_path / "o.mot.txt", "--one-based")
    assert (tmp_path / "o.mot.txt").read_text().startswith("1,1,2,3,3,4,1,")  # one more than ours, which count from 0


def test_the_video_says_its_size_and_rate(video: Path, tmp_path: Path) -> None:
    export = ("export", _written(tmp_path / "b.csv", CSV), tmp_path / "o.coco.json", "--video")
    fails(2, "expected 64x48, the size of ", *export, video, "--size", "36x24")
    fails(1, "expected a rate only for pictures", *export, video, "--rate", 50)
    assert not (tmp_path / "o.coco.json").exists()
    succeeds(*export, video, "--size", "64×48")
    found = read_annotations(tmp_path / "o.coco.json").facts
    assert (found.width, found.height, found.rate) == (64, 48, 25)
    succeeds(*export, _clip(tmp_path / "set") / "img", "--rate", 50)  # a folder does not say its rate
    assert read_annotations(tmp_path / "o.coco.json").facts.rate == 50


def test_what_cannot_be_done_is_said(video: Path, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(CSV)
    csv = tmp_path / "b.csv"
    fails(1, "expected one of our formats", "import", csv, tmp_path / "o.mot.txt")
    fails(1, "expected another program's format", "export", csv, tmp_path / "o.csv")
    fails(1, "--video VIDEO or --size WIDTHxHEIGHT", "export", csv, tmp_path / "o.cvat.xml")
    fails(2, "expected WIDTHxHEIGHT such as 1280x720", "export", csv, tmp_path / "o.cvat.xml", "--size", "big")
    fails(1, "choose one with --target", "unpack", video, csv, tmp_path / "set" / "x")
    fails(1, "found nothing there", "unpack", video, tmp_path / "none.csv", tmp_path / "set" / "x")
    fails(2, "expected VIDEO [BOXES] ROOT/NAME", "unpack", video, csv, tmp_path / "set" / "x", tmp_path / "set" / "y")
    fails(1, "expected --format for a folder of clips", "export", _clip(tmp_path / "own").parent, tmp_path / "out")
    fails(
        1,
        "turn it into a .csv with `fear data import`",
        "export",
        _written(tmp_path / "o.mot.txt", "1,1,1,1,1,1\n"),
        tmp_path / "p.cvat.xml",
    )
    assert not (tmp_path / "set").exists()


def test_no_source_is_replaced_by_whatever_name(tmp_path: Path) -> None:
    clip, boxes = _clip(tmp_path / "set"), _written(tmp_path / "b.csv", CSV)
    mot = _written(tmp_path / "mot.txt", "1,1,1,1,1,1,0.5,-1,-1,-1\n")
    (tmp_path / "soft.csv").symlink_to(boxes)
    (tmp_path / "hard.csv").hardlink_to(boxes)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    said = "expected another file than the source"
    for name in ("b.csv", "soft.csv", "hard.csv"):
        fails(1, said, "export", boxes, tmp_path / name, "--format", "mot")
    for name in ("groundtruth.txt", "img/1.jpg"):
        fails(1, said, "export", clip, clip / name, "--format", "mot")
    fails(1, said, "export", clip / "groundtruth.txt", clip / "groundtruth.txt", "--format", "mot")
    fails(1, said, "import", mot, mot)
    fails(1, said, "import", boxes, tmp_path / "soft.csv")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    for _ in range(2):  # an earlier output may be replaced
        succeeds("export", clip, clip / "boxes.mot.txt")


def test_the_video_is_not_replaced(video: Path, tmp_path: Path) -> None:
    before = video.read_bytes()
    boxes = _written(tmp_path / "b.csv", CSV)
    fails(1, "expected another file than the source", "export", boxes, video, "--format", "coco", "--video", video)
    assert video.read_bytes() == before


def test_a_clip_without_pictures_has_no_size(tmp_path: Path) -> None:
    clip = _clip(tmp_path / "set")
    (clip / "img" / "1.jpg").unlink()
    fails(1, "expected the size of the frames, which COCO needs", "export", clip, tmp_path / "o.coco.json")
    succeeds("export", clip, tmp_path / "o.mot.txt")


def test_an_export_of_several_clips_is_whole_or_not_there(tmp_path: Path) -> None:
    first, second = (_clip(tmp_path / "set", name) for name in ("a", "b"))
    _written(second / "groundtruth.txt", "1,2,3\n")
    fails(1, "b/groundtruth.txt, line 1: expected four numbers", "export", first.parent, tmp_path / "out", "--format", "coco")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    _written(second / "groundtruth.txt", "1,2,3,4\n")
    succeeds("export", first.parent, tmp_path / "out", "--format", "coco")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.coco.json", "b.coco.json"}
    fails(1, "expected a new folder, found one that exists", "export", first.parent, tmp_path / "out", "--format", "coco")


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _clip(folder: Path, name: str = "walk") -> Path:
    (folder / name / "img").mkdir(parents=True)
    cv2.imwrite(str(folder / name / "img" / "1.jpg"), np.zeros((20, 30, 3), np.uint8))
    (folder / name / "groundtruth.txt").write_text("1,2,3,4\n")
    return folder / name


def test_labels_of_a_video_and_their_sheet(tmp_path: Path) -> None:
    video = tmp_path / "wälk.mp4"
    with VideoWriter(video, 25) as writer:
        for index, frame in enumerate(render(Scene(frames=10, height=180, width=320, distractor=False, occlusion=False))):
            writer.write(frame.image, index / 25)
    told = succeeds("label", video, tmp_path / "tracks.csv", "--targets", 4, "--length", 4, "--max-frames", 9)
    clips = read("manifest", tmp_path / "tracks.csv")
    assert clips
    assert f"wrote {len(clips)} tracks" in told
    assert sorted(path.name for path in (tmp_path / "tracks").iterdir()) == ["wälk-001", "wälk-002"]  # one frame is no clip of its own
    assert {len(clip) for clip in clips} <= {4, 5}
    sheet = cv2.imread(str(tmp_path / "tracks.png"))
    assert sheet is not None
    assert sheet.shape[1] == 960
    assert sheet.shape[0] == 142 * len(clips)


@pytest.mark.parametrize("name", ["out.png", "out", "tracks.csv"])
def test_labels_replace_no_file(name: str, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fear.evaluation.trackers.create", lambda spec: pytest.fail("the work began"))
    if name == "tracks.csv":
        (tmp_path / "tracks.png").write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    message = "expected a new picture" if name == "tracks.csv" else "expected the name of a table that ends with .csv"
    fails(1, message, "label", video, tmp_path / name)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_labels_of_a_video_need_a_new_folder_of_frames(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fear.evaluation.trackers.create", lambda spec: pytest.fail("the work began"))
    (tmp_path / "tracks").mkdir()
    fails(1, "tracks: expected a new folder", "label", video, tmp_path / "tracks.csv")
