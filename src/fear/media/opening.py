"""Opens what FFmpeg reads, and chooses the film among its streams of pictures."""

from __future__ import annotations

import time
from collections.abc import Mapping

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from fear.errors import VideoError
from fear.media.source import reason

PATIENCE = 10.0
"""Seconds that a live source may send nothing."""

_NOT_A_FILM = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
_STILLS = ("png", "bmp", "gif", "webp", "tiff", "mjpeg")  # what cover pictures are coded with


_PLAYLISTS = ("hls", "applehttp", "dash")
"""Formats that name the pieces of a video; their own size says nothing."""


def open_container(
    name: str,
    format: str | None = None,
    options: Mapping[str, str] | None = None,
    patience: float | None = None,
    title: str | None = None,
) -> InputContainer:
    """Opens a file, device or address.

    Args:
        name: What FFmpeg opens.
        format: Forces one of FFmpeg's input formats.
        options: FFmpeg's options for the protocol, format and decoder.
        patience: Seconds without data until it gives up, both at opening and at each reading; without it, it waits for ever.
        title: What messages call it; without it, its name.

    Raises:
        VideoError: it cannot be opened, or holds no stream of pictures.
    """
    title, start = title or name, time.monotonic()
    try:
        container = av.open(name, format=format, options=dict(options or {}), timeout=patience, metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError) as error:
        if patience is not None and time.monotonic() - start >= patience:  # RTSP calls it invalid data
            raise VideoError(f"{title}: expected a stream that sends pictures, got no data for {patience:g} s") from error
        raise VideoError(f"{title}: expected a video that can be opened ({reason(error)})") from error
    if not container.streams.video:
        container.close()
        raise VideoError(f"{title}: expected a video, found no stream of pictures in it")
    return container


def is_recorded(container: InputContainer) -> bool:
    """Whether an opened address hands out a recording, which has an end, rather than what happens now."""
    playlist = any(name in _PLAYLISTS for name in container.format.name.split(","))
    return container.duration is not None or (container.size > 0 and not playlist)


def choose_stream(container: InputContainer, number: int | None = None, title: str | None = None) -> VideoStream:
    """The stream of pictures to read.

    Args:
        container: An opened video.
        number: Counts the streams of pictures from 0. Without it, cover pictures and thumbnails come last, then streams of a single frame;
            among the others the default one is taken, and else the largest.
        title: What messages call it.

    Raises:
        VideoError: there is no such stream, nothing that decodes it, or without a number only a cover picture.
    """
    streams, title = container.streams.video, title or container.name
    if number is not None and not 0 <= number < len(streams):
        raise VideoError(f"{title}: expected the number of a stream of pictures, 0 to {len(streams) - 1}, got {number}")
    stream = max(streams, key=_preference) if number is None else streams[number]
    if number is None and stream.disposition & Disposition.attached_pic:
        raise VideoError(f"{title}: expected a video, found only a cover picture (stream of pictures {streams.index(stream)})")
    if stream.codec_context is None:
        raise VideoError(f"{title}: expected pictures in a known format, found no decoder for them")
    return stream


def _preference(stream: VideoStream) -> tuple[bool, bool, bool, bool, bool, int]:
    codec = stream.codec_context
    if codec is None:
        return (False,) * 5 + (0,)
    return (
        True,
        not stream.disposition & _NOT_A_FILM,
        stream.frames != 1,
        codec.name not in _STILLS,
        bool(stream.disposition & Disposition.default),
        codec.width * codec.height,
    )
