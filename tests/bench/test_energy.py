from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fear.bench import speed
from fear.bench.energy import Call, EnergyCounter, run_energy
from fear.cli import app
from fear.tracking.tracker import MultiTracker


def zone(root: Path, name: str, energy: int, largest: int = 1_000_000) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "energy_uj").write_text(f"{energy}\n")
    (folder / "max_energy_range_uj").write_text(f"{largest}\n")
    return folder / "energy_uj"


def test_counter_sums_packages_and_undoes_the_wrap_around(tmp_path: Path) -> None:
    first, second = zone(tmp_path, "intel-rapl:0", 900_000), zone(tmp_path, "intel-rapl:1", 100)
    zone(tmp_path, "intel-rapl:0:0", 5)  # a part of the first package, counted there already
    counter = EnergyCounter(tmp_path)
    assert counter.available
    assert counter.joules() == 0
    first.write_text("950000")
    assert counter.joules() == pytest.approx(0.05)
    first.write_text("100000")  # past 1 000 000 and on
    second.write_text("300")
    assert counter.joules() == pytest.approx(0.2002)


def test_no_counter_is_said_not_guessed(tmp_path: Path) -> None:
    counter = EnergyCounter(tmp_path)
    assert not counter.available
    assert counter.joules() is None
    report = run_energy(lambda: None, "offline", 0.05, tmp_path / "x.csv", counter=counter, idle_seconds=0)
    assert report.joules_per_frame is None
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
    assert list(rows[0]) == list(Call._fields)
    assert {row["energy_j"] for row in rows} == {""}


def test_joules_per_frame_without_the_idle_machine(tmp_path: Path) -> None:
    """A counter that runs at 2 W when idle and takes 10 mJ more for each call."""
    path, start, calls = zone(tmp_path, "intel-rapl:0", 0, 10**15), time.perf_counter(), [0]

    class Ticking(EnergyCounter):
        def joules(self) -> float | None:
            path.write_text(str(round(2e6 * (time.perf_counter() - start) + 1e4 * calls[0])))
            return super().joules()

    def update() -> None:
        calls[0] += 1
        time.sleep(0.005)

    report = run_energy(update, "offline", 0.5, tmp_path / "x.csv", counter=Ticking(tmp_path), idle_seconds=0.3)
    assert report.idle_w == pytest.approx(2, rel=0.1)
    assert report.joules_per_frame == pytest.approx(0.01, rel=0.2)
    assert report.calls == calls[0]


def test_online_keeps_its_rate(tmp_path: Path) -> None:
    report = run_energy(lambda: None, "online", 1.0, tmp_path / "x.csv", counter=EnergyCounter(tmp_path))
    assert 27 <= report.calls <= 31


def test_throttling_is_found(tmp_path: Path) -> None:
    pauses = iter([0.002] * 30 + [0.03] * 1000)  # far apart, since others may be busy on this machine
    report = run_energy(lambda: time.sleep(next(pauses)), "offline", 1.0, tmp_path / "x.csv", counter=EnergyCounter(tmp_path))
    assert report.throttled
    assert report.slowdown > 1.5


def test_bench_writes_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = speed.scene
    for name, few in (("WARM_UP", 3), ("TIMED", 12), ("_CLIP", 30), ("_ROUNDS", 2)):  # what is measured is not judged here
        monkeypatch.setattr(speed, name, few)
    monkeypatch.setattr(speed, "scene", lambda height, width: scene(height // 4, width // 4))
    command = ["bench", "--model", "fear-nano", "--output", str(tmp_path), "--threads", "1", "--tracker", "opencv:mil"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    bench = json.loads((tmp_path / "bench.json").read_text())
    stages = {row["stage"]: row["p50"] for row in bench["stages"]}
    assert stages["update, whole"] > stages["decode maps"]  # far apart, since others may be busy on this machine
    assert {"read and decode video", "crop", "network", "decode maps", "draw", "encode and write video"} < stages.keys()
    assert [row["tracker"] for row in bench["trackers"]] == ["fear-nano", "opencv:mil"]
    assert all(0 < row["p50"] <= row["p95"] <= row["p99"] for row in bench["stages"] + bench["trackers"])
    assert bench["limit"]["match_over_best"] > 0
    assert bench["targets"]["ratio"] > 1
    assert bench["targets"]["unsteady_ratio"] > 1
    assert len((tmp_path / "bench.csv").read_text().splitlines()) == 1 + len(bench["stages"]) + 2
    assert "opencv:mil" in (tmp_path / "bench.md").read_text()


def test_none_of_the_several_targets_is_in_the_way_of_another() -> None:
    images, boxes = speed.several_scenes(3)
    tracker = MultiTracker("fear-nano", runtime="onnx", threads=1)
    tracker.init(images[0], boxes)
    tracks = [tracker.update(image) for image in images[1:6]][-1]
    assert [track.lost for track in tracks] == [False] * 3  # lost ones would be searched for, which costs more
    assert [int(track.box_xywh[0] // 320) for track in tracks] == [0, 1, 2]


def test_energy_command(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["bench", "--energy", "offline", "--seconds", "1", "--output", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "fps" in result.stdout
    assert len((tmp_path / "energy-offline.csv").read_text().splitlines()) > 5
    wrong = CliRunner().invoke(app, ["bench", "--energy", "sometimes", "--output", str(tmp_path)])
    assert wrong.exit_code == 2
    assert "online or offline" in wrong.stderr
