"""What shows a run to a person and takes what the person wants."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from fear.geometry.boxes import Box
from fear.media.reader import Frame
from fear.tracking.track import Track

LEAST_SIDE = 4.0
"""Pixels of the frame; what is drawn smaller was a click."""


class Wish(StrEnum):
    """What a person wants of a run."""

    NONE = ""
    PAUSE = "pause"
    RESUME = "resume"
    STEP = "step"
    """One frame more, and pause again."""
    REDRAW = "redraw"
    """Correct the targets in this frame."""
    QUIT = "quit"
    """End the run; what was tracked is kept."""


class Screen(Protocol):
    """A window or a page. Boxes are in pixels of the frame."""

    def aim(self, frame: Frame) -> Frame | None:
        """Shows a live picture; returns the one on which the person begins to draw, or None while there is none.

        Raises:
            Quit: the person ends the run.
        """

    def edit(self, frame: Frame, boxes_xywh: Sequence[Box], may_add: bool) -> list[Box]:
        """Lets the person draw boxes, and returns when it is done.

        Args:
            frame: Where they are drawn.
            boxes_xywh: What is there already.
            may_add: Boxes may be added and removed. Otherwise the given ones can only be drawn again.

        Raises:
            Quit: the person ends the run.
        """

    def show(self, frame: Frame, tracks: Sequence[Track]) -> Wish:
        """Shows a tracked frame, and returns at once."""

    def pause(self) -> Wish:
        """Waits until the person wants something: RESUME, STEP, REDRAW or QUIT."""

    def close(self) -> None:
        """Ends."""


class Quit(Exception):  # noqa: N818  no error: it is what the person wants
    """The person ends the run."""
