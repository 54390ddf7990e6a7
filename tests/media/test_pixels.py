"""Operations on pixels without OpenCV give what they give with it."""

from __future__ import annotations

import inspect
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import fear
from fear.datasets.files import read_boxes
from fear.errors import RuntimeMissingError
from fear.geometry.boxes import iou
from fear.geometry.window import Window
from fear.media import pixels
from fear.media.image import Image, read_image
from fear.media.matrices import CHANGES, Matrix
from fear.media.opencv import require_opencv
from fear.media.pixels import with_opencv, without_opencv
from fear.media.synthetic import Scene, render
from fear.tracking.track import Track

NOISE = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
SMOOTH = np.asarray(cv2.GaussianBlur(NOISE, (0, 0), 3), np.uint8)
FILL = (11.4, 200.6, 77.0)
MATRICES = pytest.mark.parametrize("matrix", list(Matrix))


def difference(first: Image, second: Image) -> NDArray[np.int64]:
    return np.abs(first.astype(np.int64) - second.astype(np.int64))


@settings(deadline=None)  # the first crop sets up a graph
@given(
    st.tuples(st.floats(-200, 200), st.floats(-200, 200)),
    st.tuples(st.floats(0.5, 400), st.floats(0.5, 400)),
    st.sampled_from((2, 31, 32, 64, 128)),
    st.booleans(),
)
def test_crops_differ_by_one_level_at_most(corner: tuple[float, float], size: tuple[float, float], side: int, whole: bool) -> None:
    window = Window(*corner, *size, side)
    if whole:
        window = Window(round(corner[0]), round(corner[1]), round(size[0]) + 1, round(size[1]) + 1, side)
    expected = with_opencv.cut(NOISE, window, FILL)
    assert difference(without_opencv.cut(NOISE, window, FILL), expected).max() <= 1
    out = np.empty_like(expected)
    assert without_opencv.cut(NOISE, window, FILL, out) is out
    assert difference(out, expected).max() <= 1


@pytest.mark.parametrize("width", [30, 32, 34, 160])
@pytest.mark.parametrize("height", [31, 32, 33, 120])
def test_crops_one_side_of_which_stays_as_it_is(width: int, height: int) -> None:
    """Resize tells the axis of the channels by a length that does not change."""
    for x, y in ((0, 0), (0.0, 0.3), (-10, -10), (150, 100)):
        window = Window(x, y, width, height, 32)
        assert difference(without_opencv.cut(NOISE, window, FILL), with_opencv.cut(NOISE, window, FILL)).max() <= 1, window


def test_both_ways_have_the_same_functions() -> None:
    for name in pixels.__all__:
        ways = [getattr(module, name) for module in (with_opencv, without_opencv)]
        if name != "BACKEND":
            assert inspect.signature(ways[0]) == inspect.signature(ways[1]), name
        assert getattr(pixels, name) is ways[0]


@MATRICES
def test_colours(matrix: Matrix) -> None:
    planes = with_opencv.planes_of_rgb(SMOOTH, matrix)
    for ours, theirs in zip(without_opencv.planes_of_rgb(SMOOTH, matrix), planes, strict=True):
        assert difference(ours, theirs).max() <= 4  # OpenCV takes the colour of one pixel of four
        assert difference(ours, theirs).mean() < 1
    assert difference(without_opencv.rgb_of_planes(*planes, matrix), with_opencv.rgb_of_planes(*planes, matrix)).max() <= 3
    changed = [[plane.copy() for plane in planes] for _ in range(2)]
    without_opencv.add_colours(changed[0][0], changed[0][1], changed[0][2], CHANGES[matrix])
    with_opencv.add_colours(changed[1][0], changed[1][1], changed[1][2], CHANGES[matrix])
    for ours, theirs in zip(*changed, strict=True):
        assert difference(ours, theirs).max() <= 1


