from __future__ import annotations

import resource
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.stream import VideoStream

from fear.errors import VideoError
from fear.media.image import Image
from fear.media.reader import open_source
from fear.media.writer import VideoWriter


def picture(number: int, height: int = 48, width: int = 64) -> Image:
    """A flat colour that tells the number, with a white corner at the top left."""
    image = np.full((height, width, 3), (20 + 9 * (number % 20), 60, 90), np.uint8)
    image[:16, :16] = 255
    return image


def write(path: Path, times: list[float], height: int = 48, width: int = 64) -> Path:
    with VideoWriter(path, 25) as writer:
        for number, time in enumerate(times):
            writer.write(picture(number, height, width), time)
    return path


def classic_mp4(path: Path, frames: int = 30, codec: str = "libx264", container: str | None = None, **options: str) -> Path:
    """A file as cameras write it: not in fragments."""
    with av.open(str(path), "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            noise = np.random.default_rng(number).integers(0, 255, (48, 64, 3), np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        file.mux(stream.encode(None))
    return path


def test_round_trip(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mp4", [k / 25 for k in range(20)])
    with open_source(path) as source:
        assert source.rate == 25
        frames = list(source)
    assert [frame.index for frame in frames] == list(range(20))
    for frame in frames:
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
        assert np.abs(frame.image.astype(int) - picture(frame.index)).mean() < 6


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60), Fraction(25)])
def test_fractional_rates_keep_their_time_stamps(tmp_path: Path, rate: Fraction) -> None:
    times = [float(k / rate) for k in range(40)]
    with open_source(write(tmp_path / "x.mp4", times)) as source:
        assert [frame.time for frame in source] == pytest.approx(times, abs=1.2e-5)


def test_variable_frame_rate(tmp_path: Path) -> None:
    times = [0, 0.04, 0.05, 0.3, 0.31, 1.0, 2.5]
    with open_source(write(tmp_path / "x.mp4", times)) as source:
        assert [frame.time for frame in source] == pytest.approx(times, abs=1e-4)


def test_times_that_stand_still_still_make_a_video(tmp_path: Path) -> None:
    with open_source(write(tmp_path / "x.mp4", [0.0] * 5)) as source:
        assert len(list(source)) == 5


@pytest.mark.parametrize(("height", "width"), [(47, 63), (48, 63), (47, 64), (1, 1)])
def test_odd_sizes_lose_nothing(tmp_path: Path, height: int, width: int) -> None:
    with open_source(write(tmp_path / "x.mp4", [0, 0.04], height, width)) as source:
        image = next(iter(source)).image
    assert image.shape[:2] == (height + height % 2, width + width % 2)
    assert np.abs(image[:height, :width].astype(int) - picture(0, height, width)).mean() < 8


def test_browsers_play_it(tmp_path: Path) -> None:
    with av.open(str(write(tmp_path / "x.mp4", [0, 0.04]))) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")


def test_interrupted_file_plays_what_was_written(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "x.mp4", 25)
    for number in range(400):
        writer.write(picture(number), number / 25)
    (tmp_path / "killed.mp4").write_bytes((tmp_path / "x.mp4").read_bytes())  # as a killed process leaves it
    writer.close()
    with open_source(tmp_path / "killed.mp4") as source:
        assert len(list(source)) >= 250


def test_rotation_flag(tmp_path: Path) -> None:
    """A quarter turn clockwise in the header, as telephones write it."""
    path = classic_mp4(tmp_path / "x.mp4", 3)
    with open_source(path) as source:
        upright = next(iter(source)).image
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40  # ISO 14496-12: the matrix stands 40 bytes into a version 0 track header
    one = (1 << 16).to_bytes(4, "big")
    zero, minus_one = bytes(4), (-1 << 16 & 0xFFFFFFFF).to_bytes(4, "big")
    data[matrix : matrix + 36] = b"".join((zero, one, zero, minus_one, zero, zero, zero, zero, (1 << 30).to_bytes(4, "big")))
    path.write_bytes(data)
    with open_source(path) as source:
        turned = next(iter(source)).image
    assert turned.shape == (64, 48, 3)
    assert np.array_equal(turned, np.rot90(upright, -1))


