"""Video files with troubles that people reported: each is read whole, upright, in order and on time, or its error is told."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from clips import HEIGHT, RATE, WIDTH, box, cut, found, iou, picture, put_cover, read, remux, write_clip, zero_packets
from fear.errors import VideoError
from fear.media.completeness import missing_bytes
from fear.media.image import Image
from fear.media.reader import open_source


def on_time(times: list[float], numbers: list[int]) -> None:
    assert times == pytest.approx([number / RATE for number in numbers], abs=1e-3)


def right_pictures(images: list[Image], numbers: list[int]) -> None:
    for number, image in zip(numbers, images, strict=True):
        assert iou(found(image), box(number)) > 0.85, number


# --- length


def test_video_that_was_trimmed_without_encoding_is_complete(tmp_path: Path) -> None:
    """An edit list hides the frames between the key frame and the cut; the header counts them."""
    whole = write_clip(tmp_path / "whole.mp4", options={"g": "50", "bf": "0"})
    trimmed = remux(whole, tmp_path / "trimmed.mp4", lambda _, time: time - 39 / RATE)
    with av.open(str(trimmed)) as file:
        assert file.streams.video[0].frames == 100
    numbers, times, images, source = read(trimmed)
    assert len(numbers) == 61
    on_time(times, numbers)
    right_pictures(images, [number + 39 for number in numbers])
    assert source.report.lines() == []


def test_avi_with_empty_frames_is_complete(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.avi", codec="mjpeg", pix_fmt="yuvj420p")
    holes = remux(whole, tmp_path / "holes.avi", keep=lambda number: number % 5 != 2)
    with av.open(str(holes)) as file:
        assert file.streams.video[0].frames > 90
    _, times, images, source = read(holes)
    kept = [number for number in range(100) if number % 5 != 2]
    on_time(times, kept)
    right_pictures(images, kept)
    assert source.report.lines() == []


def test_avi_with_pictures_in_another_order_than_they_are_decoded_is_on_time(tmp_path: Path) -> None:
    numbers, times, images, source = read(write_clip(tmp_path / "x.avi"))
    assert numbers == list(range(100))
    on_time(times, numbers)
    right_pictures(images, numbers)
    assert source.report.lines() == []


@pytest.mark.parametrize(
    ("name", "codec"),
    [("x.mkv", "libx264"), ("x.webm", "libvpx-vp9"), ("x.flv", "flv1"), ("x.avi", "mpeg4"), ("x.mp4", "libx264"), ("x.mov", "mjpeg")],
)
def test_truncated_file_is_told_after_its_frames(tmp_path: Path, name: str, codec: str) -> None:
    options = {"movflags": "faststart"} if name in ("x.mp4", "x.mov") else {}
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = write_clip(tmp_path / name, codec=codec, pix_fmt=pix_fmt, container_options=options)
    assert len(read(path)[0]) == 100
    frames = []
    with pytest.raises(VideoError, match=r"breaks off after [0-9]+ frames"), open_source(cut(path, tmp_path / f"cut_{name}")) as source:
        for frame in source:
            frames.append(frame)  # noqa: PERF402  the frames before the error count
    assert 30 < len(frames) < 70
    right_pictures([frame.image for frame in frames], [frame.index for frame in frames])


def test_missing_bytes_of_each_container(tmp_path: Path) -> None:
    for name, codec in (("x.mp4", "libx264"), ("x.mkv", "libx264"), ("x.avi", "mpeg4"), ("x.flv", "flv1")):
        path = write_clip(tmp_path / name, 5, codec)
        assert missing_bytes(path) == 0, name
        data = path.read_bytes()
        path.write_bytes(data[:-10])
        assert missing_bytes(path), name
    assert missing_bytes(write_clip(tmp_path / "x.ts", 5)) is None


# --- the film


@pytest.mark.parametrize("told", [True, False])
def test_cover_picture_before_the_film_is_not_the_film(tmp_path: Path, told: bool) -> None:
    path = tmp_path / "x.mkv"
    put_cover(write_clip(tmp_path / "film.mp4", 20), path, told)
    numbers, times, images, _ = read(path)
    assert numbers == list(range(20))
    on_time(times, numbers)
    assert images[0].shape == (HEIGHT, WIDTH, 3)
    assert read(path, stream=0)[2][0].shape == (480, 640, 3)
    with pytest.raises(VideoError, match="expected the number of a stream of pictures, 0 to 1, got 2"):
        open_source(path, stream=2)


def test_sound_with_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "x.m4a"
    with av.open(str(path), "w", format="mp4") as file:
        cover = file.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt, cover.disposition = 128, 96, "yuvj420p", Disposition.attached_pic
        audio = file.add_stream("aac", rate=48000, layout="mono")
        file.mux(cover.encode(av.VideoFrame.from_ndarray(picture(0), format="rgb24")))
        file.mux(cover.encode(None))
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 96000), np.int16), format="s16", layout="mono")
        sound.sample_rate = 48000
        file.mux(audio.encode(sound))
        file.mux(audio.encode(None))
    with pytest.raises(VideoError, match=r"expected a video, found only a cover picture \(stream of pictures 0\)"):
        open_source(path)
    assert len(read(path, stream=0)[0]) == 1


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_the_larger_of_two_films_is_taken_unless_another_is_the_default(tmp_path: Path, suffix: str) -> None:
    def joined(path: Path, default: bool) -> Path:
        films = [write_clip(tmp_path / "a.mp4", 5), write_clip(tmp_path / "b.mp4", 5, draw=lambda number: picture(number, 192, 256))]
        with av.open(str(path), "w") as new:
            opened = [av.open(str(film)) for film in films]
            copies = [new.add_stream_from_template(old.streams.video[0]) for old in opened]
            if default:
                copies[0].disposition = Disposition.default
            for old, copy in zip(opened, copies, strict=True):
                for packet in old.demux(video=0):
                    if packet.dts is not None:
                        packet.stream = copy
                        new.mux(packet)
                old.close()
        return path

    assert read(joined(tmp_path / f"x{suffix}", False))[2][0].shape == (192, 256, 3)
    if suffix == ".mkv":
        assert read(joined(tmp_path / f"y{suffix}", True))[2][0].shape == (HEIGHT, WIDTH, 3)


# --- damage


@pytest.mark.parametrize(("lost", "suffix"), list(itertools.product([(38,), (20, 50, 80), (97,), (98, 99)], (".mp4", ".mkv"))))
def test_zeroed_picture_is_one_lost_picture(tmp_path: Path, lost: tuple[int, ...], suffix: str) -> None:
    path = write_clip(tmp_path / f"x{suffix}", options={"bf": "0", "g": "25"})
    numbers, times, _, source = read(zero_packets(path, tmp_path / f"z{suffix}", lost))
    assert numbers == [number for number in range(100) if number not in lost]
    on_time(times, numbers)
    assert source.report.lost_pictures == len(lost)
    assert "lost, because the source is damaged" in source.report.lines()[0]


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("x.mp4", "libx265", {"x265-params": "log-level=none:bframes=0:keyint=20"}),
        ("x.mkv", "libx265", {"x265-params": "log-level=none:keyint=20"}),
        ("x.webm", "libvpx-vp9", {"g": "20", "lag-in-frames": "0"}),
        ("x.mkv", "libsvtav1", {"g": "20", "preset": "10"}),
    ],
)
def test_zeroed_picture_is_one_lost_picture_with_newer_codecs(tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    """The decoder of HEVC keeps all that refers to a lost picture to itself, unless it is told otherwise."""
    with ThreadPoolExecutor(1) as pool:  # SVT-AV1 turns the thread that opens it into a real-time one where root runs it
        path = pool.submit(write_clip, tmp_path / name, 40, codec, options=options).result()
    numbers, times, _, source = read(zero_packets(path, tmp_path / f"z_{name}", (12, 30)))
    assert numbers == [number for number in range(40) if number not in lost_of(numbers)]
    assert len(numbers) == 38
    on_time(times, numbers)
    assert source.report.lost_pictures == 2


def lost_of(numbers: list[int]) -> set[int]:
    return set(range(numbers[-1])) - set(numbers)


def test_pictures_before_the_first_that_can_be_decoded_are_lost(tmp_path: Path) -> None:
    """With both codecs that is up to the second key frame: what comes before shows nothing that could be recognised."""
    for codec, options in (("libx264", {"bf": "0", "g": "10"}), ("libx265", {"x265-params": "log-level=none:bframes=0:keyint=10"})):
        path = write_clip(tmp_path / f"{codec}.mp4", 30, codec, options=options)
        numbers, times, images, source = read(zero_packets(path, tmp_path / f"z_{codec}.mp4", (0,)))
        assert numbers == list(range(20))
        on_time(times, numbers)
        right_pictures(images, [number + 10 for number in numbers])
        assert source.report.lost_pictures == 10
    with pytest.raises(VideoError, match="expected frames, found none"):
        read(zero_packets(path, tmp_path / "nothing.mp4", range(30)))


def test_broken_jpeg_in_avi_is_one_lost_picture(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "x.avi", codec="mjpeg", pix_fmt="yuvj420p")
    numbers, times, images, source = read(zero_packets(path, tmp_path / "z.avi", (10, 50)))
    assert numbers == [number for number in range(100) if number not in (10, 50)]
    on_time(times, numbers)
    right_pictures(images, numbers)
    assert source.report.lost_pictures == 2


def test_transport_stream_with_missing_packets_goes_on(tmp_path: Path) -> None:
    data = write_clip(tmp_path / "x.ts", options={"g": "12", "bf": "0"}).read_bytes()
    packets = [data[place : place + 188] for place in range(0, len(data), 188)]
    (tmp_path / "holes.ts").write_bytes(b"".join(p for number, p in enumerate(packets) if number < 40 or number % 50 != 7))
    numbers, times, _, source = read(tmp_path / "holes.ts")
    assert len(numbers) > 90
    assert numbers[-1] == 99
    on_time(times, numbers)
    assert source.report.lost_pictures == 100 - len(numbers)
    assert source.report.damaged_pictures > 0


def test_joined_transport_streams_go_on_in_time(tmp_path: Path) -> None:
    data = write_clip(tmp_path / "x.ts").read_bytes()
    (tmp_path / "joined.ts").write_bytes(data + data)
    numbers, times, images, source = read(tmp_path / "joined.ts")
    assert numbers == list(range(200))
    on_time(times, numbers)
    right_pictures(images, [number % 100 for number in numbers])
    assert source.report.repaired_times == 1


# --- times


@pytest.mark.parametrize("wild", [1000.0, 2.0])
def test_one_wild_stamp_is_repaired(tmp_path: Path, wild: float) -> None:
    """The copy keeps the order of decoding, so that only the time at which one picture is shown is wrong."""
    whole = write_clip(tmp_path / "x.mkv", options={"bf": "0"})
    with av.open(str(whole)) as old, av.open(str(tmp_path / "wild.mkv"), "w") as new:
        copy = new.add_stream_from_template(old.streams.video[0])
        for number, packet in enumerate(old.demux(video=0)):
            if packet.dts is None or packet.pts is None:
                continue
            packet.stream = copy
            if number == 40 and packet.time_base is not None:
                packet.pts += round(wild / packet.time_base)
            new.mux(packet)
    numbers, times, _, source = read(tmp_path / "wild.mkv")
    assert len(numbers) == 100
    assert times == pytest.approx([number / RATE for number in range(100)], abs=1.1e-3)
    assert source.report.repaired_times == 1


def test_times_of_a_slow_recording_are_kept(tmp_path: Path) -> None:
    """A camera that records when something moves has real gaps."""
    whole = write_clip(tmp_path / "x.mkv", 30, options={"bf": "0"})
    slow = remux(whole, tmp_path / "slow.mkv", lambda number, time: time + 60 * (number >= 10) + 25 * (number >= 20))
    _, times, _, source = read(slow)
    assert times == pytest.approx([k / RATE + 60 * (k >= 10) + 25 * (k >= 20) for k in range(30)], abs=1.1e-3)
    assert source.report.repaired_times == 0


# --- upright, shape, size


MATRICES = [(1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, -1, 0), (0, -1, -1, 0)]


def stored(shown: Image, matrix: tuple[int, int, int, int]) -> Image:
    """The picture that such a matrix shows as this one, point by point (ISO 14496-12)."""
    a, b, c, d = matrix
    height, width = shown.shape[:2]
    y, x = np.indices((height, width) if a else (width, height))
    right, down = a * x + c * y, b * x + d * y
    return np.ascontiguousarray(shown[down - down.min(), right - right.min()])


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
def test_all_eight_display_matrices_are_upright(tmp_path: Path, matrix: tuple[int, int, int, int], pix_fmt: str) -> None:
    a, b, c, d = (value << 16 for value in matrix)
    path = write_clip(
        tmp_path / "x.mp4",
        3,
        pix_fmt=pix_fmt,
        draw=lambda number: stored(picture(number), matrix),
        prepare=lambda stream: stream.set_display_matrix((a, b, 0, c, d, 0, 0, 0, 1 << 30)),
    )
    _, _, images, _ = read(path)
    for number, image in enumerate(images):
        assert image.shape == (HEIGHT, WIDTH, 3)
        assert iou(found(image), box(number)) > 0.9
        assert image.flags.c_contiguous


def test_shape_of_pixels_is_told_and_turned(tmp_path: Path) -> None:
    def prepare(stream: av.VideoStream) -> None:
        from fractions import Fraction

        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)

    _, _, _, source = read(write_clip(tmp_path / "x.mkv", 3, prepare=prepare))
    assert float(source.pixel_aspect) == pytest.approx(16 / 11)
    _, _, _, square = read(write_clip(tmp_path / "y.mkv", 3))
    assert square.pixel_aspect == 1


def test_other_sizes_in_the_middle_are_scaled_to_the_first(tmp_path: Path) -> None:
    small = write_clip(tmp_path / "small.ts", 10)
    large = write_clip(tmp_path / "large.ts", 10, draw=lambda number: picture(number).repeat(2, 0).repeat(2, 1))
    (tmp_path / "joined.ts").write_bytes(small.read_bytes() + large.read_bytes())
    numbers, times, images, source = read(tmp_path / "joined.ts")
    assert len(numbers) == 20
    on_time(times, numbers)
    assert {image.shape for image in images} == {(HEIGHT, WIDTH, 3)}
    right_pictures(images, [number % 10 for number in numbers])
    assert source.report.scaled_pictures == 10


def test_interlaced_video_is_deinterlaced(tmp_path: Path) -> None:
    """The square moves between the half pictures: without a filter its sides are combs."""

    def woven(number: int) -> Image:
        image = picture(4 * number)
        image[1::2] = picture(4 * number + 2)[1::2]
        image[..., 0] = 30
        image[image[..., 1] == 255] = 255
        return image

    path = write_clip(tmp_path / "x.ts", 12, "mpeg2video", draw=woven, options={"flags": "+ildct+ilme", "top": "1", "b": "8M"})
    with av.open(str(path)) as file:
        flagged = sum(frame.interlaced_frame for frame in file.decode(video=0))
    if not flagged:
        pytest.skip("this encoder does not flag interlaced pictures")
    numbers, times, images, _ = read(path)
    assert len(numbers) == 12
    on_time(times, numbers)
    for image in images[2:10]:
        rows = image[16:38, :, 1].astype(int)
        assert np.abs(rows[1:] - rows[:-1]).max(axis=1).mean() < 90  # a comb has steps of 190 from row to row


@pytest.mark.parametrize(("transfer", "level"), [(16, 0.58), (18, 0.75)])
def test_high_dynamic_range_is_mapped_for_people_only(tmp_path: Path, transfer: int, level: float) -> None:
    """White paper, 58 % of PQ's signal and 75 % of HLG's, is bright to people and dull to a tracker, which sees the signal as it is."""

    def prepare(stream: av.VideoStream) -> None:
        codec = stream.codec_context
        codec.color_trc, codec.color_primaries, codec.colorspace, codec.color_range = transfer, 9, 9, 1

    path = write_clip(
        tmp_path / "x.mkv",
        3,
        "libx265",
        pix_fmt="yuv420p10le",
        draw=lambda number: np.full((64, 64, 3), round(level * 255), np.uint8),
        prepare=prepare,
        options={"x265-params": "log-level=none"},
    )
    with open_source(path) as source:
        frame = next(iter(source))
        assert frame.tone_mapped is not None
        assert isinstance(frame.picture, np.ndarray)
        assert abs(float(frame.picture.mean()) - level * 255) < 6
        assert 150 < float(frame.image.mean()) < 235
