from __future__ import annotations

import numpy as np
import pytest

import fear
from clips import jerking_camera, wall
from fear.geometry.boxes import iou
from fear.tracking.camera import camera_motion


@pytest.mark.parametrize(("across", "down"), [(0, 0), (40, -25), (-3, 2), (-200, 90)])
def test_a_shift_is_measured(across: int, down: int) -> None:
    scene = wall()
    before = scene[150:750, 250:1050]
    now = scene[150 - down : 750 - down, 250 - across : 1050 - across]
    assert camera_motion(before, now) == pytest.approx((across, down), abs=1.0)


def test_frames_of_different_scenes_are_told() -> None:
    scene, other = wall()[:600, :800], wall(1)[:600, :800]
    assert camera_motion(scene, other // 3) is None
    assert camera_motion(scene, other) == (0.0, 0.0)  # as bright as before: perhaps blurred by a fast camera
    assert camera_motion(scene, scene // 3) == pytest.approx((0.0, 0.0), abs=0.5)  # the light went out


def test_frames_of_one_colour_tell_no_motion() -> None:
    scene = wall()[:600, :800]
    for value in (0, 77, 128, 255):
        flat = np.full_like(scene, value)
        for before, now in ((scene, flat), (flat, scene), (flat, flat), (flat, flat // 2)):
            assert camera_motion(before, now) == (0.0, 0.0)


@pytest.mark.parametrize("model", ["fear-xs", "fear-nano"])
@pytest.mark.parametrize("looks_again", [True, False])
def test_a_target_is_kept_when_the_camera_jerks(model: str, looks_again: bool) -> None:
    images, boxes = jerking_camera()
    rules = fear.TrackerConfig(camera_motion=looks_again, redetection=False)
    tracker = fear.Tracker(model, runtime="onnx", threads=1, config=rules)
    tracker.init(images[0], boxes[0])
    overlaps = []
    for image, box in zip(images[1:], boxes[1:], strict=True):
        overlaps.append(float(iou(np.array(tracker.update(image).box_xywh), np.array(box))))
    assert (min(overlaps) > 0.5) == looks_again, overlaps
