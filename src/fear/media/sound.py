"""The sound of a recorded video, packet by packet, so that an annotated video can carry it along."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer

_CARRIED = ("aac", "mp3", "mp3float", "alac", "opus", "libopus")
"""Codecs that MP4 may hold, that players know, and of which the header of the file needs no packet; others are encoded anew."""

_JUMP = 10.0  # seconds between two packets, from which on the clock has begun anew


class Sound:
    """The best sound of a file, read beside its pictures.

    Args:
        name: What FFmpeg opens.
        start: Seconds by the clock of the file at which the first picture is shown.
        options: FFmpeg's options.
    """

    def __init__(self, name: str, start: float, options: Mapping[str, str] | None = None) -> None:
        self._name, self._start, self._options = name, start, options

    def open(self, later: float = 0.0) -> OpenedSound | None:
        """Begins to read; None where the sound cannot be read.

        Args:
            later: Seconds after the first picture at which it shall begin.
        """
        try:
            return OpenedSound(self._name, self._start + later, self._options)
        except (av.FFmpegError, ValueError, OSError):
            return None


class OpenedSound:
    """Sound that is being read; arguments as for `Sound`."""

    def __init__(self, name: str, start: float, options: Mapping[str, str] | None) -> None:
        self._container = av.open(name, options=dict(options or {}), metadata_errors="replace")
        stream = self._container.streams.best("audio")
        if not isinstance(stream, AudioStream) or stream.codec_context is None or stream.time_base is None:
            self._container.close()
            raise ValueError("no sound that can be read")
        self.stream = stream
        # in transport streams each packet of AAC describes itself, where MP4 needs one description for all
        described = stream.codec_context.name != "aac" or bool(stream.codec_context.extradata)
        self.carried = stream.codec_context.name in _CARRIED and described
        """Whether the packets can be written as they are."""
        self._start = start
        self._packets = self._read()
        self._next: tuple[float, av.Packet[AudioStream]] | None = next(self._packets, None)

    def until(self, time: float) -> Iterator[tuple[float, av.Packet[AudioStream]]]:
        """The packets that begin before this time, in seconds since the first picture, each with its own time."""
        while self._next is not None and self._next[0] <= time:
            yield self._next
            self._next = next(self._packets, None)

    def _read(self) -> Generator[tuple[float, av.Packet[AudioStream]], None, None]:
        offset, last, step = -self._start, -1.0, 0.0
        base = float(self.stream.time_base or 1)
        try:
            for packet in self._container.demux(self.stream):
                stamp = packet.pts if packet.pts is not None else packet.dts
                if not packet.size or stamp is None:
                    continue
                time = stamp * base + offset
                if last >= 0 and not last < time < last + _JUMP:
                    offset += last + step - time
                    time = last + step
                if time >= 0:
                    last, step = time, (packet.duration or 0) * base or 1e-3
                    yield time, packet
        except (av.FFmpegError, ValueError, OSError):
            return  # the pictures tell that the file is damaged; the sound goes as far as it can be read

    def close(self) -> None:
        """Ends reading."""
        self._packets.close()
        self._container.close()


class SoundTrack:
    """The sound of a video that is being written. Codecs that MP4 may hold are copied; others are encoded as AAC.

    Args:
        sound: What is read; it is closed here.
        container: Where it goes, before anything was written.
    """

    def __init__(self, sound: OpenedSound, container: OutputContainer) -> None:
        self._sound, self._container = sound, container
        source = sound.stream
        if sound.carried:
            self._stream: AudioStream = container.add_stream_from_template(source)
        else:
            self._stream = container.add_stream("aac", rate=min(source.codec_context.sample_rate, 48_000))
            self._stream.codec_context.layout = "stereo" if source.codec_context.layout.nb_channels > 1 else "mono"

    @classmethod
    def of(cls, sound: Sound, container: OutputContainer, later: float) -> SoundTrack | None:
        """The track for a sound; None where the sound cannot be read."""
        opened = sound.open(later)
        return None if opened is None else cls(opened, container)

    def write_until(self, time: float, end: bool = False) -> None:
        """Writes what is heard before this time, in seconds of the written video; at the end also what the encoder holds."""
        for begin, packet in self._sound.until(time):
            base = packet.time_base or self._sound.stream.time_base
            assert base is not None
            ticks = round(begin / base)
            if self._sound.carried:
                packet.pts = packet.dts = ticks
                packet.stream = self._stream
                self._container.mux(packet)
            else:
                self._encode(packet, begin)
        if end and not self._sound.carried:
            self._container.mux(self._stream.encode(None))

    def _encode(self, packet: av.Packet[AudioStream], begin: float) -> None:
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError):
            return  # a damaged packet is a short silence
        for frame in frames:
            frame.time_base = Fraction(1, frame.sample_rate)
            frame.pts = round(begin * frame.sample_rate)
            begin += frame.samples / frame.sample_rate
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Ends reading."""
        self._sound.close()
