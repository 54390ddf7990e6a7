from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fear.errors import FrameError
from fear.geometry.boxes import Box
from fear.geometry.window import Window, window_around
from fear.media.crop import crop
from fear.media.image import Image, mean_colour, require_frame
from fear.media.planes import Bgr

FILL = (10.0, 20.0, 30.0)
places = st.floats(-2000, 2000)
sides = st.floats(0.5, 3000)


def gradient(height: int = 200, width: int = 250) -> Image:
    """Red tells x, green tells y."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 1] = np.arange(width)[None], np.arange(height)[:, None]
    return image


@given(places, places, sides, sides, places, places, sides, sides)
def test_map_and_inverse(x: float, y: float, width: float, height: float, bx: float, by: float, bw: float, bh: float) -> None:
    window = Window(x, y, width, height, 256)
    there_and_back = window.to_frame(window.to_crop((bx, by, bw, bh)))
    assert there_and_back == pytest.approx((bx, by, bw, bh), rel=1e-6, abs=1e-6)


@given(places, places, sides, sides)
def test_box_sits_in_the_middle_of_its_window(x: float, y: float, w: float, h: float) -> None:
    box = window_around((x, y, w, h), 2.0, 256).to_crop((x, y, w, h))
    assert box == pytest.approx((102.4, 102.4, 51.2, 51.2), abs=1e-6)


@given(st.floats(20, 80), st.floats(20, 80), st.floats(32, 110), st.floats(32, 110))
def test_crop_shows_what_its_window_says(x: float, y: float, width: float, height: float) -> None:
    size = 64
    shown = crop(gradient(), Window(x, y, width, height, size), FILL).astype(float)
    # the centre of crop pixel u is at frame x + (u + 0.5)·width/size, and frame pixel k has its centre at k + 0.5
    u = np.arange(size) + 0.5
    assert np.abs(shown[..., 0] - (x + u * width / size - 0.5)[None, :]).max() < 1.1
    assert np.abs(shown[..., 1] - (y + u * height / size - 0.5)[:, None]).max() < 1.1


def test_crop_of_whole_pixels_is_exact() -> None:
    image = gradient()
    assert np.array_equal(crop(image, Window(30, 40, 64, 64, 64), FILL), image[40:104, 30:94])


@pytest.mark.parametrize(
    "window",
    [Window(x, y, 50, 50, 32) for x, y in ((-100, 0), (251, 0), (0, -60), (0, 201), (-1e6, -1e6))],
)
def test_wholly_outside_is_fill(window: Window) -> None:
    assert (crop(gradient(), window, FILL) == np.array(FILL)).all()


def test_partly_outside() -> None:
    shown = crop(gradient(), Window(-32, -32, 64, 64, 64), FILL)
    assert (shown[:31] == np.array(FILL)).all()
    assert (shown[:, :31] == np.array(FILL)).all()
    assert np.array_equal(shown[32:, 32:], gradient()[:32, :32])


@given(st.tuples(places, places, sides, sides))
def test_any_box_gives_a_crop(box: Box) -> None:
    assert crop(gradient(), window_around(box, 2.0, 32), FILL).shape == (32, 32, 3)


def test_reuses_a_buffer() -> None:
    buffer = np.empty((2, 32, 32, 3), np.uint8)
    window = Window(10, 10, 50, 50, 32)
    crop(gradient(), window, FILL, buffer[1])
    assert np.array_equal(buffer[1], crop(gradient(), window, FILL))


def test_mean_colour() -> None:
    assert mean_colour(gradient()) == pytest.approx((124.5, 99.5, 0))


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 1), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.uint16),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
        [[1, 2, 3]],
        None,
    ],
    ids=["grey", "grey with axis", "RGBA", "16 bits", "float", "empty", "list", "None"],
)
def test_foreign_frames(frame: Image) -> None:
    with pytest.raises(FrameError, match=r"uint8 RGB array of \(H, W, 3\); got"):
        require_frame(frame)


def test_frame_of_another_size() -> None:
    with pytest.raises(FrameError, match="size of the first, 250×200; got 100×50"):
        require_frame(gradient(50, 100), 200, 250)


@given(st.floats(0, 200), st.floats(0, 100), st.floats(100, 400), st.floats(100, 300))
def test_a_window_on_whole_pixels_shows_the_same_faster(x: float, y: float, width: float, height: float) -> None:
    rng = np.random.default_rng(0)
    frame = cv2.GaussianBlur(rng.integers(0, 256, (420, 640, 3), np.uint8), (0, 0), 2)
    window = Window(x, y, width, height, 96).on_pixels()
    assert all(abs(a - b) <= 1 for a, b in zip(window, (x, y, width, height), strict=False))
    assert window.whole_within(*frame.shape[:2])
    beyond = np.zeros((1000, 1000, 3), np.uint8)  # a larger frame, in which the window is moved by a fraction, goes the other way
    beyond[:420, :640] = frame
    moved = window._replace(x=window.x + 1e-6)
    fast, exact = (crop(beyond, w, (0.0, 0.0, 0.0)).astype(int) for w in (window, moved))
    inside = np.s_[1:-1, 1:-1]  # at its border a resize knows nothing of the pixel beyond
    assert np.abs(fast - exact)[inside].max() <= 3


def test_small_windows_keep_their_fractions() -> None:
    window = Window(10.3, 20.7, 40.2, 300.0, 96)
    assert window.on_pixels() == window


def test_crops_of_rgb_and_bgr_arrays_are_equal() -> None:
    """OpenCV rounds places by their distance from the corner of what it is given."""
    rng = np.random.default_rng(3)
    image = rng.integers(0, 255, (357, 643, 3), np.uint8)
    for _ in range(50):
        x, y, width, height = rng.uniform((-80, -80, 30, 30), (600, 330, 200, 200))
        window = Window(x, y, width, height, 128)
        bgr = Bgr(np.ascontiguousarray(image[..., ::-1]))
        assert (crop(image, window, (1, 2, 3)) == crop(bgr, window, (1, 2, 3))).all()
