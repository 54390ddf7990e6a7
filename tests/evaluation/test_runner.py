from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from fear.datasets import Clip, read
from fear.datasets.files import read_boxes
from fear.errors import ConfigError, DatasetError, FearError
from fear.evaluation.jobs import Job
from fear.evaluation.results import is_done, read_outcome
from fear.evaluation.runner import run_all
from fear.evaluation.trackers import Spec, create, identify
from fear.media.synthetic import Scene, render
from fear.weights import packaged


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        folder = tmp_path / "data" / name
        (folder / "img").mkdir(parents=True)
        frames = list(render(Scene(frames=5, height=90, width=120, seed=ord(name))))
        for number, frame in enumerate(frames):
            cv2.imwrite(str(folder / "img" / f"{number}.jpg"), frame.image[..., ::-1])
        (folder / "groundtruth.txt").write_text("".join(",".join(map(str, frame.box_xywh)) + "\n" for frame in frames))
    return tmp_path / "data"


def jobs(root: Path, output: Path) -> list[Job]:
    return [Job(Spec("fear-xs"), clip, output) for clip in read("folder", root)]


def test_reads_the_layout(root: Path) -> None:
    sequences = read("folder", root)
    assert [sequence.name for sequence in sequences] == ["a", "b", "c"]
    assert all(len(sequence) == 5 and sequence.visible.all() for sequence in sequences)
    assert len(sequences[0].cut(3)) == 3
    assert [sequence.name for sequence in read("folder", root, ["c", "a"])] == ["a", "c"]
    with pytest.raises(DatasetError, match="found no d; it has a, b, c"):
        read("folder", root, ["d"])


def test_absent_frames(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_text("1,2,3,4\nnan,nan,nan,nan\n5\t6\t7\t8\n")
    boxes = read_boxes(tmp_path / "g.txt")
    assert Clip("x", (Path("1"), Path("2"), Path("3")), boxes).visible.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("text", "message"), [("1,2,3\n", "line 1: expected four numbers"), ("1,2,3,4\n1,2,x,4\n", "line 2: expected x,y,w,h")]
)
def test_broken_boxes(root: Path, text: str, message: str) -> None:
    (root / "b" / "groundtruth.txt").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read("folder", root)


def test_another_number_of_pictures(root: Path) -> None:
    (root / "b" / "img" / "3.jpg").unlink()
    with pytest.raises(DatasetError, match="4 pictures and 5 boxes"):
        read("folder", root)


def test_done_is_not_run_again_and_halves_are(root: Path, tmp_path: Path) -> None:
    work = jobs(root, tmp_path / "out")
    assert not any(map(is_done, work))
    assert [job.clip.name for job in run_all(work)] == ["a", "b", "c"]
    assert all(map(is_done, work))
    before = [read_outcome(job).boxes_xywh for job in work]
    (tmp_path / "out" / "a.txt").write_text("")  # as a broken disk leaves it
    (tmp_path / "out" / "b_time.txt").unlink()  # as a kill between two files leaves it
    stamp = (tmp_path / "out" / "c.txt").stat().st_mtime_ns
    assert [job.clip.name for job in run_all(work)] == ["c", "a", "b"]
    assert (tmp_path / "out" / "c.txt").stat().st_mtime_ns == stamp
    for job, boxes in zip(work, before, strict=True):
        assert np.array_equal(read_outcome(job).boxes_xywh, boxes)