@MATRICES
@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 49), st.integers(1, 29))
def test_a_part_of_planes_is_what_the_whole_shows_there(matrix: Matrix, left: int, top: int, width: int, height: int) -> None:
    planes = with_opencv.planes_of_rgb(NOISE, matrix)
    whole = without_opencv.rgb_of_planes(*planes, matrix)
    part = [plane[top * k : (top + height) * k, left * k : (left + width) * k] for plane, k in zip(planes, (2, 1, 1), strict=True)]
    shown = whole[2 * top : 2 * (top + height), 2 * left : 2 * (left + width)]
    assert difference(without_opencv.rgb_of_planes(part[0], part[1], part[2], matrix), shown).max() <= 2


def test_whole_pictures() -> None:
    assert without_opencv.mean(NOISE) == pytest.approx(with_opencv.mean(NOISE))
    assert difference(without_opencv.shrink(NOISE, 40, 53), with_opencv.shrink(NOISE, 40, 53)).max() <= 1
    assert np.array_equal(without_opencv.transpose(NOISE), with_opencv.transpose(NOISE))
    for way in ((True, False), (False, True), (True, True)):
        assert np.array_equal(without_opencv.flip(NOISE, *way), with_opencv.flip(NOISE, *way))
    assert difference(without_opencv.rgb_of_hsv(NOISE % 180), with_opencv.rgb_of_hsv(NOISE % 180)).max() <= 1
    rows = np.random.default_rng(1).random((3, 3)).astype(np.float32)
    light = NOISE.astype(np.float32)
    assert without_opencv.mix_channels(light, rows) == pytest.approx(with_opencv.mix_channels(light, rows), rel=1e-5)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif", ".webp"])
def test_picture_files(suffix: str, tmp_path: Path) -> None:
    kinds: dict[str, NDArray[Any]] = {"colour": SMOOTH, "grey": SMOOTH[..., 0]}
    if suffix in (".png", ".tif"):
        kinds |= {"with transparency": np.dstack((SMOOTH, NOISE[..., 0])), "grey of 16 bits": SMOOTH[..., 0].astype(np.uint16) * 257}
    for name, picture in kinds.items():
        path = tmp_path / f"{name}{suffix}"
        assert cv2.imwrite(str(path), picture)
        data = np.fromfile(path, np.uint8)
        ours, theirs = without_opencv.decode(data), with_opencv.decode(data)
        assert ours is not None, name
        assert theirs is not None, name
        assert difference(ours, theirs).max() <= 1, name
        assert without_opencv.is_picture(path)
        assert without_opencv.decode(data[:20]) is None
    (tmp_path / f"x{suffix}").write_bytes(b"none")
    assert not without_opencv.is_picture(tmp_path / f"x{suffix}")


