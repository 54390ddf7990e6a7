"""`fear eval` killed at any moment, on a cluster, with attributes and submissions."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import fear
from fear.cli import app
from fear.datasets import read
from fear.errors import FearError
from fear.evaluation import evaluate
from fear.evaluation.jobs import Job
from fear.evaluation.runner import run_all
from fear.evaluation.trackers import Spec
from fear.media.synthetic import Scene, write_folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for seed in range(6):
        write_folder(folder / f"disc{seed}", Scene(frames=12, height=90, width=120, seed=seed))
    (folder / "disc1" / "attributes.txt").write_text("fast motion\nocclusion\n")
    (folder / "disc2" / "attributes.txt").write_text("occlusion\n")
    return folder


def without_time(summary: Path) -> Any:
    """A summary but for the figures of speed, which no two runs share."""

    def strip(value: Any) -> Any:
        return {key: strip(part) for key, part in value.items() if key != "fps"} if isinstance(value, dict) else value

    return strip(json.loads(summary.read_text()))


def command_without_a_word(arguments: list[str]) -> None:
    """The command `fear`, for a process that is killed."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    app(arguments)


@pytest.mark.slow
def test_killed_ten_times_and_resumed_equals_uninterrupted(root: Path, tmp_path: Path) -> None:
    """The processes that are killed are forked from one that imported everything, so that kills meet them at work."""
    arguments = ["eval", "--root", str(root), "--tracker", "fear-xs", "--tracker", "test_resume:Slow", "--output"]
    environment = {
        "PYTHONPATH": f"{Path(__file__).parent}{os.pathsep}{Path(fear.__file__).parents[1]}",
        "PATH": "/usr/bin:/bin",
        "HOME": str(Path.home()),
    }
    whole, output = tmp_path / "whole", tmp_path / "parts"
    command = [sys.executable, "-m", "fear.cli", *arguments]
    subprocess.run([*command, str(whole)], check=True, capture_output=True, env=environment)
    moments, context = np.random.default_rng(0), multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fear.cli", "fear.evaluation.runner", "fear.runtime.openvino", "fear.tracking.tracker", __name__])
    for _ in range(10):
        process = context.Process(target=command_without_a_word, args=([*arguments, str(output)],))
        process.start()
        time.sleep(moments.uniform(0.05, 1))
        process.kill()
        process.join()
        for path in (output / "results").rglob("[!.]*.txt"):  # nothing half-written under a result's name
            assert len(path.read_text().splitlines()) == 12
    subprocess.run([*command, str(output)], check=True, capture_output=True, env=environment)
    assert without_time(output / "summary.json") == without_time(whole / "summary.json")
    assert not list((output / "results").rglob(".*unfinished"))


class Slow:
    """A tracker that takes its time, so that kills meet it at work."""

    def init(self, frame: object, box_xywh: tuple[float, float, float, float]) -> None:
        self.box = box_xywh

    def update(self, frame: object) -> tuple[float, float, float, float]:
        time.sleep(0.01)
        return self.box


@pytest.mark.slow
def test_a_cluster_gives_the_same_files(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    here, there = (
        [Job(Spec("fear-xs", runtime="openvino"), clip, tmp_path / name) for clip in read("folder", root, ["disc0", "disc1"])]
        for name in ("here", "there")
    )
    list(run_all(here))
    assert {job.clip.name for job in run_all(there, cluster="local")} == {"disc0", "disc1"}
    for name in ("disc0", "disc1"):
        assert (tmp_path / "here" / f"{name}.txt").read_bytes() == (tmp_path / "there" / f"{name}.txt").read_bytes()
        assert len((tmp_path / "there" / f"{name}_time.txt").read_text().splitlines()) == 12


def test_a_cluster_that_is_not_there(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    jobs = [Job(Spec("fear-xs"), clip, tmp_path) for clip in read("folder", root, ["disc0"])]
    with pytest.raises(FearError, match="expected a Ray cluster"):
        list(run_all(jobs, cluster="auto"))


def test_report_has_attributes_and_the_worst_sequences(root: Path, tmp_path: Path) -> None:
    evaluate(root, ["test_resume:Slow"], output=tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_text())["trackers"]["test_resume:Slow"]
    assert summary["attributes"].keys() == {"fast motion", "occlusion"}
    pair = [summary["sequences"][name]["auc"] for name in ("disc1", "disc2")]
    assert summary["attributes"]["occlusion"]["auc"] == pytest.approx(np.mean(pair), abs=1e-6)
    assert summary["attributes"]["fast motion"]["auc"] == pair[0]
    report = (tmp_path / "report.md").read_text()
    assert "AUC by attribute" in report
    strip = cv2.imread(str(tmp_path / "worst.jpg"))
    assert strip is not None
    assert strip.shape == (4 * 180, 5 * 320, 3)


@pytest.mark.parametrize("dataset", ["got10k", "trackingnet"])
def test_submissions(dataset: str, tmp_path: Path) -> None:
    root = tmp_path / "data"
    for name in ("a", "b"):
        folder = root / name if dataset == "got10k" else root / "frames" / name
        folder.mkdir(parents=True)
        for k in range(3):
            cv2.imwrite(str(folder / (f"{k:08d}.jpg" if dataset == "got10k" else f"{k}.jpg")), np.zeros((20, 20, 3), np.uint8))
        truth = folder / "groundtruth.txt" if dataset == "got10k" else root / "anno" / f"{name}.txt"
        truth.parent.mkdir(exist_ok=True)
        truth.write_text("1,2,3,4\n")  # of a test set: the first box alone
    evaluate(root, ["test_resume:Slow"], dataset=dataset, output=tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "out" / "submission-test_resume-Slow.zip") as archive:
        names = set(archive.namelist())
        if dataset == "got10k":
            assert names == {f"{name}/{name}_{kind}.txt" for name in "ab" for kind in ("001", "time")}
            assert archive.read("a/a_001.txt") == b"1.000,2.000,3.000,4.000\n" * 3
        else:
            assert names == {"a.txt", "b.txt"}
            assert archive.read("b.txt") == b"1.00,2.00,3.00,4.00\n" * 3


def test_little_time_is_spent_beside_the_tracker(root: Path, tmp_path: Path) -> None:
    """Beyond `update` and the decoding of pictures: under 5 %."""
    from fear.datasets.frames import read_frame
    from fear.evaluation.jobs import track

    (sequence,) = read("folder", root, ["disc0"])
    longer = type(sequence)(sequence.name, sequence.frames * 20, np.tile(sequence.boxes_xywh, (20, 1)))
    shares = []
    for _ in range(3):  # the best of three: others may be busy on this machine
        start = time.perf_counter()
        outcome = track(Job(Spec("test_resume:Slow"), longer, tmp_path))
        whole = time.perf_counter() - start
        decoding = 0.0
        for path in longer.frames:
            time.sleep(0.01)  # after the pause of the tracker decoding takes longer than in a row
            start = time.perf_counter()
            read_frame(path)
            decoding += time.perf_counter() - start
        shares.append((whole - decoding - outcome.seconds.sum()) / whole)
    assert min(shares) < 0.05
