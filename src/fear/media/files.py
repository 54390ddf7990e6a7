"""Video files: read from the first picture to the last, upright, in order and on time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import InputContainer
from av.stream import Disposition

from fear.errors import VideoError
from fear.media.completeness import missing_bytes
from fear.media.conversion import Converter
from fear.media.decoding import Decoded, Decoder
from fear.media.deinterlace import deinterlaced
from fear.media.opening import choose_stream, open_container
from fear.media.sound import Sound
from fear.media.source import FOLDER_RATE, Frame, SourceReport, reason
from fear.media.start import BEGINNING
from fear.media.timing import repaired_times

STANDARD_INPUT = "fd:"
"""What FFmpeg calls standard input: a file handed over by the shell, in which it can jump, or a pipe, in which it cannot."""

_TOLERANCE = 1.0, 0.05  # seconds and share by which a video may be shorter than announced, where its container does not say its own size


class VideoFile:
    """A recorded video: a file, standard input, or an address that hands out a file.

    Args:
        name: What FFmpeg opens.
        path: The file, where it lies on this machine; it tells whether the file is whole.
        title: What messages call it.
        options: FFmpeg's options.
        stream: Number of the stream of pictures; without it, the best is taken.
        container: An opened one, where the caller had to look into it.
    """

    live = False
    start = BEGINNING

    def __init__(
        self,
        name: str,
        path: Path | None = None,
        title: str | None = None,
        options: Mapping[str, str] | None = None,
        stream: int | None = None,
        container: InputContainer | None = None,
    ) -> None:
        self._name, self._path, self._title, self._options = name, path, title or name, options
        self._container = container if container is not None else open_container(name, options=options, title=self._title)
        self.report = SourceReport()
        self.sound: Sound | None = None
        self._converter = Converter(self.report)
        try:
            self._stream = choose_stream(self._container, stream, self._title)
        except VideoError:
            self._container.close()
            raise
        self._stream.thread_type = "AUTO"
        self.rate: Fraction = self._stream.average_rate or self._stream.guessed_rate or FOLDER_RATE
        self.count: int | None = self._stream.frames or None
        self._pixel_aspect = self._stream.sample_aspect_ratio or Fraction(1)
        self._used = False  # a container is decoded from its beginning to its end, once

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a shown pixel divided by its height."""
        return 1 / self._pixel_aspect if self._converter.orientation.transposed else self._pixel_aspect

    def __iter__(self) -> Iterator[Frame]:
        if self._used:
            raise VideoError(f"{self._title}: expected an open video that was not read yet; open it again")
        self._used = True
        decoder = Decoder(self._container, self._stream, self.report)
        stamped = ((decoded.stamp, decoded) for decoded in deinterlaced(decoder))
        restarts = "mpeg" in self._container.format.name  # broadcast and program streams; MP4 is named otherwise
        frames, reached = 0, False
        try:
            for time, decoded in repaired_times(stamped, float(1 / self.rate), self.report, restarts):
                if frames == 0:
                    self._open_sound(decoded)
                frames += 1
                if not self.start.reached(decoded.number, time):
                    continue
                reached = True
                yield Frame(decoded.number, time, *self._converter(decoded.picture))
        except (av.FFmpegError, ValueError, OSError) as error:
            raise VideoError(self._broken_off(frames, error)) from error
        if frames == 0:
            raise VideoError(f"{self._title}: expected frames, found none in it")
        self._require_end(frames, decoder)
        if not reached:
            raise VideoError(f"{self._title}: expected a start before its end, got {self.start}; it has {frames} frames, {time:.2f} s")

    def _broken_off(self, frames: int, error: Exception) -> str:
        if frames == 0 and self._name == STANDARD_INPUT and "mp4" in self._container.format.name:
            return (
                f"{self._title}: expected an MP4 that can be read from its beginning, got one whose index stands at its end; "
                "give the name of the file, or write it with FFmpeg's option -movflags faststart"
            )
        return f"{self._title}: it breaks off after {frames} frames; expected more ({reason(error)})"

    def _open_sound(self, first: Decoded) -> None:
        if self._container.streams.audio and self._name != STANDARD_INPUT:  # it can be read only once
            self.sound = Sound(self._name, first.stamp or 0.0, self._options)

    def _require_end(self, frames: int, decoder: Decoder) -> None:
        """Raises a VideoError where the file was cut off."""
        missing = None if self._path is None else missing_bytes(self._path)
        if missing:
            raise VideoError(f"{self._title}: it breaks off after {frames} frames; expected a whole file, got one without its end")
        announced = self._announced_end()
        if missing is None and announced is not None:
            slack = max(_TOLERANCE[0], _TOLERANCE[1] * announced)
            if decoder.end < announced - slack:
                raise VideoError(f"{self._title}: it breaks off after {frames} frames; expected {announced:.1f} s, got {decoder.end:.1f} s")

    def _announced_end(self) -> float | None:
        """Seconds by the stream's clock at which it should end, where the container says it for this very stream."""
        stream = self._stream
        if stream.disposition & Disposition.attached_pic:
            return None
        start = float((stream.start_time or 0) * (stream.time_base or 0))
        if stream.duration is not None and stream.time_base is not None:
            return start + float(stream.duration * stream.time_base)
        if self._container.duration is not None and len(self._container.streams) == 1:
            return start + self._container.duration / av.time_base
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._used = True
        self._container.close()
