"""Times that can be relied on: they grow from frame to frame, in plausible steps, whatever the stamps of a source say."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from fear.media.source import SourceReport

Item = TypeVar("Item")

_JUMP = 10.0  # seconds; FFmpeg takes larger steps in broadcast formats for a new beginning of the clock
_LIVE_JUMP = 5.0  # seconds that a live clock may be ahead of the arrival of its frames
_SAME = 1e-9  # seconds; stamps that lie closer are equal but for rounding
_TINY = 1e-3  # seconds; the smallest step of a live clock


def repaired_times(
    stamped: Iterable[tuple[float | None, Item]], step: float, report: SourceReport, restarts: bool = False
) -> Iterator[tuple[float, Item]]:
    """Gives each picture of a file its time in seconds since the first.

    Two pictures are read ahead. A single stamp that does not lie between its neighbours is replaced by one that does. Where the clock goes
    on from another value, all later stamps are moved so that the video continues with the usual step. A missing stamp is the one before
    it plus the usual step.

    Args:
        stamped: A stamp in seconds or None, and anything that belongs to it.
        step: Usual seconds between pictures.
        report: Gets the number of repairs.
        restarts: The clock of this format may begin anew, as broadcast formats' do, so that a jump forwards is a new beginning as well.
    """
    items = iter(stamped)
    ahead: deque[tuple[float | None, Item]] = deque()
    failure = _extend(ahead, items, 3)
    repair = _Repair(step, report, restarts, unstamped=bool(ahead) and ahead[0][0] is None)
    while ahead:
        stamp, item = ahead.popleft()
        yield repair.time(stamp, *(ahead[k][0] if len(ahead) > k else None for k in range(2))), item
        failure = failure or _extend(ahead, items, 1)
    if failure is not None:
        raise failure


def _extend(ahead: deque[Item], items: Iterator[Item], count: int) -> Exception | None:
    """Reads up to so many items ahead; an error is returned, since those that came before it are shown first."""
    try:
        ahead.extend(islice(items, count))
    except Exception as error:  # raised by the caller when its time has come
        return error
    return None


class _Repair:
    """Places one stamp after the other; arguments as for `repaired_times`.

    Args:
        unstamped: The source has no stamps at all, so that missing ones are no fault.
    """

    def __init__(self, step: float, report: SourceReport, restarts: bool, unstamped: bool) -> None:
        self._step, self._report, self._restarts, self._unstamped = step, report, restarts, unstamped
        self._offset, self._first = 0.0, 0.0
        self._last: float | None = None

    def time(self, stamp: float | None, after: float | None, second: float | None) -> float:
        """Seconds since the first picture, of a picture with this stamp, before two with these."""
        if self._last is None:
            self._last = self._first = self._beginning(stamp, after, second)
        else:
            self._last = self._next(self._last, stamp, after)
        return self._last - self._first

    def _beginning(self, stamp: float | None, after: float | None, second: float | None) -> float:
        if stamp is None:
            return 0.0
        if after is None or after > stamp or (second is not None and second > stamp):
            return stamp
        self._report.repaired_times += 1
        return after - self._step

    def _next(self, last: float, stamp: float | None, after: float | None) -> float:
        usual = last + self._step
        if stamp is None:
            self._report.repaired_times += not self._unstamped
            return usual
        time = stamp + self._offset
        after = None if after is None else after + self._offset
        if after is not None and after - last > _SAME and not _SAME < time - last < after - last:
            # the next one goes on from the last, so that this one alone is wrong
            self._report.repaired_times += 1
            return usual if usual + self._step / 2 < after else (last + after) / 2
        if time - last < _SAME or (self._restarts and time > last + max(_JUMP, 3 * self._step)):
            self._report.repaired_times += 1
            self._offset += usual - time
            return usual
        return time


class LiveClock:
    """Times of a live source's frames, in seconds since the first.

    The stamps of the source count as long as they agree with the arrival of the frames to some seconds. A clock that jumps, runs
    backwards or begins anew after a cut is set to the time that has passed at our side.

    Args:
        report: Gets the number of repairs.
        by_arrival: The source has no stamps of its own, so that the arrival alone counts.
    """

    def __init__(self, report: SourceReport, by_arrival: bool = False) -> None:
        self._report = report
        self.by_arrival = by_arrival
        self._offset: float | None = None
        self._last: float | None = None
        self._last_arrival = 0.0

    def resume(self) -> None:
        """The source was cut and came back: its next stamp may be anything."""
        self._offset = None

    def time(self, stamp: float | None, arrival: float) -> float:
        """The time of the next frame.

        Args:
            stamp: Seconds by the source's clock, where it has one.
            arrival: Seconds by our clock, at which the frame came.
        """
        passed = 0.0 if self._last is None else self._last + max(arrival - self._last_arrival, _TINY)
        if self.by_arrival or stamp is None:
            time = passed
        else:
            if self._offset is None:
                self._offset = passed - stamp
            time = stamp + self._offset
            if self._last is not None and not self._last < time <= passed + _LIVE_JUMP:
                self._offset = passed - stamp
                time = passed
                self._report.repaired_times += 1
        self._last, self._last_arrival = time, arrival
        return time
