from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from fear.media.reader import Frame
from fear.media.threads import ReadAhead, WriteBehind

IMAGE = np.zeros((2, 2, 3), np.uint8)


def frames(count: int, pause: float = 0.0) -> Iterator[Frame]:
    for index in range(count):
        time.sleep(pause)
        yield Frame(index, index / 30, IMAGE)


def test_all_frames_come_in_order() -> None:
    with ReadAhead(frames(50)) as ahead:
        assert [frame.index for frame in ahead] == list(range(50))
    assert ahead.dropped == 0


def test_frames_before_an_error_come_first() -> None:
    def broken() -> Iterator[Frame]:
        yield from frames(3)
        raise ValueError("cable")

    seen = []
    with pytest.raises(ValueError, match="cable"), ReadAhead(broken()) as ahead:
        for frame in ahead:
            seen += [frame.index]
    assert seen == [0, 1, 2]


def test_leaving_early_ends_the_thread() -> None:
    with ReadAhead(frames(10_000)) as ahead:
        assert next(iter(ahead)).index == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "fear-read"]


def test_a_live_source_drops_late_frames_and_counts_them() -> None:
    with ReadAhead(frames(30, pause=0.002), drop_late=True) as ahead:
        seen = []
        for frame in ahead:
            seen.append(frame.index)
            time.sleep(0.02)
    assert seen[0] == 0  # the frame of the given box is never dropped
    assert seen == sorted(seen)
    assert len(seen) + ahead.dropped == 30
    assert ahead.dropped > 5
    assert seen[-1] == 29


def test_without_dropping_a_slow_reader_gets_everything() -> None:
    with ReadAhead(frames(20, pause=0.001)) as ahead:
        seen = []
        for frame in ahead:
            seen.append(frame.index)
            time.sleep(0.003)
    assert seen == list(range(20))


def test_writing_keeps_order_and_finishes() -> None:
    done: list[int] = []

    def slow(item: int) -> None:
        time.sleep(0.002)
        done.append(item)

    with WriteBehind(slow) as behind:
        for k in range(20):
            behind.put(k)
    assert done == list(range(20))


def test_what_was_put_is_written_when_the_caller_fails() -> None:
    done: list[int] = []
    with pytest.raises(RuntimeError, match="caller"), WriteBehind(done.append) as behind:
        behind.put(1)
        behind.put(2)
        raise RuntimeError("caller")
    assert done == [1, 2]


@pytest.mark.parametrize("count", [1, 50])
def test_errors_of_the_writer_reach_the_caller(count: int) -> None:
    def full(item: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), WriteBehind(full) as behind:
        for k in range(count):
            behind.put(k)
            time.sleep(0.001)
