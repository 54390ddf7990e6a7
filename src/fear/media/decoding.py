"""From packets to pictures: one damaged picture is one lost picture, and every picture keeps its number."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import av
import av.error
from av.codec.context import Flags
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from fear.media.source import SourceReport

_PATIENCE = 100  # errors in a row, without any data between them, after which the rest of a file is given up
_HIDDEN_PICTURES = ("vp6f", "vp8", "libvpx", "vp9", "libvpx-vp9", "mpeg4", "msmpeg4v3", "theora")
"""Decoders whose packets may hold pictures that are never shown, so that a packet without a picture is no loss."""

_DROPS_DAMAGED = ("hevc",)
"""Decoders that leave out every picture that refers to a lost one, up to the next key frame, unless they are told to show it."""

_AFTER_DAMAGE = 4
"""Pictures after a damaged packet; demultiplexers mark the packet before the place where data are missing, or the one after it."""

_TAIL_PACKETS, _TAIL_BYTES = 300, 32_000_000  # of a picture group that is kept for its end


class Decoded(NamedTuple):
    """A picture as the decoder gives it."""

    number: int
    """Its number in the stream, counted from 0 at the first picture that was decoded."""
    stamp: float | None
    """Seconds by the clock of the stream."""
    picture: av.VideoFrame


class _Expected:
    """The stamps of packets whose pictures have not come out yet. Where the clock of a stream begins anew, a new group begins."""

    def __init__(self) -> None:
        self._groups: deque[list[int]] = deque([[]])  # heaps
        self._last_dts: int | None = None
        self.taken = 0
        """Stamps without a picture that the last call of `take` found."""

    @property
    def waiting(self) -> int:
        return sum(map(len, self._groups))

    @property
    def first_group(self) -> list[int]:
        """The stamps before the clock begins anew."""
        return self._groups[0]

    def put(self, pts: int | None, dts: int | None) -> None:
        """Notes a packet, in the order of decoding."""
        if dts is not None:
            if self._last_dts is not None and dts < self._last_dts:
                self._groups.append([])
            self._last_dts = dts
        if pts is not None:
            heapq.heappush(self._groups[-1], pts)

    def take(self, pts: int) -> int:
        """Notes a picture; returns how many packets before it gave none."""
        missing = 0
        while len(self._groups) > 1 and pts not in self._groups[0]:
            missing += len(self._groups.popleft())
        group = self._groups[0]
        while group and group[0] <= pts:
            missing += heapq.heappop(group) < pts
        self.taken = missing
        return missing


class Decoder:
    """Decodes one stream of a container.

    Args:
        container: Opened for reading.
        stream: One of its streams of pictures.
        report: Gets the number of lost and of damaged pictures.
        first: Number of the first picture.
        live: It may begin between two key frames, so that the pictures before the first of these are not missed.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, report: SourceReport, first: int = 0, live: bool = False) -> None:
        self._container, self._stream, self._report = container, stream, report
        self._codec: VideoCodecContext = stream.codec_context
        if self._codec.name in _DROPS_DAMAGED:
            self._codec.flags |= Flags.output_corrupt
        self._broadcast = "mpegts" in container.format.name
        self._only_decoding_order = container.format.name == "avi"  # its stamps say when a packet is decoded, not when it is shown
        self._tick = float(stream.time_base or 0)  # seconds
        self._number = first - 1
        self._first, self._live = first, live
        self._expected = _Expected()
        self._errors = 0  # since the last picture
        self._gap = 0  # how many of the next pictures may come after one whose packets all got lost
        self._damaged: set[int | None] = set()  # stamps of packets of which a part is missing
        self._last_stamp: float | None = None
        self._tail: list[av.Packet[VideoStream]] = []  # the packets since the last key frame, for the end
        self._tail_bytes = 0
        self._last_pts: int | None = None
        self.end = 0.0
        """Seconds by the clock of the stream at which its last packet ends."""

    def __iter__(self) -> Iterator[Decoded]:
        try:
            for packet in self._packets():
                if packet.size == 0:  # the sign that the stream has ended, or a frame of AVI that repeats the one before it
                    continue
                if packet.is_corrupt and not self._broadcast:  # the file ends in the middle of it
                    self._report.lost_pictures += 1
                    continue
                self._note(packet)
                yield from self._numbered(self._decode(packet))
        except (av.FFmpegError, ValueError, OSError):
            yield from self._numbered(self._decode(None))  # the pictures before the place where reading failed
            raise
        yield from self._flush()

    def _packets(self) -> Iterator[av.Packet[VideoStream]]:
        errors = 0
        while True:
            try:
                for packet in self._container.demux(self._stream):
                    errors = 0
                    yield packet
            except av.error.InvalidDataError:
                errors += 1
                if errors > _PATIENCE:
                    raise
            else:
                return

    def _note(self, packet: av.Packet[VideoStream]) -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None:
            self.end = max(self.end, (stamp + (packet.duration or 0)) * self._tick)
        if not packet.is_discard:
            self._expected.put(packet.pts, packet.dts)
        if packet.is_corrupt:
            self._gap = self._expected.waiting + _AFTER_DAMAGE
            self._damaged.add(packet.pts)
        if packet.is_keyframe:
            self._tail, self._tail_bytes = [], 0
        if len(self._tail) < _TAIL_PACKETS and self._tail_bytes < _TAIL_BYTES:
            self._tail.append(packet)
            self._tail_bytes += packet.size

    def _decode(self, packet: av.Packet[VideoStream] | None) -> list[av.VideoFrame]:
        try:
            return self._codec.decode(packet)
        except (av.error.EOFError, av.error.BlockingIOError):
            return []
        except (av.FFmpegError, ValueError):
            self._errors += 1
            return []

    def _numbered(self, pictures: list[av.VideoFrame]) -> Iterator[Decoded]:
        for picture in pictures:
            pts = self._in_order() if self._only_decoding_order and self._codec.has_b_frames else picture.pts
            ticks = pts if pts is not None else picture.dts
            stamp = None if ticks is None or not self._tick else ticks * self._tick
            lost = self._lost_before(pts) + self._lost_with_packets(stamp)
            begun = self._number >= self._first
            if not begun and picture.is_corrupt and self._codec.name in _DROPS_DAMAGED:  # nothing that could be recognised
                self._report.lost_pictures += 0 if self._live else lost + 1
                continue
            self._report.lost_pictures += 0 if self._live and not begun else lost
            self._report.damaged_pictures += picture.is_corrupt or (pts is not None and pts in self._damaged)
            self._damaged.discard(pts)
            self._number += 1 + (lost if begun else 0)
            self._last_pts = pts if pts is not None else self._last_pts
            self._last_stamp = stamp
            yield Decoded(self._number, stamp, picture)

    def _in_order(self) -> int | None:
        """The earliest stamp that no picture has, but for those of pictures that could not be decoded."""
        group = sorted(self._expected.first_group)[: self._errors + 1]
        return group[-1] if group else None

    def _lost_before(self, pts: int | None) -> int:
        """How many pictures should have come before one with this stamp."""
        errors, self._errors = self._errors, 0
        if pts is None:
            return errors
        missing = self._expected.take(pts)
        return min(missing, errors) if self._codec.name in _HIDDEN_PICTURES else missing

    def _lost_with_packets(self, stamp: float | None) -> int:
        """How many pictures are missing because all of their data got lost, by the time that has passed meanwhile."""
        if self._gap <= 0 or stamp is None or self._last_stamp is None:
            return 0
        self._gap -= 1
        steps = round((stamp - self._last_stamp) * float(self._stream.average_rate or 0)) - self._expected.taken
        if not 0 <= steps <= _PATIENCE:
            return 0
        if steps > 1:
            self._gap = 0
        return max(steps - 1, 0)

    def _flush(self) -> Iterator[Decoded]:
        """The pictures that the decoder still holds.

        Several threads decode several pictures at a time. Where one of the last is damaged, the bindings give no access to those behind
        it, so that the last group of pictures is decoded again by one thread.
        """
        yield from self._numbered(self._decode(None))
        if not self._expected.waiting or not self._tail or not self._tail[0].is_keyframe or self._codec.name in _HIDDEN_PICTURES:
            return
        again = av.CodecContext.create(self._codec.name, "r")
        assert isinstance(again, VideoCodecContext)
        again.thread_count = 1
        if self._codec.extradata is not None:
            again.extradata = self._codec.extradata
        pictures: list[av.VideoFrame] = []
        for packet in (*self._tail, None):
            try:
                pictures += again.decode(packet)
            except (av.FFmpegError, ValueError):
                continue
        late = [p for p in pictures if p.pts is not None and (self._last_pts is None or p.pts > self._last_pts)]
        yield from self._numbered(late)
        self._report.lost_pictures += self._expected.waiting
