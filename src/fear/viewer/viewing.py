"""A person at a run: the targets are chosen before it, corrected during it, and the person may pause or end it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fear.errors import FearError
from fear.geometry.boxes import Box
from fear.media.reader import Frame
from fear.tracking.loop import Step
from fear.tracking.protocol import given_tracks
from fear.tracking.tracker import MultiTracker
from fear.viewer.screen import Quit, Screen, Wish


@dataclass
class Viewing:
    """Lets a person choose and watch, on any screen; what `record` asks while it runs.

    Attributes:
        screen: Where it is shown.
        selects: The person draws the targets before the run.
        shows: The person watches the run.
        live: The source does not wait: its picture moves on until the person begins to draw.
        waited: Seconds for which the run waited for the person.
        ended: The person has ended the run.
    """

    screen: Screen
    selects: bool
    shows: bool
    live: bool = False
    waited: float = 0.0
    ended: bool = False
    _stepping: bool = False

    def choose(self, frames: Iterator[Frame], boxes_xywh: Sequence[Box]) -> tuple[Frame, list[Box]]:
        """The frame with which the run begins, and the targets in it.

        Args:
            frames: Of the source; those before the returned one are gone.
            boxes_xywh: Targets that are given already.

        Raises:
            FearError: the person chooses nothing, or the source ends before.
        """
        if not self.selects:
            return _next(frames), list(boxes_xywh)
        try:
            with self._waiting():
                frame = self._aimed(frames) if self.live else _next(frames)
                return frame, self.screen.edit(frame, boxes_xywh, may_add=True)
        except Quit:
            raise FearError("expected a box around a target, got none: the choice was ended") from None

    def watch(self, step: Step, tracker: MultiTracker) -> Step:
        """Shows a step and does what the person wants; returns the step, with other boxes where they were corrected."""
        if not self.shows:
            return step
        wish = self.screen.show(step.frame, step.tracks)
        if self._stepping or wish == Wish.PAUSE:
            with self._waiting():
                wish = self.screen.pause()
        self._stepping = wish == Wish.STEP
        self.ended = wish == Wish.QUIT
        return self._correct(step, tracker) if wish == Wish.REDRAW else step

    def _aimed(self, frames: Iterator[Frame]) -> Frame:
        """The live frame on which the person begins to draw."""
        while True:
            chosen = self.screen.aim(_next(frames))
            if chosen is not None:
                return chosen

    def _correct(self, step: Step, tracker: MultiTracker) -> Step:
        """Lets the person draw targets again; those that were not touched go on as they are."""
        try:
            with self._waiting():
                boxes = self.screen.edit(step.frame, [track.box_xywh for track in step.tracks], may_add=False)
        except Quit:
            self.ended = True
            return step
        tracks = list(step.tracks)
        for number, (track, box) in enumerate(zip(step.tracks, boxes, strict=True)):
            if box != track.box_xywh:
                tracker.correct(step.frame.picture, track.id, box)
                tracks[number] = given_tracks([box])[0]._replace(id=track.id)
        return step._replace(tracks=tracks)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.waited += time.perf_counter() - start


def _next(frames: Iterator[Frame]) -> Frame:
    frame = next(frames, None)
    if frame is None:
        raise FearError("expected a frame to draw on; the source ended before")
    return frame
