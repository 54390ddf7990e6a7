from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fear.errors import BoxError
from fear.geometry.boxes import Box, clip_box, doubt, iou, parse_box, require_overlap, require_pixels

places = st.floats(-500, 1500)
sides = st.floats(0.01, 2000)
boxes = st.tuples(places, places, sides, sides)


@pytest.mark.parametrize(
    "box",
    [(1, 2, 3), (1, 2, 3, 4, 5), "abcd", (1, 2, None, 4), 7, (1, 2, 0, 4), (1, 2, 3, -4), (1, 2, math.nan, 4), (math.inf, 2, 3, 4), []],
)
def test_parse_refuses(box: object) -> None:
    with pytest.raises(BoxError, match="box"):
        parse_box(box)  # type: ignore[arg-type]


def test_parse_takes_arrays_and_strings() -> None:
    assert parse_box(np.array([1, 2, 3, 4])) == (1.0, 2.0, 3.0, 4.0)
    assert parse_box(["1", " 2.5", "3", "4"]) == (1.0, 2.5, 3.0, 4.0)


@pytest.mark.parametrize("box", [(100, 0, 5, 5), (0, 50, 5, 5), (-5, 0, 5, 5), (0, -5, 5, 5)])
def test_overlap_needs_a_part_of_the_frame(box: Box) -> None:
    with pytest.raises(BoxError, match="100×50"):
        require_overlap(box, height=50, width=100)


@pytest.mark.parametrize("box", [(99, 49, 5, 5), (-4.5, -4.5, 5, 5), (-1000, -1000, 5000, 5000)])
def test_overlap_of_a_pixel_is_enough(box: Box) -> None:
    require_overlap(box, height=50, width=100)


@given(boxes)
def test_clipped_box_lies_in_the_frame_and_in_the_box(box: Box) -> None:
    x, y, w, h = clip_box(box, height=360, width=640)
    assert 0 <= x <= x + w <= 640 + 1e-9
    assert 0 <= y <= y + h <= 360 + 1e-9
    assert w <= box[2] + 1e-9
    assert h <= box[3] + 1e-9


def test_clip_shortens_at_the_left_edge() -> None:
    """The published code keeps the full width of a box past the left edge."""
    assert clip_box((-10, 20, 30, 10), height=100, width=100) == (0, 20, 20, 10)


@given(boxes, boxes)
def test_iou_is_symmetric_and_bounded(a: Box, b: Box) -> None:
    value = float(iou(a, b))
    assert 0 <= value <= 1 + 1e-9
    assert value == pytest.approx(float(iou(b, a)))
    assert float(iou(a, a)) == pytest.approx(1)


@given(boxes, boxes, places, places)
def test_iou_does_not_move(a: Box, b: Box, dx: float, dy: float) -> None:
    moved = [(x + dx, y + dy, w, h) for x, y, w, h in (a, b)]
    assert float(iou(*moved)) == pytest.approx(float(iou(a, b)), abs=1e-6)


def test_iou_by_hand() -> None:
    assert iou([(0, 0, 2, 2), (0, 0, 2, 2), (0, 0, 0, 0)], [(1, 0, 2, 2), (5, 5, 1, 1), (0, 0, 0, 0)]).tolist() == pytest.approx(
        [1 / 3, 0, 0]
    )
    assert np.isnan(iou((math.nan,) * 4, (0, 0, 1, 1)))


def test_a_box_of_corners_and_a_box_of_one_pixel_are_doubted() -> None:
    hint = doubt((200, 100, 300, 170), height=180, width=320)
    assert "left, top, right, bottom" in hint
    assert hint.endswith("200,100,100,70")
    assert "shares" in doubt((0, 0, 1, 1), height=180, width=320)


@pytest.mark.parametrize(
    "box",
    [
        (200.0, 100.0, 100.0, 70.0),
        (300.0, 100.0, 40.0, 40.0),  # leaves the frame at the right, but is no box of corners
        (-20.0, 10.0, 60.0, 60.0),
        (0.0, 0.0, 320.0, 180.0),
        (10.0, 20.0, 310.0, 160.0),
        (200.0, 100.0, 400.0, 170.0),  # too wide for the frame in either reading
    ],
)
def test_ordinary_boxes_are_not_doubted(box: Box) -> None:
    assert doubt(box, height=180, width=320) == ""


def test_shares_of_the_frame_are_an_error_with_the_remedy() -> None:
    with pytest.raises(BoxError, match=r"multiply by width and height, which gives 160,45,32,36"):
        require_pixels((0.5, 0.25, 0.1, 0.2), height=180, width=320)
    require_pixels((0.0, 0.0, 1.0, 1.0), height=180, width=320)
    require_pixels((5.0, 5.0, 0.5, 0.5), height=180, width=320)
