"""What tells a thing from a piece of a wall."""

from __future__ import annotations

import numpy as np
import pytest

from fear.datasets.label import Followed, _stability
from fear.datasets.objectness import observe, separation
from fear.geometry.boxes import Box
from fear.media.image import Image
from fear.media.reader import Frame
from fear.tracking.protocol import SingleTarget

THING: Box = (60.0, 40.0, 30.0, 30.0)


def scene(shift: int = 0) -> Image:
    """A grey wall with grain, green on its right half, and an orange square, which moves."""
    image = np.random.default_rng(0).integers(100, 130, (120, 240, 3)).astype(np.uint8)
    image[:, 120:, 1] += 80
    image[40:70, 60 + shift : 90 + shift] = (230, 120, 20)
    return image


def test_a_thing_differs_on_all_sides_a_piece_of_wall_on_one() -> None:
    still = observe(scene(), scene())
    thing, wall, edge = (separation(still, box) for box in (THING, (10.0, 80.0, 30.0, 30.0), (120.0, 20.0, 60.0, 60.0)))
    assert thing > 0.3  # half of the measure is motion, of which there is none
    assert max(wall, edge) < thing / 3


def test_what_moves_by_itself_differs_more() -> None:
    still, moving = observe(scene(), scene()), observe(scene(), scene(6))
    assert separation(moving, THING) > separation(still, THING) + 0.1


def test_boxes_outside_the_picture_are_no_things() -> None:
    assert separation(observe(scene(), scene()), (300.0, 10.0, 20.0, 20.0)) == 0


class Settles:
    """Comes to the orange square from every box that overlaps it."""

    def init(self, frame: Image, box_xywh: Box) -> None:
        pass

    def update(self, frame: Image) -> Box:
        return THING


class Stays(Settles):
    """Stays where it was put."""

    def init(self, frame: Image, box_xywh: Box) -> None:
        self.box = box_xywh

    def update(self, frame: Image) -> Box:
        return self.box


@pytest.mark.parametrize(("tracker", "expected"), [(Settles(), 1.0), (Stays(), 0.0)])
def test_a_tracker_comes_back_to_a_thing_and_stays_anywhere_on_a_wall(tracker: Settles, expected: float) -> None:
    frames = [Frame(k, k / 30, scene()) for k in range(6)]
    track = Followed(np.array([THING] * 6), np.ones(6))
    assert _stability(SingleTarget(tracker), frames, track) == pytest.approx(expected)