def test_pictures_that_a_camera_stored_on_their_side_are_turned(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    tags = Pillow.Exif()
    tags[0x0112] = 6  # orientation: turn by 90 degrees
    Pillow.fromarray(NOISE).save(tmp_path / "a.jpg", exif=tags)
    data = np.fromfile(tmp_path / "a.jpg", np.uint8)
    ours, theirs = without_opencv.decode(data), with_opencv.decode(data)
    assert ours is not None
    assert theirs is not None
    assert ours.shape == theirs.shape == (160, 120, 3)
    assert difference(ours, theirs).mean() < 1


def test_written_pictures_and_animations(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    for module in (with_opencv, without_opencv):
        for suffix in (".jpg", ".png"):
            (tmp_path / f"a{suffix}").write_bytes(module.encode(SMOOTH, suffix) or b"")
            assert difference(read_image(tmp_path / f"a{suffix}"), SMOOTH).mean() < 2
        assert module.encode(SMOOTH, ".none") is None
    frames = [Pillow.fromarray(np.full((8, 8, 3), level, np.uint8)) for level in (0, 100, 200)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], duration=40, lossless=True)
    data = np.fromfile(tmp_path / "a.webp", np.uint8)
    for module in (with_opencv, without_opencv):
        animation = module.decode_animation(data)
        assert animation is not None
        assert [int(image.mean()) for image in animation[0]] == [0, 100, 200]
        assert animation[1] == [40, 40, 40]
        assert module.decode_animation(data[:30]) is None


def use(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the ways without OpenCV are taken."""
    for name in pixels.__all__:
        monkeypatch.setattr(pixels, name, getattr(without_opencv, name))


def test_drawings_look_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.full((240, 320, 3), (90, 120, 150), np.uint8)
    tracks = [Track((40.3, 60.7, 100.2, 80.9), 0.87, 1.0, False, 0), Track((200, 4, 60, 70), 0.2, 1.0, True, 1)]
    tracks.append(Track((-30.0, -20.0, 500.0, 400.0), 0.5, 1.0, False, 2))
    expected = fear.draw_tracks(image, tracks)
    use(monkeypatch)
    drawn = fear.draw_tracks(image, tracks)
    assert difference(drawn, image).mean() == pytest.approx(difference(expected, image).mean(), rel=0.2)
    assert (difference(drawn, expected).max(2) > 60).mean() < 0.02
    outside = fear.draw_tracks(image, [Track((1000.0, 1000.0, 10.0, 10.0), 0.5, 1.0, False, 0)])
    assert outside.shape == image.shape


def test_rendered_clips_look_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(frames=2, height=120, width=160)
    expected = list(render(scene))
    use(monkeypatch)
    for ours, theirs in zip(render(scene), expected, strict=True):
        assert ours.box_xywh == theirs.box_xywh
        assert difference(ours.image, theirs.image).mean() < 4


RUN = """
import sys
sys.modules["cv2"] = None  # an import of OpenCV raises ImportError
from fear.cli import app
app(sys.argv[1:])
"""


def test_without_opencv_a_clip_gives_the_same_boxes(tmp_path: Path) -> None:
    clip, boxes, drawn = tmp_path / "clip.mp4", tmp_path / "boxes.txt", tmp_path / "drawn.mp4"
    scene = Scene(frames=30, height=240, width=320)
    rendered = list(render(scene))
    with fear.VideoWriter(clip, 30) as writer:
        for index, frame in enumerate(rendered):
            writer.write(frame.image, index / 30)
    box = rendered[0].box_xywh
    expected = np.array([track.box_xywh for _, track in fear.track(clip, box, model="fear-nano", runtime="onnx", threads=1)])
    words = ["track", str(clip), "--box", ",".join(map(str, box)), "--boxes", str(boxes), "--output", str(drawn)]
    run = [sys.executable, "-c", RUN, *words, "--model", "fear-nano", "--runtime", "onnx", "--threads", "1", "--quiet"]
    done = subprocess.run(run, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert drawn.stat().st_size > 1000
    overlaps = iou(read_boxes(boxes), expected)  # a level of one pixel can move the best cell, and a box follows its cell
    assert overlaps.min() > 0.9
    assert overlaps.mean() > 0.98


def test_what_needs_opencv_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(RuntimeMissingError, match=r"opencv:csrt: expected OpenCV.*pip install opencv-python-headless"):
        require_opencv("opencv:csrt")
    monkeypatch.delitem(sys.modules, "cv2")
    (tmp_path / "cv2").mkdir()  # what is left where another package of OpenCV was removed
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(RuntimeMissingError, match="opencv:csrt: expected OpenCV, got an empty folder cv2"):
        require_opencv("opencv:csrt")


def test_the_graphs_are_those_of_their_script(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    folder = Path(pixels.__file__).parent
    runpy.run_path(str(Path(__file__).parents[2] / "scripts/make_resampling.py"))["main"](tmp_path)
    for made in tmp_path.iterdir():
        packaged = onnx.load(folder / made.name)
        assert onnx.load(made).graph == packaged.graph, made.name
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in folder.glob("*.onnx")}