def test_folder(tmp_path: Path) -> None:
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"{number:04d}.png"), picture(number)[..., ::-1])
    (tmp_path / "notes.txt").write_text("not a picture")
    with open_source(tmp_path) as source:
        assert source.count == 12
        for frame in source:
            assert np.array_equal(frame.image, picture(frame.index))
            assert frame.time == pytest.approx(frame.index / 30)


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("grey.png", np.full((20, 30), 77, np.uint8)),
        ("grey.jpg", np.full((20, 30), 77, np.uint8)),
        ("rgba.png", np.full((20, 30, 4), 77, np.uint8)),
        ("deep.png", np.full((20, 30, 3), 77 * 257, np.uint16)),
        ("deep_grey.tiff", np.full((20, 30), 77 * 257, np.uint16)),
    ],
)
def test_pictures_of_other_kinds_are_read_as_rgb(tmp_path: Path, name: str, image: Image) -> None:
    cv2.imwrite(str(tmp_path / name), image)
    with open_source(tmp_path) as source:
        (frame,) = source
    assert (frame.image == np.full((20, 30, 3), 77, np.uint8)).all()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00\x00\x00\x20ftypisom" + bytes(300)])
def test_broken_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    with pytest.raises(VideoError, match="expected"):
        list(open_source(tmp_path / "x.mp4"))


def test_file_without_pictures(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "x.wav"), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        file.mux(stream.encode(sound))
    with pytest.raises(VideoError, match="no stream of pictures"):
        open_source(tmp_path / "x.wav")


def test_file_with_zero_frames(tmp_path: Path) -> None:
    path = classic_mp4(tmp_path / "x.avi", 1, codec="mpeg4")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"movi") + 4])
    with pytest.raises(VideoError, match="frames"):
        list(open_source(path))


def test_missing_source_and_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="found nothing there"):
        open_source(tmp_path / "x.mp4")
    with pytest.raises(VideoError, match="expected a folder of images"):
        open_source(tmp_path)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
def test_file_that_ends_in_the_middle_of_a_frame(tmp_path: Path, suffix: str) -> None:
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    path = classic_mp4(tmp_path / f"x{suffix}", 60, codec, **({"movflags": "faststart"} if suffix == ".mp4" else {}))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    seen = 0
    try:
        with open_source(path) as source:
            for frame in source:
                assert frame.index == seen
                seen += 1
    except VideoError as error:
        assert "breaks off after" in str(error)  # noqa: PT017  formats without an index may also end quietly
    else:
        assert suffix in (".mkv", ".ts")
    assert 25 < seen < 60


def test_missing_camera() -> None:
    with pytest.raises(VideoError, match="video97"):
        open_source(97)
    with pytest.raises(VideoError, match="video97"):
        open_source("97")


def test_stream(tmp_path: Path, served: str) -> None:
    classic_mp4(tmp_path / "x.ts", 30)
    with open_source(f"{served}/x.ts") as source:
        assert source.count is None
        assert len(list(source)) == 30
    with pytest.raises(VideoError, match="expected a video that can be opened"):
        open_source(f"{served}/y.ts")


def test_writing_nowhere(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="existing folder"):
        VideoWriter(tmp_path / "nowhere" / "x.mp4")


def test_writing_another_size(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "x.mp4") as writer:
        writer.write(picture(0), 0)
        with pytest.raises(VideoError, match="frames of 64×48, got 32×48"):
            writer.write(picture(0)[:, :32], 0.04)


def test_writer_without_frames_leaves_no_file(tmp_path: Path) -> None:
    VideoWriter(tmp_path / "x.mp4").close()
    assert not (tmp_path / "x.mp4").exists()


def test_memory_stays_flat_over_ten_thousand_frames(tmp_path: Path) -> None:
    """Reads and writes 10 000 frames of 96×72; the peak after the first tenth must not grow by more than 16 MB (all of them are 207 MB)."""
    path = tmp_path / "long.mp4"
    with VideoWriter(path, 30) as writer:
        for number in range(10_000):
            writer.write(picture(number, 72, 96), number / 30)
    peaks = []
    with open_source(path) as source, VideoWriter(tmp_path / "copy.mp4", 30) as writer:
        for frame in source:
            writer.write(frame.image, frame.time)
            if frame.index % 1000 == 999:
                peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert len(peaks) == 10
    assert peaks[-1] - peaks[0] < 16_000
