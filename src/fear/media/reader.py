"""Frames from files, folders, cameras and streams; and H.264 back, with the source's time stamps.

Everything is read one frame at a time, so that memory does not grow with the length of a video. Reading and writing are PyAV's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import av
import numpy as np
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from fear.errors import DatasetError, VideoError
from fear.media.image import Image, list_images, read_image
from fear.media.planes import Yuv420, whole

FOLDER_RATE = Fraction(30)
"""Frames per second of a folder of images, which has no time of its own."""

_BT601 = (2, 5, 6)
"""FFmpeg's numbers for colours that are coded as in standard definition; 2 says nothing, and is taken for that."""

_COMPLETE = 0.98  # a container's own count may include frames that its edit list hides; a shorter video was cut off


@dataclass(frozen=True)
class Frame:
    """One picture of a source."""

    index: int
    """Counted from 0."""
    time: float
    """Seconds since the first frame."""
    picture: Image | Yuv420
    """As it was read: RGB, or planes, which trackers take as well."""

    @cached_property
    def image(self) -> Image:
        """(H, W, 3), uint8, RGB; an array of its own."""
        return whole(self.picture)


class Source(Protocol):
    """Frames in order; a context manager that releases what it holds."""

    @property
    def count(self) -> int | None:
        """Number of frames where it is known beforehand; a container may be mistaken."""

    @property
    def rate(self) -> Fraction:
        """Mean frames per second."""

    @property
    def live(self) -> bool:
        """Whether it goes on until somebody stops it."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def open_source(source: str | Path | int) -> Source:
    """Opens whatever holds frames.

    Args:
        source: A video file, a folder of images, a camera's number, or a stream's URL.

    Raises:
        VideoError: nothing there, or no pictures in it.
    """
    text = str(source)
    if isinstance(source, int) or text.isdecimal():
        return Container(*_camera(int(text)), live=True)
    if "://" in text:
        return Container(text, live=True)
    path = Path(source)
    if path.is_dir():
        return Folder(path)
    if not path.is_file():
        raise VideoError(f"{source}: expected a video file, a folder of images, a camera's number or a stream's URL; found nothing there")
    return Container(text)


def _camera(number: int) -> tuple[str, str]:
    """Name and format of a camera for the system's own interface."""
    if sys.platform == "darwin":
        return str(number), "avfoundation"
    if sys.platform == "win32":
        return f"video={number}", "dshow"
    return f"/dev/video{number}", "v4l2"


class Folder:
    """The pictures of a folder in name order."""

    def __init__(self, path: Path) -> None:
        self._frames = list_images(path)
        if not self._frames:
            raise VideoError(f"{path}: expected a folder of images, found none in it")
        self.count: int | None = len(self._frames)
        self.rate = FOLDER_RATE
        self.live = False

    def __iter__(self) -> Iterator[Frame]:
        for index, path in enumerate(self._frames):
            try:
                image = read_image(path)
            except DatasetError as error:
                raise VideoError(str(error)) from error
            yield Frame(index, float(index / self.rate), image)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass


class Container:
    """A file, camera or stream that FFmpeg reads.

    Args:
        name: What FFmpeg opens.
        format: Forces one of FFmpeg's input formats; cameras need it.
        live: A source without an end; its length is not asked for.
    """

    def __init__(self, name: str, format: str | None = None, live: bool = False) -> None:
        self._name, self.live = name, live
        try:
            self._container = av.open(name, format=format, timeout=(10.0, 10.0) if live else None)
        except (av.FFmpegError, ValueError, OSError) as error:
            raise VideoError(f"{name}: expected a video that can be opened ({reason(error)})") from error
        if not self._container.streams.video:
            self._container.close()
            raise VideoError(f"{name}: expected a video, found no stream of pictures in it")
        self._stream: VideoStream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._time_base = self._stream.time_base or 1 / FOLDER_RATE
        self.rate = self._stream.average_rate or self._stream.guessed_rate or FOLDER_RATE
        self.count: int | None = None if live else self._stream.frames or None

    def __iter__(self) -> Iterator[Frame]:
        index, start = 0, 0.0
        try:
            for picture in self._pictures():
                time = float(index / self.rate if picture.pts is None else picture.pts * self._time_base)
                start = time if index == 0 else start
                yield Frame(index, time - start, _upright(picture))
                index += 1
        except (av.FFmpegError, ValueError, OSError) as error:
            raise VideoError(f"{self._name}: it breaks off after {index} frames; expected more ({reason(error)})") from error
        if index == 0:
            raise VideoError(f"{self._name}: expected frames, found none in it")
        if self.count is not None and index < self.count * _COMPLETE:
            raise VideoError(f"{self._name}: it breaks off after {index} frames; expected {self.count}")

    def _pictures(self) -> Iterator[av.VideoFrame]:
        for packet in self._container.demux(self._stream):
            if packet.is_corrupt and not self.live:
                yield from self._stream.codec_context.decode(None)  # whole pictures that the decoder still holds
                raise av.InvalidDataError(0, "the file ends in the middle of a frame")
            yield from packet.decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._container.close()


def _upright(picture: av.VideoFrame) -> Image | Yuv420:
    """The picture, turned as its rotation flag asks."""
    pixels = _pixels(picture)
    turns = round(picture.rotation / 90) % 4  # FFmpeg counts counter-clockwise, as NumPy does
    return np.ascontiguousarray(np.rot90(whole(pixels), turns)) if turns else pixels


def _pixels(picture: av.VideoFrame) -> Image | Yuv420:
    """Planes, not copied, where OpenCV can convert them: in half of FFmpeg's time, and three levels from it at most. Else FFmpeg's RGB."""
    even = picture.width % 2 == 0 and picture.height % 2 == 0
    if picture.format.name == "yuv420p" and even and picture.colorspace in _BT601 and picture.color_range != ColorRange.JPEG:
        y, u, v = (np.frombuffer(memoryview(p), np.uint8).reshape(p.height, p.line_size)[:, : p.width] for p in picture.planes)
        return Yuv420(y, u, v)
    return np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)


def reason(error: Exception) -> str:
    """What FFmpeg or the system says about an error, one line."""
    return str(getattr(error, "strerror", None) or error).partition("\n")[0]
