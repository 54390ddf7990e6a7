"""What the loop drives: a tracker of several targets, and how a tracker of one target becomes such a one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from fear.errors import ConfigError, FearError
from fear.geometry.boxes import Box
from fear.media.image import Image, Picture
from fear.media.planes import whole
from fear.tracking.track import Track


class BoxTracker(Protocol):
    """Follows one or several targets from their boxes in the first frame."""

    def init(self, frame: Picture, boxes_xywh: Sequence[Box]) -> None:
        """Starts with the targets of the first frame, (H, W, 3) uint8 RGB or a decoder's planes."""

    def update(self, frame: Picture) -> list[Track]:
        """Finds the targets in the next frame: one track for each, in the order of `init`."""


class OneTarget(Protocol):
    """A tracker of one target, such as `fear.Tracker`, an OpenCV tracker behind our methods, or a user's own class."""

    def init(self, frame: Image, box_xywh: Box) -> None:
        """Starts with the target of the first frame, (H, W, 3) uint8 RGB."""

    def update(self, frame: Image) -> Any:
        """Finds the target in the next frame: a box x, y, width, height, or a `Track`."""


class SingleTarget:
    """Makes a `BoxTracker` of a tracker of one target.

    A tracker that returns boxes alone says nothing about how sure it is: score and similarity of its tracks are NaN, and it is never lost.

    Args:
        tracker: Gets each frame as an RGB array.
    """

    def __init__(self, tracker: OneTarget) -> None:
        self._tracker = tracker
        self._name = type(tracker).__name__

    @contextmanager
    def _named(self, method: str) -> Iterator[None]:
        """Says whose error it is where a tracker of others raises one."""
        try:
            yield
        except (FearError, KeyboardInterrupt):
            raise
        except BaseException as error:  # a tracker that calls `sys.exit` has failed, too
            raise FearError(f"{self._name}.{method} raised {type(error).__name__}: {error}") from error

    def init(self, frame: Picture, boxes_xywh: Sequence[Box]) -> None:
        """Starts with one target.

        Raises:
            ConfigError: another number of boxes than one.
            FearError: The tracker raised something else; the cause holds it.
        """
        if len(boxes_xywh) != 1:
            raise ConfigError(f"{self._name}: expected one target, which is all that it can follow; got {len(boxes_xywh)}")
        with self._named("init"):
            self._tracker.init(whole(frame), boxes_xywh[0])

    def update(self, frame: Picture) -> list[Track]:
        """Finds the target in the next frame.

        Raises:
            FearError: The tracker gives neither a box nor a track, or raised something else; the cause holds it.
        """
        with self._named("update"):
            answer = self._tracker.update(whole(frame))
        track = answer if isinstance(answer, Track) else Track(answer, float("nan"), float("nan"), False)
        try:
            return [_with_plain_values(track)]
        except (TypeError, ValueError, OverflowError) as error:
            raise FearError(f"{self._name}.update: expected a box x, y, width, height or a Track of numbers, got {answer!r}") from error


class Timed:
    """A `BoxTracker` with a clock. Reading the frames is off the clock.

    Args:
        tracker: Is timed.
        on_call: Gets the seconds of each call of `init` and `update`.
    """

    def __init__(self, tracker: BoxTracker, on_call: Callable[[float], None]) -> None:
        self._tracker, self._on_call = tracker, on_call

    def init(self, frame: Picture, boxes_xywh: Sequence[Box]) -> None:
        """See `BoxTracker.init`."""
        start = time.perf_counter()
        self._tracker.init(frame, boxes_xywh)
        self._on_call(time.perf_counter() - start)

    def update(self, frame: Picture) -> list[Track]:
        """See `BoxTracker.update`."""
        start = time.perf_counter()
        tracks = self._tracker.update(frame)
        self._on_call(time.perf_counter() - start)
        return tracks


def _with_plain_values(track: Track) -> Track:
    """The track with numbers as floats; what is no number raises an error."""
    x, y, w, h = (float(value) for value in track.box_xywh)
    return track._replace(box_xywh=(x, y, w, h), score=float(track.score), similarity=float(track.similarity), lost=bool(float(track.lost)))


def given_tracks(boxes_xywh: Sequence[Box]) -> list[Track]:
    """The tracks of the first frame: the given boxes, with score and similarity 1."""
    return [Track(box, 1.0, 1.0, False, number) for number, box in enumerate(boxes_xywh)]
