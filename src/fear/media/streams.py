"""Live sources: cameras and streams. A stream that is cut is opened again, and its frames go on in the same count and time."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self

import av
import av.error
from av.container import InputContainer

from fear.errors import VideoError
from fear.media.conversion import Converter
from fear.media.decoding import Decoder
from fear.media.deinterlace import deinterlaced
from fear.media.opening import PATIENCE, choose_stream, is_recorded
from fear.media.source import FOLDER_RATE, Frame, SourceReport, reason
from fear.media.start import BEGINNING
from fear.media.timing import LiveClock

RECONNECT = 30.0
"""Seconds for which a stream that was cut is tried again."""

_WAITS = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before the first attempts; the last one before all others

_WITHOUT_STAMPS = ("mpjpeg", "mjpeg", "image2pipe", "jpeg_pipe", "png_pipe", "h264", "hevc", "m4v")
"""Formats whose time stamps are FFmpeg's guess at a rate."""


class LiveStream:
    """A camera, or a stream without an end.

    Args:
        title: What messages call it.
        connect: Opens it; the argument is the number of seconds that it may send nothing.
        stream: Number of the stream of pictures; without it, the best is taken.
        reconnect: Seconds for which it is tried again after a cut; 0 ends at the first cut.
        container: An opened one, where the caller had to look into it.
    """

    live = True
    start = BEGINNING
    count: int | None = None
    sound = None  # frames of a live source may be left out, so that its sound would not fit

    def __init__(
        self,
        title: str,
        connect: Callable[[float], InputContainer],
        stream: int | None = None,
        reconnect: float = RECONNECT,
        container: InputContainer | None = None,
    ) -> None:
        self._by_http = title.startswith(("http:", "https:"))
        self._title, self._connect, self._number, self._reconnect = title, connect, stream, reconnect
        self._stopped = threading.Event()
        self.report = SourceReport()
        self._converter = Converter(self.report)
        self._clock = LiveClock(self.report)
        self._frames = 0
        self._next_index = 0
        self._over = False
        self._cut_at, self._attempts = 0.0, 0  # when the connection was cut, and the attempts to open it again
        self._use(container if container is not None else connect(PATIENCE))

    def _use(self, container: InputContainer) -> None:
        self._container = container
        self._stream = choose_stream(container, self._number, self._title)
        self._stream.thread_type = "AUTO"
        self.rate: Fraction = self._stream.average_rate or self._stream.guessed_rate or FOLDER_RATE
        self._pixel_aspect = self._stream.sample_aspect_ratio or Fraction(1)
        self._clock.by_arrival = any(name in _WITHOUT_STAMPS for name in container.format.name.split(","))

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a shown pixel divided by its height."""
        return 1 / self._pixel_aspect if self._converter.orientation.transposed else self._pixel_aspect

    def stop(self) -> None:
        """Ends waiting for a stream to come back; may be called from another thread."""
        self._stopped.set()

    def __iter__(self) -> Iterator[Frame]:
        cut = ""
        while not self._stopped.is_set():
            before = self._frames
            failed = False
            try:
                yield from self._until_cut(reconnected=bool(cut))
                cut = "it ended"
            except av.error.ExitError:
                cut, failed = f"no data for {PATIENCE:g} s", True
            except (av.FFmpegError, ValueError, OSError) as error:
                # this is how FFmpeg says that a server closed a connection for which it had told no length
                failed = not (self._by_http and getattr(error, "errno", None) == errno.EIO)
                cut = reason(error) if failed else "it ended"
            self._container.close()
            if self._frames == 0:
                raise VideoError(f"{self._title}: expected frames, found none in it ({cut})")
            if self._stopped.is_set() or self._back(silent=self._frames == before, failed=failed):
                continue
            if failed:
                raise VideoError(f"{self._title}: it was cut off after {self._frames} frames ({cut}){self._tried()}")
            self.report.ended = f"the stream ended after {self._frames} frames{self._tried()}"
            return

    def _tried(self) -> str:
        return f", and did not come back within {self._reconnect:g} s" if self._reconnect > 0 and not self._over else ""

    def _until_cut(self, reconnected: bool) -> Iterator[Frame]:
        decoder = Decoder(self._container, self._stream, self.report, self._next_index, live=True)
        for decoded in deinterlaced(decoder):
            arrival = time.monotonic()
            if reconnected:
                self.report.reconnects += 1
                reconnected = False
            shown = self._converter(decoded.picture)
            self._frames, self._next_index = self._frames + 1, decoded.number + 1
            seconds = self._clock.time(decoded.stamp, arrival)
            if self.start.reached(decoded.number, seconds):
                yield Frame(decoded.number, seconds, *shown)

    def _back(self, silent: bool, failed: bool) -> bool:
        """Opens the stream again, with growing waits; False where that failed for too long.

        Args:
            silent: The connection that ended gave no frame, so that the time since the last frame counts on.
            failed: The connection was cut, rather than closed by the other side.
        """
        if not silent:
            self._cut_at, self._attempts = time.monotonic(), 0
        while True:
            left = self._cut_at + self._reconnect - time.monotonic()
            wait = _WAITS[min(self._attempts, len(_WAITS) - 1)]
            self._attempts += 1
            if wait >= left or self._stopped.wait(wait):
                return False
            try:
                container = self._connect(min(PATIENCE, left - wait))
                if not failed and is_recorded(container):  # a broadcast that is over is now offered as a recording
                    container.close()
                    self._over = True
                    return False
                self._use(container)
            except VideoError:
                continue
            self._clock.resume()
            return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        self._container.close()
