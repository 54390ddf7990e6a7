"""Opens whatever holds frames: files, folders, patterns of names, cameras, streams and standard input.

This file decides what a user means; the files beside it read. Everything is read one frame at a time, so that memory does not grow with the
length of a video.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from fractions import Fraction
from numbers import Real
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from av.container import InputContainer

from fear.errors import VideoError
from fear.media.cameras import camera_format, find_camera
from fear.media.files import STANDARD_INPUT, VideoFile
from fear.media.names import exists, home_path
from fear.media.opening import PATIENCE, is_recorded, open_container
from fear.media.options import require_options
from fear.media.pictures import Pictures, open_folder, open_pattern, open_picture
from fear.media.source import FOLDER_RATE, LARGEST_RATE, Frame, Source, SourceReport, reason
from fear.media.start import parse_start
from fear.media.streams import RECONNECT, LiveStream

__all__ = ["FOLDER_RATE", "RECONNECT", "Frame", "Source", "SourceReport", "open_source", "reason"]


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
        rate: Frames per second of pictures, which have no times of their own; 30 by default.
        reconnect: Seconds for which a live stream that was cut is tried again; 0 ends at the first cut.
        start: Where to begin: an integer is the number of a frame; a decimal, or text such as `2.5s` or `00:01:05`, is in seconds. Frames
            keep the numbers and times of the source, and those before the start are decoded and left out, because only so are the
            numbers exact.

    Returns:
        The source, with `rate` (mean frames per second), `count` (number of frames, or None) and `live` (it has no end of its own).

    Raises:
        VideoError: There is nothing, or there are no pictures in it, or a rate is given for a source that has its own times, or options
            or a stream's number for pictures, or FFmpeg knows no option of this name. While frames are read: the source breaks off, or
            ends before `start`.
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
    if not text:  # such as a variable of the shell that is not set
        raise VideoError("expected a source, got an empty name")
    if stream is not None and (not isinstance(stream, int) or stream < 0):
        raise VideoError(f"stream: expected its number, from 0, got {stream!r}")
    pace = None if rate is None else _pace(rate)
    path = None if isinstance(source, int) else _path(text)
    pictures = None if path is None else _pictures(path, pace)
    if pace is not None and not isinstance(pictures, Pictures):
        raise VideoError(
            f"{text}: expected a rate only for pictures, got one for a source with times of its own "
            "(FFmpeg's option framerate sets the rate of a camera or of raw video)"
        )
    options = {str(key): str(value) for key, value in (options or {}).items()}
    if pictures is not None:
        _refuse_video_settings(text, options, stream)
        return pictures
    require_options(options)
    settings = _Settings(options, stream, reconnect)
    if path is not None:
        return _file(path, settings)
    if text == "-":
        return VideoFile(STANDARD_INPUT, title="standard input", options=options, stream=stream)
    if text.isdecimal():
        camera = find_camera(int(text))
        return _live(camera.name, camera.format, settings._replace(options={**camera.options, **settings.options}))
    return _address(text, settings)


def _pace(rate: Fraction | float) -> Fraction:
    """Frames per second as FFmpeg counts them.

    Raises:
        VideoError: It is no such number.
    """
    pace = Fraction(rate).limit_denominator(100_000) if isinstance(rate, Real) and math.isfinite(rate) else Fraction(0)
    if not 0 < pace < LARGEST_RATE:
        raise VideoError(f"rate: expected a number of frames per second above 0 and below {LARGEST_RATE:g}, got {rate!r}")
    return pace


def _refuse_video_settings(title: str, options: Mapping[str, str], stream: int | None) -> None:
    """Refuses settings of videos for pictures.

    Raises:
        VideoError: Options of FFmpeg or the number of a stream are given.
    """
    if options or stream is not None:
        given = "options of FFmpeg" if options else "the number of a stream"
        raise VideoError(f"{title}: expected {given} only for videos, cameras and streams, got them for pictures")


class _Settings(NamedTuple):
    """What a user wants of a video or stream; see `open_source`."""

    options: Mapping[str, str]
    stream: int | None
    reconnect: float


def is_source(path: Path, source: str | Path | int) -> bool:
    """Whether a path is the very file that a source reads, by whatever name."""
    try:
        if str(source) == "-":
            return os.path.samestat(os.fstat(sys.stdin.fileno()), path.stat())
        other = None if isinstance(source, int) else _path(str(source))
        return other is not None and other.samefile(path)
    except (OSError, ValueError, AttributeError):  # one of them does not exist, or standard input is closed
        return False


def _path(text: str) -> Path | None:
    """The path that a text names, as it stands, as an address of a file, or in the home folder; None for other sources."""
    path = Path(text)
    if text != "-" and exists(path):
        return path
    if text.lower().startswith("file:"):
        return Path(url2pathname(urlsplit(text).path))
    other = text == "-" or "://" in text or (text.isdecimal() and text.isascii())
    return None if other else home_path(path)


def _pictures(path: Path, rate: Fraction | None) -> Source | None:
    """Pictures in files; None for other files.

    Raises:
        VideoError: there is nothing.
    """
    if exists(path):
        if path.is_dir():
            return open_folder(path, rate)
        return open_picture(path, rate) if path.is_file() else None
    pictures = open_pattern(path, rate)
    if pictures is None:
        raise VideoError(f"{path}: expected a video file, a folder of images, a camera's number or a stream's URL; found nothing there")
    return pictures


def _file(path: Path, settings: _Settings) -> Source:
    if path.is_char_device() and path.resolve().name.startswith("video"):
        return _live(str(path), camera_format(), settings)
    # the prefix keeps colons in names from being read as a protocol
    if path.suffix.lower() == ".sdp":
        return _live(f"file:{path}", "sdp", settings._replace(options={"protocol_whitelist": "file,udp,rtp,tcp", **settings.options}))
    return VideoFile(f"file:{path}", path if path.is_file() else None, str(path), settings.options, settings.stream)


def _live(name: str, format: str, settings: _Settings) -> Source:
    def connect(patience: float) -> InputContainer:
        return open_container(name, format, settings.options, patience, name.removeprefix("file:"))

    return LiveStream(name.removeprefix("file:"), connect, settings.stream, settings.reconnect)


def _address(url: str, settings: _Settings) -> Source:
    container = open_container(url, options=settings.options, patience=PATIENCE)
    if urlsplit(url).scheme.lower() in ("http", "https") and is_recorded(container):
        return VideoFile(url, options=settings.options, stream=settings.stream, container=container)
    return LiveStream(
        url, lambda patience: open_container(url, None, settings.options, patience), settings.stream, settings.reconnect, container
    )
