"""A lost target keeps its box, is looked for in the whole picture, and is found again only where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fear import Tracker, TrackerConfig
from fear.config import FEAR_XS
from fear.geometry.boxes import Box, iou
from fear.loading.load import load
from fear.media.image import Image
from fear.media.synthetic import Scene, render
from fear.runtime.protocol import Crops, Floats, Maps, Network
from fear.tracking.presence import Presence
from fear.tracking.redetection import Redetection
from scripted_network import ScriptedNetwork

RULES = TrackerConfig()
SIZE = (25.6, 25.6, 25.6, 25.6)
SCENE = Scene(frames=12, height=240, width=320, distractor=False, occlusion=False)


class Counting:
    """A network that counts the pixels which it searches."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.config, self.dynamic_weight = network.config, network.dynamic_weight
        self.pixels = 0

    def encode_template(self, template_crops: Crops) -> Floats:
        return self._network.encode_template(template_crops)

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        self.pixels += search_crops.shape[0] * search_crops.shape[1] * search_crops.shape[2]
        return self._network.match(search_crops, template_features)


def rendered() -> tuple[list[Image], Box]:
    frames = list(render(SCENE))
    return [frame.image for frame in frames], frames[0].box_xywh


def test_a_target_is_lost_after_some_doubtful_frames_and_not_before() -> None:
    presence = Presence(RULES, usual=0.9)
    presence.observe(0.99, 0.9)
    for _ in range(RULES.doubt_frames - 1):
        assert presence.observe(0.1, 0.9)
    assert not presence.lost
    assert not presence.observe(0.99, 0.9)  # one sure frame, and doubt begins again
    for _ in range(RULES.doubt_frames):
        presence.observe(0.1, 0.9)
    assert presence.lost


def test_similarity_counts_against_what_is_usual_for_the_target() -> None:
    plain, peculiar = Presence(RULES, usual=0.9), Presence(RULES, usual=0.6)
    for _ in range(50):
        plain.observe(0.99, 0.9)
        peculiar.observe(0.99, 0.5)
    assert plain.is_doubtful(0.9, 0.5)
    assert not peculiar.is_doubtful(0.9, 0.5)
    assert not plain.is_doubtful(0.99, 0.6)  # with a very high score, a target may look different
    assert plain.is_doubtful(0.99, 0.4)  # but not as different as this


def test_a_target_that_looks_like_another_object_is_not_found_where_it_was() -> None:
    presence = Presence(RULES, usual=0.8)
    assert presence.is_found(0.99, 0.6, elsewhere=False)
    assert not presence.is_found(0.99, 0.3, elsewhere=False)
    assert not presence.is_found(0.99, 0.6, elsewhere=True)


@pytest.mark.parametrize("box", [(10.0, 20.0, 30.0, 40.0), (300.0, 200.0, 8.0, 8.0), (-20.0, -20.0, 400.0, 300.0), (0.0, 0.0, 3.0, 3.0)])
def test_searches_cover_the_whole_picture_nearest_first(box: Box) -> None:
    height, width = 240, 320
    redetection = Redetection(box, height, width, RULES, FEAR_XS)
    places = [window for _ in range(12_000) for window in redetection.windows()]
    seen = np.zeros((height, width), bool)
    for window in places:
        top, left = max(0, int(window.y)), max(0, int(window.x))
        seen[top : max(0, int(window.y + window.height)), left : max(0, int(window.x + window.width))] = True
        if seen.all():
            break
    assert seen.all()
    centre = np.array((box[0] + box[2] / 2, box[1] + box[3] / 2))
    distances = [np.hypot(*(np.array((w.x + w.width / 2, w.y + w.height / 2)) - centre)) for w in places[:2]]
    assert distances[0] <= distances[1] + 1


def test_a_candidate_is_looked_at_again_before_it_counts() -> None:
    redetection = Redetection((10, 10, 20, 20), 100, 100, replace(RULES, found_frames=2), FEAR_XS)
    redetection.propose((50, 50, 20, 20))
    assert redetection.windows() == []
    assert not redetection.confirm((50, 50, 20, 20))
    assert redetection.confirm((51, 50, 20, 20))
    redetection.drop()
    assert len(redetection.windows()) > 0


def test_the_looks_at_a_candidate_have_to_follow_one_another() -> None:
    redetection = Redetection((10, 10, 20, 20), 100, 100, replace(RULES, found_frames=2), FEAR_XS)
    assert not redetection.confirm((10, 10, 20, 20))
    redetection.drop()
    assert not redetection.confirm((10, 10, 20, 20))


@pytest.mark.parametrize("model", ["fear-xs", "fear-nano"])
def test_a_scene_cut_right_after_the_first_frame_is_lost(model: str) -> None:
    images, box = rendered()
    random = np.random.default_rng(1)
    blocks = random.integers(0, 256, (12, 16, 3), np.uint8).repeat(20, axis=0).repeat(20, axis=1)  # another scene
    tracker = Tracker(model, runtime="onnx")
    tracker.init(images[0], box)
    tracks = [tracker.update(blocks) for _ in range(14)]
    assert all(track.lost for track in tracks[RULES.doubt_frames - 1 :])


