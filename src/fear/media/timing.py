"""Times that can be relied on: they grow from frame to frame, in plausible steps, whatever the stamps of a source say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from fear.media.source import SourceReport

Item = TypeVar("Item")

_JUMP = 10.0  # seconds; FFmpeg takes larger steps in broadcast formats for a new beginning of the clock
_LIVE_JUMP = 5.0  # seconds that a live clock may be ahead of the arrival of its frames
_TINY = 1e-3  # seconds; the smallest step of a live clock


def repaired_times(
    stamped: Iterable[tuple[float | None, Item]], step: float, report: SourceReport, restarts: bool = False
) -> Iterator[tuple[float, Item]]:
    """Gives each picture of a file its time in seconds since the first.

    One picture is read ahead. A single stamp that does not lie between its neighbours is replaced by the middle between them. Where the
    clock goes on from another value, all later stamps are moved so that the video continues with the usual step. A missing stamp is
    the one before it plus the usual step.

    Args:
        stamped: A stamp in seconds or None, and anything that belongs to it.
        step: Usual seconds between pictures.
        report: Gets the number of repairs.
        restarts: The clock of this format may begin anew, as broadcast formats' do, so that a jump forwards is a new beginning as well.
    """
    items = iter(stamped)
    following = next(items, None)
    offset, last, first = 0.0, None, 0.0
    unstamped = following is not None and following[0] is None
    while following is not None:
        (stamp, item), following = following, next(items, None)
        after = following[0] if following is not None else None
        after = None if after is None else after + offset
        if last is None:
            time = stamp if stamp is not None else 0.0
            if after is not None and after <= time:
                time, report.repaired_times = after - step, report.repaired_times + 1
            first = time
        elif stamp is None:
            time = last + step
            report.repaired_times += not unstamped  # a source without any stamps has nothing that could be repaired
        else:
            time = stamp + offset
            jumps = time <= last or (restarts and time > last + max(_JUMP, 3 * step))
            if after is not None and after > last and (time <= last or after <= time):
                # the next one goes on from the last, so that this one alone is wrong
                time, report.repaired_times = _between(last, after, step), report.repaired_times + 1
            elif jumps:
                offset += last + step - time
                time, report.repaired_times = last + step, report.repaired_times + 1
        last = time
        yield time - first, item


def _between(last: float, after: float, step: float) -> float:
    """A time for a picture between two others: the usual step after the one before it where there is room, else the middle."""
    return last + step if last + 1.5 * step < after else (last + after) / 2


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
