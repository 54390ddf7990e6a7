from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fear.geometry.window import Window
from fear.media.crop import crop
from fear.media.image import Image, mean_colour
from fear.media.planes import Yuv420, whole
from fear.media.reader import open_source
from fear.media.synthetic import Scene, render
from fear.media.writer import VideoWriter
from fear.tracking.tracker import Tracker

HEIGHT, WIDTH = 48, 64
Y, U, V = (
    np.random.default_rng(seed).integers(16, 236, (HEIGHT // share, WIDTH // share), np.uint8) for seed, share in enumerate((1, 2, 2))
)
RGB = np.asarray(cv2.cvtColor(np.concatenate([plane.ravel() for plane in (Y, U, V)]).reshape(-1, WIDTH), cv2.COLOR_YUV2RGB_I420), np.uint8)


def padded(plane: Image) -> Image:
    """As decoders give it: rows end in bytes that do not belong to the picture."""
    return np.pad(plane, ((0, 0), (0, 7)), constant_values=99)[:, : plane.shape[1]]


PICTURE = Yuv420(padded(Y), padded(U), padded(V))


@given(st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1)), st.tuples(st.integers(1, WIDTH), st.integers(1, HEIGHT)))
def test_any_part_is_what_the_whole_shows_there(corner: tuple[int, int], size: tuple[int, int]) -> None:
    left, top = corner
    right, bottom = min(left + size[0], WIDTH), min(top + size[1], HEIGHT)
    assert np.array_equal(PICTURE.part(left, top, right, bottom), RGB[top:bottom, left:right])


def test_the_whole() -> None:
    assert np.array_equal(whole(PICTURE), RGB)
    assert whole(RGB) is RGB
    assert PICTURE.shape == RGB.shape
    assert mean_colour(PICTURE) == mean_colour(RGB)


@given(
    st.tuples(st.floats(-90, 90), st.floats(-90, 90)),
    st.tuples(st.floats(2, 120), st.floats(2, 120)),
    st.booleans(),
)
def test_crops_are_those_of_the_rgb_frame(corner: tuple[float, float], size: tuple[float, float], on_pixels: bool) -> None:
    """Inside the frame, across its borders, and where nothing of it is seen."""
    window = Window(corner[0], corner[1], size[0], size[1], 32)
    if on_pixels:
        window = Window(round(window.x), round(window.y), round(window.width), round(window.height), 32)
    expected = crop(RGB, window, (1, 2, 3)).astype(int)
    assert np.abs(crop(PICTURE, window, (1, 2, 3)) - expected).max() <= 1


def test_a_track_through_planes_is_that_through_pictures(tmp_path: Path) -> None:
    rendered = list(render(Scene(frames=12, height=180, width=320)))
    with VideoWriter(tmp_path / "clip.mp4", 30) as writer:
        for index, scene in enumerate(rendered):
            writer.write(scene.image, index / 30)
    planes, pictures = Tracker(runtime="onnx", threads=1), Tracker(runtime="onnx", threads=1)
    with open_source(tmp_path / "clip.mp4") as frames:
        for frame in frames:
            assert isinstance(frame.picture, Yuv420)
            if frame.index == 0:
                planes.init(frame.picture, rendered[0].box_xywh)
                pictures.init(frame.image, rendered[0].box_xywh)
            else:
                expected = pictures.update(frame.image)
                assert planes.update(frame.picture).box_xywh == pytest.approx(expected.box_xywh, abs=0.05)
                assert expected.score > 0.5


@pytest.mark.parametrize("height", [480, 720])
def test_a_frame_of_a_file_shows_as_a_whole_what_its_parts_show(tmp_path: Path, height: int) -> None:
    """From 720 rows on, videos are coded by BT.709, which is converted in another way."""
    noise = np.random.default_rng(5).integers(0, 256, (height, 128, 3), np.uint8)
    with VideoWriter(tmp_path / "x.mp4", quality=10) as writer:
        writer.write(noise, 0)
    with open_source(tmp_path / "x.mp4") as source:
        (frame,) = source
    assert isinstance(frame.picture, Yuv420)
    shown = whole(frame.picture)
    for left, top, right, bottom in ((0, 0, 127, height), (3, 5, 60, 90), (64, 100, 128, 333)):
        assert np.array_equal(frame.picture.part(left, top, right, bottom), shown[top:bottom, left:right])


def test_frames_outlive_their_source(tmp_path: Path) -> None:
    """Planes belong to the decoder's own memory, which must not be used again while somebody looks at them."""
    with VideoWriter(tmp_path / "clip.mp4", 30, quality=1) as writer:
        for index in range(40):
            writer.write(np.full((64, 96, 3), index * 6, np.uint8), index / 30)
    with open_source(tmp_path / "clip.mp4") as source:
        frames = list(source)
    for index, frame in enumerate(frames):
        assert abs(float(frame.image.mean()) - index * 6) < 4
        assert frame.image is frame.image