def test_a_doubtful_target_is_lost_at_once_where_the_scene_is_cut() -> None:
    """Without the cut its box follows what is found, which may be an object of the new scene."""
    scene, other = (np.random.default_rng(seed).integers(0, brightest, (200, 300, 3), np.uint8) for seed, brightest in ((1, 255), (2, 80)))
    answers = [(0.99, SIZE, (8, 8)), (0.99, SIZE, (8, 8)), (0.4, SIZE, (8, 9))]  # the last one is found elsewhere
    for now, is_lost in ((other, True), (scene, False)):
        tracker = Tracker(ScriptedNetwork(answers.__getitem__), config=replace(RULES, window=0.0))
        tracker.init(scene, (100, 50, 40, 20))
        before = tracker.update(scene)
        track = tracker.update(now)
        assert track.lost
        assert (track.box_xywh == pytest.approx(before.box_xywh)) == is_lost


def test_a_target_that_is_there_in_both_scenes_is_not_lost() -> None:
    presence = Presence(RULES, usual=0.9)
    assert not presence.observe(0.99, 0.9, cut=True)
    assert not presence.lost


def test_a_candidate_of_quite_another_size_is_not_plausible() -> None:
    redetection = Redetection((10, 10, 20, 20), 100, 100, RULES, FEAR_XS)
    assert redetection.is_plausible((0, 0, 25, 15))
    assert not redetection.is_plausible((0, 0, 80, 20))
    assert not redetection.is_plausible((0, 0, 20, 4))


@pytest.mark.parametrize("level", [0, 128, 255], ids=["black", "grey", "white"])
@pytest.mark.parametrize("model", ["fear-xs", "fear-nano"])
def test_twenty_empty_frames_over_a_target_that_did_not_move_do_not_lose_it(model: str, level: int) -> None:
    images, box = rendered()
    tracker = Tracker(model, runtime="onnx")
    tracker.init(images[0], box)
    for _ in range(5):
        before = tracker.update(images[0])
    empty = [tracker.update(np.full_like(images[0], level)) for _ in range(20)]
    assert all(track.lost for track in empty[RULES.doubt_frames :])
    after = [tracker.update(images[0]) for _ in range(RULES.found_frames + 1)][-1]
    assert not after.lost
    assert float(iou(after.box_xywh, before.box_xywh)) > 0.8


@pytest.mark.parametrize("kind", ["blank", "dark", "noisy", "foreign"])
def test_nothing_is_found_in_frames_that_show_nothing_of_the_target(kind: str) -> None:
    images, box = rendered()
    random = np.random.default_rng(0)
    other = next(render(Scene(frames=1, height=240, width=320, distractor=False, occlusion=False, size=0.02, seed=99))).image
    pictures: dict[str, Callable[[], Image]] = {
        "blank": lambda: np.full_like(images[0], 90),
        "dark": lambda: random.integers(0, 6, images[0].shape, np.uint8),
        "noisy": lambda: random.integers(0, 256, images[0].shape, np.uint8),
        "foreign": lambda: other,
    }
    tracker = Tracker("fear-xs", runtime="onnx")
    tracker.init(images[0], box)
    for image in images[1:]:
        tracker.update(image)
    tracks = [tracker.update(pictures[kind]()) for _ in range(60)]
    assert all(track.lost for track in tracks[RULES.doubt_frames :])


def test_a_target_that_comes_back_elsewhere_is_found() -> None:
    image, box = rendered()[0][0], rendered()[1]
    empty = np.full_like(image, 100)
    x, y, w, h = (round(value) for value in box)
    patch = image[y - 8 : y + h + 8, x - 8 : x + w + 8]
    elsewhere = empty.copy()
    elsewhere[150 : 150 + patch.shape[0], 230 : 230 + patch.shape[1]] = patch
    start = empty.copy()
    start[y - 8 : y + h + 8, x - 8 : x + w + 8] = patch
    overlaps = {}
    for redetection in (True, False):
        tracker = Tracker("fear-xs", runtime="onnx", config=TrackerConfig(redetection=redetection))
        tracker.init(start, box)
        for shown, count in ((start, 5), (empty, 20), (elsewhere, 30)):
            for _ in range(count):
                track = tracker.update(shown)
        overlaps[redetection] = float(iou(track.box_xywh, (238, 158, w, h)))
    assert overlaps[True] > 0.6
    assert overlaps[False] < 0.3  # it is too far away for the local search


@pytest.mark.parametrize("work", [1, 2, 3, 5])
def test_the_work_of_a_frame_while_lost_is_bounded(work: int) -> None:
    images, box = rendered()
    network = Counting(load("fear-xs", runtime="onnx"))
    tracker = Tracker(network, config=TrackerConfig(redetection_work=work))
    tracker.init(images[0], box)
    for _ in range(RULES.doubt_frames + 10):
        network.pixels = 0
        track = tracker.update(np.zeros_like(images[0]))
    assert track.lost
    assert network.pixels == work * 144**2  # the search of a steady target has 144 pixels a side


@pytest.mark.parametrize("side", [1e-300, 1e-5, 2.0])
def test_a_tiny_target_in_a_large_picture_is_looked_for_around_its_place(side: float) -> None:
    """Windows over the whole picture would be millions: seconds, and the memory of the machine."""
    redetection = Redetection((3000.0, 50.0, side, side), 2160, 3840, RULES, FEAR_XS)
    for _ in range(3):
        for window in redetection.windows():
            assert abs(window.x + window.width / 2 - 3000) <= 3 * max(side, 1)
            assert abs(window.y + window.height / 2 - 50) <= 3 * max(side, 1)
    assert len(list(redetection._round(1.0))) == 128 * 128
