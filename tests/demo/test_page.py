"""The page itself: its tracker against ours, its parts, and its build. Needs npm's packages in `web/`."""

from __future__ import annotations

import json
import lzma
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import fear.demo
from clips import jerking_camera
from fear.config import TrackerConfig
from fear.geometry.boxes import Box, iou
from fear.loading.load import load
from fear.media.image import Image
from fear.media.synthetic import Scene, render
from fear.tracking.tracker import Tracker
from fear.weights import packaged, read_card

WEB = Path(__file__).parents[2] / "web"
HEIGHT, WIDTH = 180, 320


@pytest.fixture(scope="module")
def npx() -> str:
    command = shutil.which("npx")
    if command is None or not (WEB / "node_modules" / "vitest").is_dir():
        pytest.skip("needs npm and its packages: cd web && npm ci")
    return command


def follow_in_both(npx: str, model: str, dynamic_weight: float, images: list[Image], box_xywh: Box, folder: Path) -> None:
    """Follows with our tracker, leaves its tracks and the frames in a folder, and lets the page's tracker be compared with them."""
    rules = TrackerConfig(update_interval=5)
    network = load(model, runtime="onnx", threads=1)
    network.dynamic_weight = dynamic_weight  # type: ignore[misc]
    tracker = Tracker(network, config=rules)
    tracker.init(images[0], box_xywh)
    tracks = [{"box": box_xywh, "score": 1.0, "similarity": 1.0, "lost": False}]
    for image in images[1:]:
        found = tracker.update(image)
        tracks.append({"box": found.box_xywh, "score": found.score, "similarity": found.similarity, "lost": found.lost})
    graphs = packaged()[model].folder
    assert graphs is not None
    truth = {
        "width": images[0].shape[1],
        "height": images[0].shape[0],
        "model": str(graphs),
        "card": json.loads(read_card(graphs).to_json()) | {"dynamic_weight": dynamic_weight},
        "rules": rules.to_dict(),
        "tracks": tracks,
    }
    (folder / "truth.json").write_text(json.dumps(truth))
    opaque = np.full((*images[0].shape[:2], 1), 255, np.uint8)
    (folder / "frames.rgba").write_bytes(b"".join(np.dstack((image, opaque)).tobytes() for image in images))
    run = subprocess.run(
        [npx, "vitest", "run", "test/parity.test.ts"],
        cwd=WEB,
        env=os.environ | {"FEAR_PARITY": str(folder)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout


@pytest.mark.parametrize("dynamic_weight", [0.0, 0.3])
@pytest.mark.parametrize("model", list(packaged()))
def test_the_browsers_tracker_follows_as_ours(npx: str, model: str, dynamic_weight: float, tmp_path: Path) -> None:
    """With and without the dual template; nothing hides the target, for then the smallest difference decides."""
    frames = list(render(Scene(frames=40, height=HEIGHT, width=WIDTH, occlusion=False)))
    follow_in_both(npx, model, dynamic_weight, [frame.image for frame in frames], frames[0].box_xywh, tmp_path)


@pytest.mark.parametrize("model", list(packaged()))
def test_the_browsers_tracker_keeps_a_target_when_the_camera_jerks_as_ours(npx: str, model: str, tmp_path: Path) -> None:
    images, boxes = jerking_camera()
    follow_in_both(npx, model, 0.3, images, boxes[0], tmp_path)
    last = json.loads((tmp_path / "truth.json").read_text())["tracks"][-1]
    assert iou(np.array(last["box"]), np.array(boxes[-1])) > 0.5  # else the comparison shows nothing


def test_the_browsers_tracker_loses_and_finds_a_target_as_ours(npx: str, tmp_path: Path) -> None:
    """The target is gone for ten frames and comes back at another place."""
    frames = list(render(Scene(frames=55, height=HEIGHT, width=WIDTH, occlusion=False)))
    images = [frame.image for frame in frames]
    empty = np.full_like(images[0], 128)
    shown = [*images[:10], *[empty] * 10, *images[40:]]
    follow_in_both(npx, "fear-nano", 0.3, shown, frames[0].box_xywh, tmp_path)
    lost = [track["lost"] for track in json.loads((tmp_path / "truth.json").read_text())["tracks"]]
    assert any(lost)
    assert not lost[-1]  # else the comparison shows nothing


def test_units_and_types(npx: str) -> None:
    for command in (["tsc", "--noEmit"], ["vitest", "run", "test/tracking.test.ts", "test/record.test.ts"]):
        run = subprocess.run([npx, *command], cwd=WEB, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr


def test_the_built_page_is_that_of_the_source(npx: str, tmp_path: Path) -> None:
    run = subprocess.run([npx, "vite", "build", "--outDir", str(tmp_path), "--emptyOutDir"], cwd=WEB, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr

    def files(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix().removesuffix(".xz"): (
                lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
            )
            for path in folder.rglob("*")
            if path.is_file()
        }

    assert files(tmp_path) == files(Path(fear.demo.__file__).parent / "site"), "make web builds it"