def test_workers_give_the_same(root: Path, tmp_path: Path) -> None:
    alone, together = jobs(root, tmp_path / "1"), jobs(root, tmp_path / "2")
    list(run_all(alone))
    assert {job.clip.name for job in run_all(together, workers=2)} == {"a", "b", "c"}
    for name in ("a.txt", "b.txt", "c_score.txt", "c_lost.txt"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_an_error_in_a_worker_comes_through(root: Path, tmp_path: Path) -> None:
    (root / "b" / "img" / "2.jpg").write_bytes(b"broken")
    with pytest.raises(DatasetError, match=r"2\.jpg: expected a picture"):
        list(run_all(jobs(root, tmp_path / "out"), workers=2))


def test_first_frame_without_target(root: Path, tmp_path: Path) -> None:
    (root / "a" / "groundtruth.txt").write_text("nan,nan,nan,nan\n" + "1,2,3,4\n" * 4)
    with pytest.raises(DatasetError, match="a box in the first frame"):
        list(run_all(jobs(root, tmp_path / "out")))


class Still:
    """A tracker that never moves."""

    def init(self, frame: object, box_xywh: tuple[float, float, float, float]) -> None:
        self.box = box_xywh

    def update(self, frame: object) -> tuple[float, float, float, float]:
        return self.box


def test_any_python_class_can_be_evaluated(root: Path, tmp_path: Path) -> None:
    (sequence,) = read("folder", root, ["a"])
    job = Job(Spec("test_runner:Still"), sequence, tmp_path / "out")
    list(run_all([job]))
    outcome = read_outcome(job)
    assert outcome.boxes_xywh == pytest.approx(np.tile(sequence.boxes_xywh[0], (5, 1)), abs=1e-4)
    assert np.isnan(outcome.scores[1:]).all()  # it says nothing about how sure it is
    assert not outcome.lost.any()


def test_a_run_that_fails_does_not_wait_for_the_others(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two_trackers.py").write_text(
        "import time\n"
        "class Slow:\n    def init(self, frame, box): time.sleep(300)\n    def update(self, frame): pass\n"
        "class Wrong:\n    def init(self, frame, box): time.sleep(1)\n    def update(self, frame): return 'nowhere'\n"
    )
    (clip,) = read("folder", root, ["a"])
    trackers = [Job(Spec(f"two_trackers:{name}"), clip, tmp_path / name) for name in ("Slow", "Wrong")]
    start = time.monotonic()
    with pytest.raises(FearError, match="nowhere"):
        list(run_all(trackers, workers=2))
    assert time.monotonic() - start < 100


def test_a_class_is_found_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "tracker_of_this_folder.py").write_text(
        "class Own:\n    def init(self, frame, box): pass\n    def update(self, frame): return 1, 2, 3, 4\n"
    )
    tracker = create(Spec("tracker_of_this_folder:Own"))
    tracker.init(np.zeros((9, 9, 3), np.uint8), [(1, 2, 3, 4)])
    assert tracker.update(np.zeros((9, 9, 3), np.uint8))[0].box_xywh == (1, 2, 3, 4)


def test_scores_and_flags_are_written(root: Path, tmp_path: Path) -> None:
    job = jobs(root, tmp_path / "out")[0]
    list(run_all([job]))
    lines = (tmp_path / "out" / "a_score.txt").read_text().splitlines()
    assert len(lines) == 5
    assert lines[0] == "1.0000"
    assert all(0 < float(line) <= 1 for line in lines)
    assert (tmp_path / "out" / "a_lost.txt").read_text() == "0\n" * 5


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("fear-xs", "fear-xs"),
        ("opencv:csrt", "opencv-csrt"),
        ("models/own/", "models-own"),
        ("..\\own", "..-own"),
        (".", "exported"),
        ("./", "exported"),
        ("..", "models"),
        ("own/..", "exported"),
        ("/", "-"),
        ("con", "con-"),
        ("NUL.onnx", "NUL-.onnx"),
        ("console", "console"),
        ("x. .", "x-"),
    ],
)
def test_results_have_a_folder_of_their_own(name: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models" / "exported").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "models" / "exported")
    assert Spec(name).folder_name == folder


def test_long_names_of_trackers_have_short_folders() -> None:
    one, other = (Spec(f"/{first}/{'é' * 90}/{'model' * 40}").folder_name for first in "ab")
    assert one != other
    assert one.endswith("modelmodel")
    assert len(one.encode()) < 200


def test_a_tracker_in_the_working_directory_has_the_name_of_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = packaged()["fear-nano"][1]
    assert folder is not None
    monkeypatch.chdir(folder)
    assert identify(Spec(".", runtime="onnx"))["tracker"] == folder.name


@pytest.mark.parametrize(
    "name",
    [
        "opencv:goturn",
        "opencv:nano",
        "opencv:vit",
        "nope",
        "published:nowhere",
        "python:nope:X",
        "python:json:Nope",
        "python:fractions:Fraction",
        "python:",
    ],
)
def test_trackers_that_cannot_be_made(name: str) -> None:
    with pytest.raises(FearError):
        create(Spec(name))


def test_nano_without_networks(tmp_path: Path) -> None:
    with pytest.raises(FearError, match=r"expected .*backbone"):
        create(Spec("opencv:nano", nano=tmp_path))
    with pytest.raises(ConfigError, match="--nano"):
        create(Spec("opencv:nano"))
    with pytest.raises(FearError, match=r"expected \*vit\*\.onnx"):
        create(Spec("opencv:vit", vit=tmp_path))


def test_published_reaches_the_reference_on_one_clip(official: Path, sequences: Path, tmp_path: Path) -> None:
    from fear.config import TrackerConfig
    from fear.evaluation.metrics import measure

    (sequence,) = read("folder", sequences, ["DAVIS_dog"])
    job = Job(
        Spec(
            f"published:{official}",
            TrackerConfig(window=0, penalty=0, size_rate=None, template_context=0.2, search_size=256, steady_search_size=None),
        ),
        sequence,
        tmp_path,
        None,
    )
    list(run_all([job]))
    outcome = read_outcome(job)
    scores, _ = measure(outcome.boxes_xywh, sequence.boxes_xywh, outcome.seconds)
    assert scores.auc > 0.857 - 0.02  # the reference's figure for this clip
