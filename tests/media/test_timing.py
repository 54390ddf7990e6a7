from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fear.media.source import SourceReport
from fear.media.timing import LiveClock, repaired_times

STEP = 0.04


def repaired(stamps: list[float | None], restarts: bool = False) -> tuple[Any, int]:
    report = SourceReport()
    times = [time for time, _ in repaired_times(((stamp, None) for stamp in stamps), STEP, report, restarts)]
    return times, report.repaired_times


REGULAR: list[float] = [k * STEP for k in range(20)]


def test_good_stamps_stay_as_they_are_and_begin_at_zero() -> None:
    assert repaired([stamp + 7 for stamp in REGULAR]) == (pytest.approx(REGULAR), 0)


@pytest.mark.parametrize("wild", [-1e6, -1.0, 0.0, 1e6, 3.0])
@pytest.mark.parametrize("place", [0, 1, 10, 18])
def test_one_wild_stamp_alone_is_replaced(wild: float, place: int) -> None:
    stamps = [stamp + 0.5 for stamp in REGULAR]
    stamps[place] = wild
    times, repairs = repaired(list(stamps))
    if place == 0 and wild < stamps[1]:  # nothing tells that the first one is wrong
        assert times == pytest.approx([0.0, *(stamp - wild for stamp in stamps[1:])])
    else:
        assert (times, repairs) == (pytest.approx(REGULAR), 1)


def test_a_clock_that_begins_anew_goes_on() -> None:
    assert repaired([*REGULAR, *REGULAR]) == (pytest.approx([k * STEP for k in range(40)]), 1)


def test_a_jump_forwards_is_a_gap_unless_the_clock_may_begin_anew() -> None:
    stamps: list[float | None] = [*REGULAR, *(stamp + 1000 for stamp in REGULAR)]
    assert repaired(stamps) == (pytest.approx(stamps), 0)
    assert repaired(stamps, restarts=True) == (pytest.approx([k * STEP for k in range(40)]), 1)


def test_missing_stamps_follow_the_usual_step() -> None:
    stamps: list[float | None] = [*REGULAR]
    stamps[5] = stamps[6] = None
    assert repaired(stamps) == (pytest.approx(REGULAR), 2)
    assert repaired([None] * 20) == (pytest.approx(REGULAR), 0)


def test_stamps_in_a_wrong_order_grow_again() -> None:
    stamps: list[float | None] = [*REGULAR]
    stamps[3], stamps[4] = stamps[4], stamps[3]
    times, repairs = repaired(stamps)
    assert times == sorted(set(times))
    assert times[:3] + times[6:] == pytest.approx(REGULAR[:3] + REGULAR[6:])
    assert repairs in (1, 2)


@given(st.lists(st.one_of(st.none(), st.integers(-(10**9), 10**9).map(lambda ticks: ticks / 90_000)), max_size=30), st.booleans())
def test_times_always_grow_from_zero(stamps: list[float | None], restarts: bool) -> None:
    times, _ = repaired(stamps, restarts)
    assert len(times) == len(stamps)
    assert all(later > earlier for earlier, later in pairwise(times))
    assert not times or times[0] == 0


def test_live_stamps_count_as_long_as_they_are_plausible() -> None:
    report = SourceReport()
    clock = LiveClock(report)
    assert [clock.time(100 + k * STEP, 5 + k * STEP + 0.01 * (k % 3)) for k in range(10)] == pytest.approx([k * STEP for k in range(10)])
    assert report.repaired_times == 0


def test_live_clock_that_runs_backwards_goes_on_by_arrival() -> None:
    report = SourceReport()
    clock = LiveClock(report)
    times = [clock.time(stamp, arrival) for stamp, arrival in ((10.0, 0.0), (14.6, 4.6), (9.0, 7.0), (9.04, 7.05), (1e5, 7.1))]
    assert times == pytest.approx([0, 4.6, 7.0, 7.04, 7.09])
    assert report.repaired_times == 2


def test_live_time_passes_while_a_stream_is_cut() -> None:
    report = SourceReport()
    clock = LiveClock(report)
    clock.time(3.0, 0.0)
    clock.resume()
    assert clock.time(0.0, 8.0) == pytest.approx(8.0)
    assert clock.time(STEP, 8.0) == pytest.approx(8.0 + STEP)
    assert report.repaired_times == 0


def test_without_stamps_arrival_counts() -> None:
    clock = LiveClock(SourceReport(), by_arrival=True)
    assert [clock.time(k / 25, k / 10) for k in range(5)] == pytest.approx([k / 10 for k in range(5)])
