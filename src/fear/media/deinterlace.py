"""Interlaced video: pictures that are flagged as two half pictures, of odd and of even rows, are made whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import av
import av.error
from av.filter import Graph

from fear.media.decoding import Decoded


def deinterlaced(pictures: Iterable[Decoded]) -> Iterator[Decoded]:
    """Passes pictures on and deinterlaces those that are flagged, by FFmpeg's filter `bwdif`, one picture for one picture.

    The filter is set up at the first flagged picture, so that other video costs nothing.
    """
    filter_: _Filter | None = None
    failure: Exception | None = None
    try:
        for decoded in pictures:
            if filter_ is not None and not filter_.takes(decoded.picture):
                yield from filter_.rest()
                filter_ = None
            if filter_ is None and decoded.picture.interlaced_frame:
                filter_ = _Filter(decoded.picture)
            if filter_ is None:
                yield decoded
            else:
                yield from filter_.put(decoded)
    except (av.FFmpegError, ValueError, OSError) as error:  # of the source: the pictures before it come first
        failure = error
    if filter_ is not None:
        yield from filter_.rest()
    if failure is not None:
        raise failure


class _Filter:
    """The filter for pictures of one size and format. It needs the picture after each, so that it is one picture late."""

    def __init__(self, first: av.VideoFrame) -> None:
        self._kind = _kind(first)
        self._waiting: deque[Decoded] = deque()
        self._graph = Graph()
        source = self._graph.add_buffer(width=first.width, height=first.height, format=first.format, time_base=first.time_base)
        self._graph.link_nodes(source, self._graph.add("bwdif", "mode=send_frame:deint=interlaced"), self._graph.add("buffersink"))
        self._graph.configure()

    def takes(self, picture: av.VideoFrame) -> bool:
        return _kind(picture) == self._kind

    def put(self, decoded: Decoded) -> Iterator[Decoded]:
        self._waiting.append(decoded)
        decoded.picture.pts = None  # the filter must not think about the times; they are kept here
        self._graph.vpush(decoded.picture)
        yield from self._finished()

    def rest(self) -> Iterator[Decoded]:
        self._graph.vpush(None)
        yield from self._finished()

    def _finished(self) -> Iterator[Decoded]:
        while self._waiting:
            try:
                picture = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield self._waiting.popleft()._replace(picture=picture)


def _kind(picture: av.VideoFrame) -> tuple[int, int, str]:
    return picture.width, picture.height, picture.format.name
