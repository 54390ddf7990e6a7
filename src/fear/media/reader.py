"""Opens whatever holds frames: files, folders, patterns of names, cameras, streams and standard input.

This file decides what a user means; the files beside it read. Everything is read one frame at a time, so that memory does not grow with the
length of a video.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote, urlsplit

from fear.errors import VideoError
from fear.media.cameras import find_camera
from fear.media.files import VideoFile
from fear.media.opening import PATIENCE, open_container
from fear.media.pictures import open_folder, open_pattern, open_picture
from fear.media.source import FOLDER_RATE, Frame, Source, SourceReport, reason
from fear.media.start import parse_start
from fear.media.streams import RECONNECT, LiveStream

__all__ = ["FOLDER_RATE", "RECONNECT", "Frame", "Source", "SourceReport", "open_source", "reason"]

_STANDARD_INPUT = "pipe:0"


def open_source(
    source: str | Path | int,
    *,
    options: Mapping[str, str] | None = None,
    stream: int | None = None,
    rate: Fraction | float | None = None,
    reconnect: float = RECONNECT,
    start: str | float = 0,
) -> Source:
    """Opens whatever holds frames: a file, a folder of images, a camera, a stream.

    The answer is a context manager. Iterating over it gives frames with `index` (counted from 0), `time` (seconds since the first frame)
    and `image` ((H, W, 3), uint8, RGB).

    A number names a camera, unless a file or folder has this name. Addresses by `http`, `https` and `file` that hand out a file are read as
    files; other addresses are live.

    Args:
        source: A video file, a picture, a folder of images, a pattern such as `img_%04d.png`, a camera's number, a stream's URL, or `-` for
            standard input.
        options: FFmpeg's options for protocol, format and decoder, such as `rtsp_transport`, `video_size` or `framerate`.
        stream: Number of the stream of pictures, counted from 0, where there are several.
        rate: Frames per second of pictures; 30 by default.
        reconnect: Seconds for which a live stream that was cut is tried again; 0 ends at the first cut.
        start: Where to begin: an integer is the number of a frame; a decimal, or text such as `2.5s` or `00:01:05`, is in seconds. Frames
            keep the numbers and times of the source, and those before the start are decoded and left out, because only so are the
            numbers exact.

    Returns:
        The source, with `rate` (mean frames per second), `count` (number of frames, or None) and `live` (it has no end of its own).

    Raises:
        VideoError: There is nothing, or there are no pictures in it. While frames are read: the source breaks off, or ends before `start`.
        ConfigError: `start` is neither the number of a frame nor a time.

    Examples:
        >>> import fear
        >>> with fear.open_source("clip.mp4") as source:  # doctest: +SKIP
        ...     for frame in source:
        ...         print(frame.index, frame.time, frame.image.shape)
    """
    begin = parse_start(start)
    opened = _open(source, options, stream, rate, reconnect)
    opened.start = begin
    return opened


def _open(
    source: str | Path | int, options: Mapping[str, str] | None, stream: int | None, rate: Fraction | float | None, reconnect: float
) -> Source:
    text = str(source)
    pace = None if rate is None else Fraction(rate).limit_denominator(100_000)
    if text == "-":
        return VideoFile(_STANDARD_INPUT, title="standard input", options=options, stream=stream)
    path = Path(source) if not isinstance(source, int) else None
    if isinstance(path, Path) and not path.exists() and text.startswith("~"):
        path = path.expanduser()
    if path is None or (text.isdecimal() and text.isascii() and not path.exists()):
        return _camera(int(text), options, stream, reconnect)
    if "://" in text and not path.exists():
        return _address(text, options, stream, pace, reconnect)
    return _path(path, options, stream, pace)


def _path(path: Path, options: Mapping[str, str] | None, stream: int | None, rate: Fraction | None) -> Source:
    if path.is_dir():
        return open_folder(path, rate)
    if not path.exists():
        pictures = open_pattern(path, rate)
        if pictures is None:
            raise VideoError(f"{path}: expected a video file, a folder of images, a camera's number or a stream's URL; found nothing there")
        return pictures
    picture = open_picture(path, rate) if path.is_file() else None
    if picture is not None:
        return picture
    # the prefix keeps colons in names from being read as a protocol
    return VideoFile(f"file:{path}", path if path.is_file() else None, str(path), options, stream)


def _camera(number: int, options: Mapping[str, str] | None, stream: int | None, reconnect: float) -> Source:
    camera = find_camera(number)
    wishes = {**camera.options, **(options or {})}
    return LiveStream(camera.name, lambda patience: open_container(camera.name, camera.format, wishes, patience), stream, reconnect)


def _address(url: str, options: Mapping[str, str] | None, stream: int | None, rate: Fraction | None, reconnect: float) -> Source:
    scheme = urlsplit(url).scheme.lower()
    if scheme == "file":
        return _path(Path(unquote(urlsplit(url).path)), options, stream, rate)
    container = open_container(url, options=options, patience=PATIENCE)
    if scheme in ("http", "https") and (container.size > 0 or container.duration is not None):
        return VideoFile(url, options=options, stream=stream, container=container)
    return LiveStream(url, lambda patience: open_container(url, None, options, patience), stream, reconnect, container)
