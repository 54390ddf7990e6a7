"""Several targets stay several: an object that belongs to one is not given to another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from fear import BoxError, FearError, MultiTracker, TrackerConfig
from fear.config import FEAR_XS, STRIDE
from fear.datasets import read
from fear.geometry.boxes import Box, iou
from fear.media.image import Image
from fear.runtime.protocol import Crops, Floats, Maps
from fear.tracking.assignment import Option, affinity, assign, belongs_to, in_conflict
from scripted_network import ScriptedNetwork

FRAME = np.zeros((200, 300, 3), np.uint8)
A, NEAR_A, B = (10.0, 10.0, 20.0, 20.0), (11.0, 10.0, 20.0, 20.0), (100.0, 10.0, 20.0, 20.0)


def test_an_object_goes_to_the_target_that_it_suits_better() -> None:
    assert assign({0: [Option(A, 0.9)], 1: [Option(NEAR_A, 0.5), Option(B, 0.4)]}) == {0: 0, 1: 1}
    assert assign({0: [Option(A, 0.5)], 1: [Option(NEAR_A, 0.9), Option(B, 0.4)]}) == {0: None, 1: 0}
    assert assign({0: [Option(A, 0.9)], 1: [Option(NEAR_A, 0.5), Option(B, 0.0)]}) == {0: 0, 1: None}
    assert assign({0: [Option(A, 0.9)], 1: [Option(A, 0.9)]}) == {0: 0, 1: None}  # of equals the first


def test_targets_apart_keep_their_best_peaks() -> None:
    assert assign({3: [Option(A, 0.1), Option(B, 0.05)], 8: [Option(B, 0.9)]}) == {3: 0, 8: 0}
    assert not in_conflict([A, B])
    assert in_conflict([A, B, NEAR_A])
    assert belongs_to(NEAR_A, [B, A])


def test_a_peak_nearer_to_where_the_target_is_expected_suits_it_better() -> None:
    near, far = (affinity(box, A, 0.9, 1.0) for box in (NEAR_A, B))
    assert near > far
    assert affinity(A, A, 0.9, 0.5) < affinity(A, A, 0.9, 1.0)
    assert affinity(A, A, 0.9, -1.0) == 0


def twins(frames: int = 60) -> Iterator[tuple[Image, Box, Box]]:
    """Two discs of one texture cross behind a post, each at a constant speed."""
    random = np.random.default_rng(5)
    ground = cv2.resize(random.integers(70, 130, (12, 20, 3), np.uint8), (400, 240), interpolation=cv2.INTER_CUBIC)
    texture = cv2.resize(random.integers(0, 256, (5, 5, 3), np.uint8), (40, 40), interpolation=cv2.INTER_NEAREST)
    disc = np.zeros((40, 40), np.uint8)
    cv2.circle(disc, (20, 20), 19, 255, cv2.FILLED)
    for index in range(frames):
        image = np.asarray(ground, np.uint8).copy()
        boxes = []
        for x, y in ((60 + 4 * index, 96), (300 - 4 * index, 112)):
            image[y : y + 40, x : x + 40][disc > 0] = texture[disc > 0]
            boxes.append((float(x), float(y), 40.0, 40.0))
        image[:, 194:206] = (90, 60, 40)
        yield image, boxes[0], boxes[1]


def test_crossing_twins_end_on_their_own_ways() -> None:
    clip = list(twins())
    tracker = MultiTracker("fear-xs", runtime="onnx")
    tracker.init(clip[0][0], clip[0][1:])
    for image, *_ in clip[1:]:
        tracks = tracker.update(image)
    for track, box in zip(tracks, clip[-1][1:], strict=True):
        assert float(iou(track.box_xywh, box)) > 0.5
        assert not track.lost


def test_two_runners_end_on_their_own_boxes(sequences: Path) -> None:
    """The first runner is hidden behind a post while the second passes; her own true box is only known in the first frame."""
    (clip,) = read("folder", sequences, ["OTB_Jogging1"])
    frames = [frame.image for frame in clip]
    tracker = MultiTracker("fear-xs", runtime="onnx")
    tracker.init(frames[0], [clip.boxes_xywh[0].tolist(), (180, 79, 37, 114)])
    for frame in frames[1:]:
        tracks = tracker.update(frame)
    assert float(iou(tracks[0].box_xywh, clip.boxes_xywh[-1])) > 0.5
    assert float(iou(tracks[1].box_xywh, (160, 86, 40, 112))) > 0.5  # read off the last frame
    assert not any(track.lost for track in tracks)


class ColourNetwork:
    """Finds every object of the colour that the middle of its template has."""

    config, dynamic_weight = FEAR_XS, 0.0

    def encode_template(self, template_crops: Crops) -> Floats:
        features = np.zeros((1, self.config.width, 8, 8), np.float32)
        features[:, :3] = template_crops[0, 64, 64].reshape(3, 1, 1)
        return features

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        count, cells = len(search_crops), search_crops.shape[1] // STRIDE
        scores = np.full((count, 1, cells, cells), 0.01, np.float32)
        boxes = np.ones((count, 4, cells, cells), np.float32)
        embeddings = np.zeros((count, self.config.width), np.float32)
        for row, crop in enumerate(search_crops):
            colour = template_features[min(row, len(template_features) - 1), :3, 0, 0]
            mask = (np.abs(crop.astype(np.float32) - colour).sum(axis=2) < 60).astype(np.uint8)
            number, _, found, _ = cv2.connectedComponentsWithStats(mask)
            embeddings[row, :3] = colour if number > 1 else colour[::-1] * (1, 1, -1)
            for x, y, width, height, area in found[1:]:
                column, line = (min(max(round((start + size / 2) / STRIDE), 0), cells - 1) for start, size in ((x, width), (y, height)))
                if area > 60:
                    scores[row, 0, line, column] = 0.97
                    at_x, at_y = column * STRIDE, line * STRIDE
                    boxes[row, :, line, column] = (at_x - x, at_y - y, x + width - at_x, y + height - at_y)
        return Maps(scores, boxes, embeddings)


def squares(*places: tuple[int, int]) -> Image:
    """Red squares of 40 pixels on black."""
    image = np.zeros((300, 500, 3), np.uint8)
    for x, y in places:
        image[y : y + 40, x : x + 40] = (220, 40, 40)
    return image


def two_squares(*places: tuple[int, int]) -> MultiTracker:
    """A tracker of two squares, which were at these places for some frames."""
    tracker = MultiTracker(ColourNetwork())
    tracker.init(squares(*places), [(*place, 40, 40) for place in places])
    for _ in range(5):
        tracker.update(squares(*places))
    return tracker


def test_one_object_is_not_found_for_two_lost_targets() -> None:
    tracker = two_squares((60, 130), (400, 130))
    assert all([tracker.update(squares()) for _ in range(20)][-1])
    tracks = [tracker.update(squares((230, 130))) for _ in range(14)][-1]
    winner, loser = sorted(tracks, key=lambda track: track.lost)
    assert (winner.lost, loser.lost) == (False, True)
    home = ((60, 130, 40, 40), (400, 130, 40, 40))[loser.id]
    assert float(iou(loser.box_xywh, home)) > 0.8  # it keeps its own place
    back = [tracker.update(squares((230, 130), (int(home[0]), 130))) for _ in range(12)][-1]
    assert not any(track.lost for track in back)
    assert [track.id for track in back] == [0, 1]


def test_a_lost_target_does_not_take_an_object_that_moves_fast() -> None:
    tracker = two_squares((20, 130), (250, 230))
    assert [track.lost for track in [tracker.update(squares((20, 130))) for _ in range(20)][-1]] == [False, True]
    for x in range(40, 400, 20):
        followed, hidden = tracker.update(squares((x, 130)))
        assert (followed.lost, hidden.lost) == (False, True)
        assert float(iou(followed.box_xywh, (x, 130, 40, 40))) > 0.6
        assert float(iou(hidden.box_xywh, (250, 230, 40, 40))) > 0.8


def test_a_lost_target_is_found_beside_one_of_its_kind_that_is_followed() -> None:
    tracker = two_squares((60, 130), (160, 130))
    for _ in range(20):
        tracker.update(squares())
    for _ in range(60):
        tracks = tracker.update(squares((300, 200), (340, 120)))
    assert not any(track.lost for track in tracks)
    assert float(iou(tracks[0].box_xywh, tracks[1].box_xywh)) < 0.1


def test_targets_come_and_go_under_stable_ids() -> None:
    tracker = MultiTracker(ScriptedNetwork(), config=TrackerConfig())
    tracker.init(FRAME, [(20, 20, 20, 20), (200, 20, 20, 20)])
    assert [track.id for track in tracker.update(FRAME)] == [0, 1]
    assert tracker.add(FRAME, (120, 120, 30, 30)) == 2
    tracker.remove(1)
    assert [track.id for track in tracker.update(FRAME)] == [0, 2]
    assert tracker.add(FRAME, (200, 20, 20, 20)) == 3
    assert [track.id for track in tracker.update(FRAME)] == [0, 2, 3]
    with pytest.raises(BoxError, match=r"expected the id of a target \(0, 2, 3\), got 1"):
        tracker.remove(1)
    for number in (0, 2, 3):
        tracker.remove(number)
    assert tracker.update(FRAME) == []


def test_a_target_can_be_added_to_a_tracker_without_any() -> None:
    tracker = MultiTracker(ScriptedNetwork())
    with pytest.raises(FearError, match="init"):
        tracker.update(FRAME)
    assert tracker.add(FRAME, (20, 20, 20, 20)) == 0
    assert len(tracker.update(FRAME)) == 1


def test_frames_of_opencv_give_the_tracks_of_rgb_frames() -> None:
    clip = list(twins(8))
    tracks = []
    for colour in ("rgb", "bgr"):
        tracker = MultiTracker("fear-xs", runtime="onnx", colour=colour)
        pictures = [image if colour == "rgb" else np.ascontiguousarray(image[..., ::-1]) for image, *_ in clip]
        tracker.init(pictures[0], [*clip[0][1:], (-7.3, 2.9, 41.7, 33.1)])  # searches of the last one reach over the border
        tracks.append([tracker.update(picture) for picture in pictures[1:]])
    assert tracks[0] == tracks[1]
