"""The weights inside the package do their job on rendered clips."""

from __future__ import annotations

import tracemalloc
from functools import lru_cache

import numpy as np
import pytest

import fear
from fear.geometry.boxes import iou
from fear.media.synthetic import Rendered, Scene, render

MODELS = ("fear-xs", "fear-nano")


@lru_cache(maxsize=1)
def rendered(scene: Scene) -> list[Rendered]:
    """The frames of a scene, for one model after the other."""
    return list(render(scene))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "scene",
    [
        Scene(distractor=False, occlusion=False, growth=0.5, seed=3),
        Scene(distractor=True, occlusion=False, seed=8),
        Scene(),
        Scene(seed=5),  # weights without labels end on the look-alike
    ],
    ids=["scale change", "distractor", "all at once", "all at once, another one"],
)
def test_rendered_clip(model: str, scene: Scene) -> None:
    frames = rendered(scene)
    tracker = fear.Tracker(model)
    tracker.init(frames[0].image, frames[0].box_xywh)
    tracks = [tracker.update(frame.image) for frame in frames[1:]]
    overlaps = iou([track.box_xywh for track in tracks], [frame.box_xywh for frame in frames[1:]])
    assert overlaps.mean() > 0.6
    assert np.median([track.score for track in tracks]) > 0.8


@pytest.mark.parametrize("model", MODELS)
def test_lost_when_the_target_is_gone(model: str) -> None:
    frames = list(render(Scene(frames=20, distractor=False, occlusion=False)))
    tracker = fear.Tracker(model)
    tracker.init(frames[0].image, frames[0].box_xywh)
    assert not any(tracker.update(frame.image).lost for frame in frames[1:])
    empty = np.full_like(frames[0].image, 110)
    assert all(tracker.update(empty).lost for _ in range(10))


def allocated(runtime: str, rules: fear.TrackerConfig, loops: int) -> tuple[int, int]:
    """Bytes that are more in use after some loops over twenty frames than before, and the most in between."""
    frames = [frame.image for frame in render(Scene(frames=20, height=240, width=320))]
    tracker = fear.Tracker("fear-xs", runtime=runtime, config=rules)
    tracker.init(frames[0], (140, 100, 40, 40))
    for frame in frames * 12:  # until every cache is full
        tracker.update(frame)
    tracemalloc.start()
    try:
        for frame in frames * 2:
            tracker.update(frame)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for frame in frames * loops:
            tracker.update(frame)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before, peak - before


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_steady_state_allocates_next_to_nothing(runtime: str) -> None:
    """A frame of 230 kB leaves nothing behind, and needs no more than the network's answer and a few small arrays."""
    more, peak = allocated(runtime, fear.TrackerConfig(dynamic_template=False), loops=3)
    assert more < 8_000  # in sixty frames; the small change of Python and NumPy
    assert peak < 40_000


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_renewed_templates_leave_nothing_behind(runtime: str) -> None:
    """Twenty renewals, each with a crop of 49 kB and features of 66 kB; one crop may be kept for the next renewal."""
    more, _ = allocated(runtime, fear.TrackerConfig(update_interval=5), loops=5)
    assert more < 49_152 + 8_000


def test_track_function(tmp_path: object) -> None:
    frames = list(render(Scene(frames=6, height=180, width=320)))
    import cv2

    for number, frame in enumerate(frames):
        cv2.imwrite(f"{tmp_path}/{number}.png", frame.image[..., ::-1])
    tracks = list(fear.track(str(tmp_path), frames[0].box_xywh))
    assert [index for index, _ in tracks] == list(range(6))
    assert tracks[0][1] == fear.Track(frames[0].box_xywh, 1.0, 1.0, False)
    assert iou(tracks[5][1].box_xywh, frames[5].box_xywh) > 0.6
