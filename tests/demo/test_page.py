"""The page itself: its tracker against ours, and a real browser that uses it. Needs npm's packages in `web/`, the last test Chromium."""

from __future__ import annotations

import csv
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fear.demo
from fear.config import TrackerConfig
from fear.geometry.boxes import iou
from fear.loading.load import load
from fear.media.synthetic import DEFAULT, Scene, render
from fear.tracking.track import Track
from fear.tracking.tracker import Tracker
from fear.weights import packaged, read_card

WEB = Path(__file__).parents[2] / "web"
MODEL = "fear-nano"


@pytest.fixture(scope="module")
def npx() -> str:
    command = shutil.which("npx")
    if command is None or not (WEB / "node_modules" / "vitest").is_dir():
        pytest.skip("needs npm and its packages: cd web && npm ci")
    return command


@pytest.fixture(scope="module")
def chromium() -> str:
    command = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if command is None:
        pytest.skip("needs Chromium")
    return command


@pytest.mark.parametrize("dynamic_weight", [0.0, 0.3])
@pytest.mark.parametrize("model", list(packaged()))
def test_the_browsers_tracker_follows_as_ours(npx: str, model: str, dynamic_weight: float, tmp_path: Path) -> None:
    """With and without the dual template; nothing hides the target, for then the smallest difference decides."""
    rules = TrackerConfig(update_interval=5)
    network = load(model, runtime="onnx", threads=1)
    network.dynamic_weight = dynamic_weight  # type: ignore[misc]
    frames = list(render(Scene(frames=60, height=180, width=320, occlusion=False)))
    tracker = Tracker(network, config=rules)
    tracker.init(frames[0].image, frames[0].box_xywh)
    tracks = [Track(frames[0].box_xywh, 1.0, 1.0, False), *(tracker.update(frame.image) for frame in frames[1:])]
    folder = packaged()[model].folder
    assert folder is not None
    card = json.loads(read_card(folder).to_json()) | {"dynamic_weight": dynamic_weight}
    truth = {
        "width": 320,
        "height": 180,
        "model": str(folder),
        "card": card,
        "rules": rules.to_dict(),
        "tracks": [{"box": track.box_xywh, "score": track.score, "similarity": track.similarity, "lost": track.lost} for track in tracks],
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    opaque = np.full((180, 320, 1), 255, np.uint8)
    (tmp_path / "frames.rgba").write_bytes(b"".join(np.dstack((frame.image, opaque)).tobytes() for frame in frames))
    run = subprocess.run(
        [npx, "vitest", "run", "test/parity.test.ts"],
        cwd=WEB,
        env=os.environ | {"FEAR_PARITY": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout


def test_units_and_types(npx: str) -> None:
    for command in (["tsc", "--noEmit"], ["vitest", "run", "test/units.test.ts"]):
        run = subprocess.run([npx, *command], cwd=WEB, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr


def test_the_built_page_is_that_of_the_source(npx: str, tmp_path: Path) -> None:
    run = subprocess.run([npx, "vite", "build", "--outDir", str(tmp_path), "--emptyOutDir"], cwd=WEB, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr

    def files(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }

    assert files(tmp_path) == files(Path(fear.demo.__file__).parent / "site"), "make web builds it"


@pytest.mark.slow
def test_a_browser_follows_the_sample_and_what_is_drawn(npx: str, chromium: str, tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "fear.cli", "demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[4]
        run = subprocess.run(["node", "test/page.mjs", address, chromium, str(tmp_path), MODEL], cwd=WEB, capture_output=True, text=True)
        server.terminate()
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(run.stdout)
    assert found["errors"] == []
    assert found["isolated"]
    assert found["still"]
    assert found["target"] == "found"
    assert "broken.mp4: this browser cannot read the video" in found["complaint"]

    truth = [frame.box_xywh for frame in render(DEFAULT)]
    rows = list(csv.DictReader((tmp_path / "sample.csv").read_text().splitlines()))
    assert len(rows) > 10  # a busy machine leaves frames out
    first = float(rows[0]["time"])
    overlaps = [float(iou([float(row[side]) for side in "xywh"], truth[round((float(row["time"]) - first) * 30)])) for row in rows[1:]]
    assert np.mean(overlaps) > 0.6, overlaps
    assert (tmp_path / "sample.png").stat().st_size > 10_000

    x, y, w, h = (float(next(csv.DictReader((tmp_path / "drawn.csv").read_text().splitlines()))[side]) for side in "xywh")
    assert iou((x, y, w, h), (160, 90, 160, 180)) > 0.95  # a quarter to a half of 640 pixels, a quarter to three quarters of 360
    assert len((tmp_path / "camera.csv").read_text().splitlines()) > 3
