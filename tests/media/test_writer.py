"""What is written: from time 0 on, colours and pixels in their shape, with the sound of the source."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from clips import picture, read, write_clip
from fear.annotations.draw import draw_tracks
from fear.errors import FrameError, VideoError
from fear.media.colours import change_matrix
from fear.media.image import Image
from fear.media.matrices import Matrix, usual_matrix
from fear.media.pixels import planes_of_rgb, rgb_of_planes
from fear.media.planes import Yuv420, whole
from fear.media.reader import open_source
from fear.media.writer import VideoWriter
from fear.tracking.track import Track


def copy(source: Path, target: Path, sound: bool = True) -> Path:
    """Reads a video and writes it again, as an annotated one is."""
    with open_source(source) as frames:
        writer = None
        for frame in frames:
            writer = writer or VideoWriter(
                target, frames.rate, pixel_aspect=frames.pixel_aspect, sound=frames.sound if sound else None, quality=8
            )
            writer.write(frame.shown, frame.time)
        assert writer is not None
        writer.close()
    return target


def tone(path: Path) -> tuple[str, float, float]:
    """Codec, beginning and end of the sound in a file, in seconds since its first picture."""
    with av.open(str(path)) as file:
        start = next(file.decode(video=0)).time
        assert start is not None
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        loud = []
        for frame in file.decode(stream):
            samples = frame.to_ndarray().astype(float)
            level = np.abs(samples).max() / (1.0 if samples.max(initial=0) <= 1.5 else 32768.0)
            if level > 0.2 and frame.time is not None:
                loud.append(frame.time - start)
        return stream.codec_context.name, loud[0], loud[-1]


@pytest.mark.parametrize("times", [[0, 0.04, 0.08], [5.0, 5.02, 7.0, 12.0], [0, 2.0, 4.0, 4.01]])
def test_written_video_starts_at_zero(tmp_path: Path, times: list[float]) -> None:
    with VideoWriter(tmp_path / "x.mp4", 25) as writer:
        for number, time in enumerate(times):
            writer.write(picture(number), time)
    with av.open(str(tmp_path / "x.mp4")) as file:
        assert [frame.pts * frame.time_base for frame in file.decode(video=0)] == pytest.approx([t - times[0] for t in times], abs=1e-4)  # type: ignore[operator]
    with av.open(str(tmp_path / "x.mp4")) as file:
        assert file.streams.video[0].start_time == 0


@pytest.mark.parametrize("height", [480, 720])
def test_colours_are_tagged_and_right(tmp_path: Path, height: int) -> None:
    image = np.zeros((height, 64, 3), np.uint8)
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (255, 200, 30), (20, 120, 200), (128, 128, 128)]
    for number, colour in enumerate(colours):
        image[:, 8 * number : 8 * number + 8] = colour
    with VideoWriter(tmp_path / "x.mp4", quality=1) as writer:
        writer.write(image, 0)
    with av.open(str(tmp_path / "x.mp4")) as file:
        frame = next(file.decode(video=0))
        tag = 1 if height >= 720 else 6
        assert (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range) == (tag, tag, tag, 1)
    (shown,) = read(tmp_path / "x.mp4")[2]
    for number, colour in enumerate(colours):
        middle = shown[:, 8 * number + 3 : 8 * number + 5].reshape(-1, 3).mean(0)
        assert np.abs(middle - colour).max() < 6, colour


def test_planes_change_their_matrix_as_pictures_do() -> None:
    patches = np.random.default_rng(3).integers(0, 256, (16, 24, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    sd, hd = planes_of_rgb(patches, Matrix.BT601), planes_of_rgb(patches, Matrix.BT709)
    packed = Yuv420(*sd).packed()
    change_matrix(packed, Matrix.BT601, Matrix.BT709)
    difference = np.abs(packed.astype(int) - Yuv420(*hd).packed())
    assert difference.max() <= 3
    assert difference.mean() < 0.8
    assert np.abs(rgb_of_planes(*hd, Matrix.BT709).astype(int) - patches).max() <= 4
    assert np.array_equal(whole(Yuv420(*hd, Matrix.BT709)), rgb_of_planes(*hd, Matrix.BT709))
    assert (usual_matrix(719), usual_matrix(720)) == (Matrix.BT601, Matrix.BT709)


def test_untagged_high_definition_keeps_the_colours_that_were_tracked(tmp_path: Path) -> None:
    def draw(number: int) -> Image:
        return np.full((720, 64, 3), ((200, 40, 40), (40, 160, 60), (30, 60, 220))[number], np.uint8)

    source = write_clip(tmp_path / "x.mkv", 3, draw=draw, options={"crf": "5"})
    for number, image in enumerate(read(copy(source, tmp_path / "y.mp4"))[2]):
        assert np.abs(image.reshape(-1, 3).mean(0) - draw(number)[0, 0]).max() < 5


def test_pixels_keep_their_shape(tmp_path: Path) -> None:
    def prepare(stream: VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)

    path = copy(write_clip(tmp_path / "x.mkv", 3, prepare=prepare), tmp_path / "y.mp4")
    with av.open(str(path)) as file:
        assert float(file.streams.video[0].sample_aspect_ratio or 0) == pytest.approx(16 / 11, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "codec", "written"),
    [
        ("x.mp4", "aac", "aac"),
        ("x.ts", "aac", "aac"),
        ("x.flv", "aac", "aac"),
        ("x.mkv", "pcm_s16le", "aac"),
        ("x.mkv", "ac3", "aac"),
        ("x.ts", "eac3", "aac"),
        ("x.mkv", "libopus", "opus"),
    ],
)
def test_sound_is_kept_in_time(tmp_path: Path, name: str, codec: str, written: str) -> None:
    """The tone begins after half a second."""
    source = write_clip(tmp_path / name, 60, sound=codec)
    got, begin, end = tone(copy(source, tmp_path / "y.mp4"))
    _, first, last = tone(source)
    assert got.removeprefix("lib") == written
    assert begin == pytest.approx(first, abs=0.06)
    assert end == pytest.approx(last, abs=0.1)
    assert len(read(tmp_path / "y.mp4")[0]) == 60
    with av.open(str(copy(source, tmp_path / "silent.mp4", sound=False))) as file:
        assert not file.streams.audio


def test_sound_of_a_shortened_video_ends_with_it(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "x.mp4", 90, sound="aac")
    with open_source(source) as frames:
        shown = list(frames)[:45]
        with VideoWriter(tmp_path / "y.mp4", frames.rate, sound=frames.sound) as writer:
            for frame in shown:
                writer.write(frame.shown, frame.time)
    assert tone(tmp_path / "y.mp4")[2] == pytest.approx(1.5, abs=0.1)


@pytest.mark.parametrize("matrix", list(Matrix))
def test_drawing_on_planes_shows_what_drawing_on_rgb_shows(matrix: Matrix) -> None:
    image = np.full((240, 320, 3), (90, 120, 150), np.uint8)
    tracks = [Track((40.3, 60.7, 100.2, 80.9), 0.87, 1.0, False, 0), Track((200, 4, 60, 70), 0.2, 1.0, True, 1)]
    planes = Yuv420(*planes_of_rgb(image, matrix), matrix)
    drawn = draw_tracks(planes, tracks)
    assert isinstance(drawn, Yuv420)
    expected = whole(Yuv420(*planes_of_rgb(draw_tracks(image, tracks), matrix), matrix))  # both with colours at half of the resolution
    difference = np.abs(whole(drawn).astype(int) - expected)
    assert difference.mean() < 3
    assert (difference.max(2) > 60).mean() < 0.01
    assert np.abs(whole(planes).astype(int) - image).max() <= 3  # what was given is left alone


def test_an_older_video_stays_until_the_first_frame(tmp_path: Path) -> None:
    older, new = tmp_path / "older.mp4", tmp_path / "new.mp4"
    older.write_bytes(b"older")
    for path in (older, new):
        with pytest.raises(FrameError, match="a frame is a uint8 RGB array"), VideoWriter(path, 30) as writer:
            writer.write(np.zeros((48, 64, 3), np.float32), 0.0)
    assert older.read_bytes() == b"older"
    assert not new.exists()
    with VideoWriter(older, 30) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
    with open_source(older) as video:
        assert len(list(video)) == 1


def test_closing_twice_does_nothing_and_nothing_is_written_afterwards(tmp_path: Path) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    with VideoWriter(tmp_path / "v.mp4", 30) as writer:
        writer.write(picture, 0.0)
        writer.close()
    with pytest.raises(VideoError, match="expected frames before the video was closed"):
        writer.write(picture, 1.0)


@pytest.mark.parametrize("box", [(-3e9, 1.0, 6e9, 30.0), (1.0, -1e300, 5.0, 5.0), (math.nan, 1.0, 5.0, 5.0), (1.0, 1.0, math.inf, 5.0)])
@pytest.mark.parametrize("planes", [True, False])
def test_boxes_far_outside_are_drawn_as_far_as_the_frame_goes(box: tuple[float, float, float, float], planes: bool) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    picture = Yuv420(*planes_of_rgb(image, Matrix.BT601)) if planes else image
    drawn = draw_tracks(picture, [Track(box, 0.9, 0.9, False)])
    assert drawn.shape == (48, 64, 3)


def test_only_frames_are_drawn_on() -> None:
    with pytest.raises(FrameError, match="a frame is a uint8 RGB array"):
        draw_tracks(np.zeros((48, 64), np.uint8), [])
