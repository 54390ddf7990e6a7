"""Five people's ways from an installation to what they came for.

`make wheel` walks them with the wheel in an empty environment, as far as they need no torch; `make unit` walks all of them.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np

from fear.geometry.boxes import iou
from fear.media.reader import open_source
from fear.media.synthetic import Scene, write_folder
from fear.weights import packaged
from journeys.installation import ENVIRONMENT, PYTHON, Clip, Command

OWN_TRACKER = """
class StayingTracker:
    def init(self, frame, box_xywh):
        self.box = box_xywh

    def update(self, frame):
        return self.box
"""


def test_robotics_steers_by_the_box_and_stops_while_the_target_is_lost(clip: Clip, program: Command) -> None:
    steps = json.loads(program("robotics.py", clip.path, clip.box))
    assert len(steps) == len(clip.images)
    boxes = np.array([step["box"] for step in steps])
    assert iou(boxes[:10], clip.boxes_xywh[:10]).mean() > 0.7
    assert all(step["lost"] and step["steer"] == 0 for step in steps[16:20])  # five doubtful frames later
    assert not steps[-1]["lost"]
    assert iou(boxes[-5:], clip.boxes_xywh[-5:]).mean() > 0.6  # found again, at another place
    x, _, w, _ = clip.boxes_xywh[-1]
    assert abs(steps[-1]["steer"] - ((x + w / 2) / 320 - 0.5)) < 0.05


def test_video_analysis_without_code_draws_on_the_page_and_gets_a_video_and_a_table(clip: Clip, desk: Path) -> None:
    command = [PYTHON or sys.executable, "-u", "-m", "fear.cli", "track", str(clip.path), "--select", "--port", "0"]
    command += ["--output", "followed.mp4", "--boxes", "boxes.csv", "--model", "fear-nano"]
    with subprocess.Popen(command, cwd=desk, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        with urllib.request.urlopen(address, timeout=60) as page:
            assert b"Drag" in page.read() + urllib.request.urlopen(address + "page.js", timeout=60).read()
        state = {"mode": "", "version": -1, "picture": -1}
        while state["mode"] != "edit":
            with urllib.request.urlopen(f"{address}state?version={state['version']}&picture={state['picture']}", timeout=60) as answer:
                state = json.load(answer)
        with urllib.request.urlopen(address + "picture", timeout=60) as picture:
            assert picture.read(3) == b"\xff\xd8\xff"  # a JPEG
        drawn = json.dumps({"do": "start", "boxes": [clip.boxes_xywh[0]]}).encode()
        urllib.request.urlopen(urllib.request.Request(address + "act", drawn, {"Content-Type": "application/json"}), timeout=60).close()
        summary = process.stdout.read()
    assert process.returncode == 0
    for words in ("35 frames in", "fps end to end", "lost in", "wrote followed.mp4", "wrote boxes.csv", "computed by"):
        assert words in summary
    rows = list(csv.DictReader((desk / "boxes.csv").read_text().splitlines()))
    assert [int(row["frame"]) for row in rows] == list(range(35))
    with open_source(desk / "followed.mp4") as video:
        frames = list(video)
    assert len(frames) == 35
    assert np.abs(frames[5].image.astype(int) - clip.images[5].astype(int)).max() > 100  # a box is drawn


def test_research_scores_a_tracker_of_its_own_beside_ours(desk: Path, fear_command: Command) -> None:
    for seed in (1, 2):
        write_folder(desk / "data" / f"clip{seed}", Scene(frames=8, height=120, width=160, seed=seed))
    (desk / "my_tracker.py").write_text(OWN_TRACKER)  # modules in the working directory are found
    arguments = ("--tracker", "my_tracker:StayingTracker", "--tracker", "fear-nano", "--runtime", "onnx")
    printed = fear_command("eval", "--root", "data", "--output", "results", *arguments)
    assert "fear-nano: computed by ONNX Runtime, float32" in printed
    report = (desk / "results" / "report.md").read_text()
    summary = json.loads((desk / "results" / "summary.json").read_text())["trackers"]
    assert list(summary) == ["my_tracker:StayingTracker", "fear-nano"]
    for name, entry in summary.items():
        assert name in report
        assert entry["mean"]["ao"] > 0.4
        assert list(entry["sequences"]) == ["clip1", "clip2"]


def test_annotation_and_training_follows_with_what_it_has_learned(clip: Clip, desk: Path, fear_command: Command, extras: None) -> None:
    fear_command("track", clip.path, "--box", clip.box, "--boxes", "draft.csv", "--model", "fear-nano")
    assert "wrote 35 frames to own/race" in fear_command("data", "unpack", clip.path, "draft.csv", "own/race")
    assert "1 sequences, 35 frames" in fear_command("data", "check", "own")
    lost = sum(row["lost"] == "1" for row in csv.DictReader((desk / "draft.csv").read_text().splitlines()))
    truth = (desk / "own" / "race" / "groundtruth.txt").read_text()
    assert truth.count("nan,nan,nan,nan") == lost > 0  # what was lost is no truth
    changes = ["network.preset=fear-nano", "network.weights=fear-nano", "data.0.root=own", "validation.root=own", "validation.max_frames=3"]
    changes += ["stages.0.epochs=1", "stages.0.samples=4", "stages.0.batch=2", "stages.0.warm_up=0"]
    fear_command("train", "own_videos", "--output", "run", *(word for change in changes for word in ("--set", change)))
    arguments = ("--model", "run/weights.safetensors", "--runtime", "torch", "--max-frames", 8)
    printed = fear_command("track", clip.path, "--box", clip.box, *arguments, "--boxes", "learned.txt")
    assert "computed by torch, float32" in printed
    boxes = np.loadtxt(desk / "learned.txt", delimiter=",")
    assert iou(boxes, clip.boxes_xywh[:8]).mean() > 0.6


def test_development_takes_the_network_into_its_own_program(clip: Clip, desk: Path, program: Command) -> None:
    folder = packaged()["fear-nano"].folder
    assert folder is not None
    shutil.copytree(folder, desk / "network")
    found = json.loads(program("development.py", clip.path, clip.box, "network"))
    assert found["runtime"] == "OnnxNetwork"
    for answer in found["answers"]:
        assert answer["found"]
        assert np.abs(np.array(answer["rect"]) - answer["packaged"]).max() <= 0.51  # whole pixels of the same box
        assert answer["ids"] == [0, 1]
    assert found["detections"] in (None, [0, 1])


def test_development_exports_a_network_and_loads_the_export(
    clip: Clip, desk: Path, fear_command: Command, extras: None, packaged_graphs: None
) -> None:
    printed = fear_command("export", "fear-nano", "--format", "openvino", "--output", "exported")
    assert "largest difference from torch" in printed
    printed = fear_command("track", clip.path, "--box", clip.box, "--model", "exported", "--max-frames", 5, "--boxes", "boxes.txt")
    assert "computed by OpenVINO, float32" in printed
    assert len((desk / "boxes.txt").read_text().splitlines()) == 5
