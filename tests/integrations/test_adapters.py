from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import fear
from fear.geometry.boxes import iou
from fear.integrations.got10k import FearTracker as Got10kTracker
from fear.integrations.opencv import FearTracker as OpenCvTracker
from fear.media.synthetic import Scene, render

FRAMES = list(render(Scene(frames=8, height=180, width=320)))


def test_opencv() -> None:
    tracker, plain = OpenCvTracker(), fear.Tracker("fear-xs")
    box = tuple(round(value) for value in FRAMES[0].box_xywh)
    tracker.init(np.ascontiguousarray(FRAMES[0].image[..., ::-1]), box)
    plain.init(FRAMES[0].image, box)
    for frame in FRAMES[1:]:
        found, rect = tracker.update(np.ascontiguousarray(frame.image[..., ::-1]))
        track = plain.update(frame.image)
        assert found
        assert rect == tuple(round(value) for value in track.box_xywh)
        assert tracker.getTrackingScore() == track.score
        assert iou(rect, frame.box_xywh) > 0.6
    found, _ = tracker.update(np.full_like(frame.image, 110))
    assert not found


def test_opencv_refuses_what_is_no_frame() -> None:
    with pytest.raises(fear.FrameError):
        OpenCvTracker().init(np.zeros((10, 10), np.uint8), (1, 1, 5, 5))


def test_got10k_runs_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their experiment on a tiny tree in their layout."""
    from got10k.experiments import ExperimentGOT10k

    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data" / "val" / "GOT-10k_Val_000001"
    folder.mkdir(parents=True)
    for number, frame in enumerate(FRAMES, start=1):
        cv2.imwrite(str(folder / f"{number:08d}.jpg"), frame.image[..., ::-1])
    (folder.parent / "list.txt").write_text("GOT-10k_Val_000001\n")
    (folder / "groundtruth.txt").write_text("".join(",".join(f"{v:.4f}" for v in frame.box_xywh) + "\n" for frame in FRAMES))
    experiment = ExperimentGOT10k(str(tmp_path / "data"), subset="val", result_dir="results", report_dir="reports")
    experiment.run(Got10kTracker(), visualize=False)
    boxes = np.loadtxt(tmp_path / "results" / "GOT-10k" / "FEAR" / "GOT-10k_Val_000001" / "GOT-10k_Val_000001_001.txt", delimiter=",")
    assert boxes.shape == (8, 4)
    assert iou(boxes[1:], [frame.box_xywh for frame in FRAMES[1:]]).mean() > 0.6
