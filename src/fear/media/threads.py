"""Reading ahead and writing behind, each in a thread of its own, so that decoding, tracking and encoding overlap.

Decoders and encoders leave Python's lock alone while they work, so threads are enough.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from fear.media.source import Frame
from fear.media.streams import LiveStream

Item = TypeVar("Item")

_DEPTH = 4  # frames that wait, at most: enough to even out a slow one, little memory


class ReadAhead:
    """The frames of a source, read by a thread.

    Args:
        source: Iterated once, in the thread.
        drop_late: A frame that nobody took when the next one arrives is dropped, as a live picture demands; the first never is.
    """

    def __init__(self, source: Iterable[Frame], drop_late: bool = False) -> None:
        self._source, self._drop_late = source, drop_late
        self._waiting: deque[Frame] = deque()
        self._changed = threading.Condition()
        self._stopped = self._ended = False
        self._first: int | None = None  # its number
        self._error: BaseException | None = None
        self.dropped = 0
        """Frames that came too fast."""
        self._thread = threading.Thread(target=self._read, name="fear-read", daemon=True)

    def _read(self) -> None:
        try:
            for frame in self._source:
                if not self._offer(frame):
                    return
        except BaseException as error:  # handed to whoever takes the frames
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _offer(self, frame: Frame) -> bool:
        """Puts a frame where it can be taken; False where nobody wants more."""
        with self._changed:
            self._first = frame.index if self._first is None else self._first
            if self._drop_late and self._waiting and self._waiting[-1].index != self._first:
                self._waiting.pop()
                self.dropped += 1
            self._changed.wait_for(lambda: self._stopped or len(self._waiting) < _DEPTH)
            self._waiting.append(frame)
            self._changed.notify_all()
            return not self._stopped

    def __iter__(self) -> Iterator[Frame]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    break
                frame = self._waiting.popleft()
                self._changed.notify_all()
            yield frame
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if isinstance(self._source, LiveStream):  # it may be waiting for its stream to come back
            self._source.stop()
        self._thread.join()  # the source may be closed only when nobody reads from it


class WriteBehind(Generic[Item]):
    """Hands items to a slow consumer in a thread, in order.

    Args:
        consume: Called in the thread, item by item; what it raises is raised by the next `put`, or at the end.
    """

    def __init__(self, consume: Callable[[Item], None]) -> None:
        self._consume = consume
        self._waiting: deque[Item] = deque()
        self._changed = threading.Condition()
        self._finished = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="fear-write", daemon=True)

    def put(self, item: Item) -> None:
        """Hands over an item; waits while too many are waiting."""
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or len(self._waiting) < _DEPTH)
            self._raise()
            self._waiting.append(item)
            self._changed.notify_all()

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            self._finished = True
            raise error

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._finished)
                if not self._waiting:
                    return
                item = self._waiting.popleft()
                self._changed.notify_all()
            try:
                self._consume(item)
            except BaseException as error:  # handed to whoever puts
                with self._changed:
                    self._error, self._finished = error, True
                    self._waiting.clear()
                    self._changed.notify_all()
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._changed:
            self._finished = True
            self._changed.notify_all()
        self._thread.join()
        if error is None:
            self._raise()
