"""Clips that tests make themselves: small videos with one trouble each.

A white square moves over a ground whose colour tells the number of the frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.stream import VideoStream

from fear.geometry.boxes import Box
from fear.media.image import Image
from fear.media.synthetic import Scene, render

HEIGHT, WIDTH, RATE = 96, 128, 30
SIDE = 30


def box(number: int) -> tuple[int, int, int, int]:
    """Where the white square is: left, top, width, height."""
    return 4 + (2 * number) % 88, 12, SIDE, SIDE


def picture(number: int, height: int = HEIGHT, width: int = WIDTH) -> Image:
    """The picture of a number, (height, width, 3), RGB."""
    image = np.full((height, width, 3), (30 + (number * 37) % 180, 60, 90), np.uint8)
    x, y, w, h = box(number)
    image[y : y + h, x : x + w] = 255
    return image


def found(image: Image) -> tuple[int, int, int, int]:
    """The white square of a picture, by brightness: left, top, width, height."""
    white = image.min(axis=2) > 180
    rows, columns = np.flatnonzero(white.any(1)), np.flatnonzero(white.any(0))
    return int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def write_clip(
    path: Path,
    frames: int = 100,
    codec: str = "libx264",
    *,
    pix_fmt: str = "yuv420p",
    rate: int = RATE,
    format: str | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    draw: Callable[[int], Image] = picture,
    prepare: Callable[[VideoStream], object] = lambda stream: None,
    change: Callable[[av.VideoFrame], object] = lambda frame: None,
    sound: str | None = None,
) -> Path:
    """Writes a clip.

    Args:
        path: Its suffix chooses the container.
        frames: How many.
        codec: Encoder.
        pix_fmt: Of the encoder.
        rate: Frames per second.
        format: Container, where the suffix does not say it.
        options: Of the encoder.
        container_options: Of the container.
        draw: Makes each picture; its first gives the size.
        prepare: Called with the stream before anything is encoded.
        change: Called with each frame before it is encoded.
        sound: Encoder of a tone that accompanies it.
    """
    height, width = draw(0).shape[:2]
    with av.open(str(path), "w", format=format, options=container_options or {}) as file:
        stream = file.add_stream(codec, rate=rate, options=options or {})
        assert isinstance(stream, VideoStream)
        stream.height, stream.width, stream.pix_fmt = height, width, pix_fmt
        prepare(stream)
        if sound is not None:
            add_tone(file, sound, frames / rate, stream, (draw(number) for number in range(frames)), change)
            return path
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(draw(number), format="rgb24")
            change(frame)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def add_tone(
    file: av.container.OutputContainer,
    codec: str,
    seconds: float,
    video: VideoStream,
    pictures: Iterable[Image],
    change: Callable[[av.VideoFrame], object],
) -> None:
    """Writes pictures and a tone of 440 Hz that begins after half a second."""
    rate = 48000
    audio = file.add_stream(codec, rate=rate)
    assert isinstance(audio, AudioStream)
    audio.codec_context.layout = "mono"
    for image in pictures:
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        change(frame)
        file.mux(video.encode(frame))
    file.mux(video.encode(None))
    time = np.arange(int(seconds * rate)) / rate
    tone = np.where(time >= 0.5, 0.5 * np.sin(2 * np.pi * 440 * time), 0)
    for start in range(0, len(tone), 1024):
        part = np.round(tone[start : start + 1024] * 32000).astype(np.int16)[None]
        sound = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = rate, start, Fraction(1, rate)
        file.mux(audio.encode(sound))
    file.mux(audio.encode(None))


def remux(
    source: Path,
    target: Path,
    stamp: Callable[[int, float], float] = lambda number, time: time,
    keep: Callable[[int], bool] = lambda number: True,
    format: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Copies a clip without encoding it anew.

    Args:
        source: What is copied.
        target: The copy.
        stamp: The new time of each packet, by its number in the order of decoding and its old time.
        keep: Which packets are copied, by number.
        format: Container, where the suffix does not say it.
        options: Of the container.
    """
    with av.open(str(source)) as old, av.open(str(target), "w", format=format, options=options or {}) as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        for number, packet in enumerate(old.demux(stream)):
            if packet.dts is None or packet.pts is None or not keep(number):
                continue
            base = float(stream.time_base or 1)
            moved = round(stamp(number, packet.pts * base) / base) - packet.pts
            packet.pts += moved
            packet.dts += moved
            packet.stream = copy
            new.mux(packet)
    return target


def put_cover(source: Path, target: Path, told: bool = False) -> Path:
    """Copies the film behind a cover picture of 640 × 480; `told`: the file says that it is one."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        cover = new.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 640, 480, "yuvj420p"
        if told:
            cover.disposition = Disposition.attached_pic
        film = new.add_stream_from_template(old.streams.video[0])
        new.mux(cover.encode(av.VideoFrame.from_ndarray(picture(0, 480, 640), format="rgb24")))
        new.mux(cover.encode(None))
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = film
                new.mux(packet)
    return target


def zero_packets(source: Path, target: Path, numbers: Sequence[int]) -> Path:
    """Copies a file with some packets overwritten by zeros, as a bad disk leaves them."""
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as file:
        packets = [bytes(packet) for packet in file.demux(video=0) if packet.size]
    for number in numbers:
        place, size = data.index(packets[number]), len(packets[number])
        data[place : place + size] = bytes(size)
    target.write_bytes(data)
    return target


def cut(source: Path, target: Path, share: float = 0.5) -> Path:
    """Copies the beginning of a file."""
    data = source.read_bytes()
    target.write_bytes(data[: round(len(data) * share)])
    return target


def iou(first: Sequence[float], second: Sequence[float]) -> float:
    """Overlap of two boxes, intersection over union."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    both = max(width, 0) * max(height, 0)
    return both / (first[2] * first[3] + second[2] * second[3] - both)


def read(source: Any, **options: Any) -> tuple[list[int], list[float], list[Image], Any]:
    """All of a source: numbers, times, pictures, and the source itself, closed."""
    from fear.media.reader import open_source

    with open_source(source, **options) as opened:
        frames = list(opened)
    return [frame.index for frame in frames], [frame.time for frame in frames], [frame.image for frame in frames], opened


def wall(seed: int = 0) -> Image:
    """Smooth noise, (900, 1300, 3)."""
    noise = np.random.default_rng(seed).integers(0, 255, (90, 130, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (1300, 900), interpolation=cv2.INTER_CUBIC))


def jerking_camera(height: int = 240, width: int = 360, jerk: int = 120) -> tuple[list[Image], list[Box]]:
    """A target before a textured wall, seen by a camera that jerks twice: the frames, and the boxes.

    Searches of the target show less than 110 pixels on either side of its centre.
    """
    scene = wall()
    frames = list(render(Scene(frames=1, height=height, width=width, occlusion=False)))
    x, y, w, h = (round(value) for value in frames[0].box_xywh)
    thing = frames[0].image[y : y + h, x : x + w]
    images: list[Image] = []
    boxes: list[Box] = []
    for number in range(24):
        left = 300 + (jerk if 8 <= number < 16 else 0)  # of the camera on the wall
        place = 520 + number, 330  # of the target there
        seen = scene[200 : 200 + height, left : left + width].copy()
        box = place[0] - left, place[1] - 200, w, h
        seen[box[1] : box[1] + h, box[0] : box[0] + w] = thing
        images.append(seen)
        boxes.append((float(box[0]), float(box[1]), float(w), float(h)))
    return images, boxes
