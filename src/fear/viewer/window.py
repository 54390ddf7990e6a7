"""The screen as a window of OpenCV, where the installed OpenCV and the system have windows."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import cv2
import numpy as np

from fear.annotations.draw import PALETTE, draw_tracks
from fear.geometry.boxes import Box
from fear.media.image import Image
from fear.media.planes import whole
from fear.media.reader import Frame
from fear.tracking.protocol import given_tracks
from fear.tracking.track import Track
from fear.viewer.screen import LEAST_SIDE, Quit, Wish

TITLE = "fear track"
_WIDEST, _HIGHEST = 1280, 760  # pixels of a picture in the window
_TICK = 20  # ms between two looks at the keyboard while a person draws
_BAR, _FONT = 26, cv2.FONT_HERSHEY_SIMPLEX  # pixels of the line that names the keys
_ENTER, _ESCAPE, _BACKSPACE = (10, 13), 27, (8, 127)
_WISHES = {ord(" "): Wish.PAUSE, ord("n"): Wish.STEP, ord("r"): Wish.REDRAW, ord("q"): Wish.QUIT}

_AIMING = "drag a box around the target: the picture stays   Q ends"
_ADDING = "drag boxes   Enter starts   Backspace takes the last one back   Esc gives up a drawing   Q ends"
_CORRECTING = "0-9 choose a target   drag its box   Enter goes on   Q ends the run"
_WATCHING = "Space pauses   N one frame   R draws again   Q ends the run"


def has_windows() -> bool:
    """Whether a window can be opened: OpenCV was built with windows, and there is a desktop."""
    desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not desktop:
        return False  # a build with windows would end the whole program
    try:
        cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE)
    except (cv2.error, AttributeError):
        return False
    return True


class WindowScreen:
    """A `Screen` that is a window of OpenCV. All its methods are called by the thread that made it."""

    def __init__(self) -> None:
        cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE)
        cv2.setMouseCallback(TITLE, self._mouse)
        self._scale = 1.0
        self._from: tuple[float, float] | None = None  # where the button went down, in pixels of the frame
        self._draft: Box | None = None
        self._finished: Box | None = None

    def aim(self, frame: Frame) -> Frame | None:
        """See `Screen.aim`."""
        self._paint(frame, whole(frame.shown), [], _AIMING)
        if self._key(1) in (ord("q"), _ESCAPE) or self._closed():
            raise Quit
        return frame if self._from is not None else None

    def edit(self, frame: Frame, boxes_xywh: Sequence[Box], may_add: bool) -> list[Box]:
        """See `Screen.edit`."""
        image, boxes = whole(frame.shown), list(boxes_xywh)
        chosen = len(boxes) if may_add else 0
        while True:
            drawn = boxes + ([self._draft] if self._draft is not None else [])
            self._paint(frame, image, drawn, _ADDING if may_add else f"target {chosen}: {_CORRECTING}")
            key = self._key(_TICK)
            if self._finished is not None:
                boxes[chosen : chosen + 1] = [self._finished]
                self._finished, chosen = None, len(boxes) if may_add else chosen
            if key in _ENTER and boxes:
                return boxes
            if key in _BACKSPACE and may_add and boxes:
                boxes.pop()
                chosen = len(boxes)
            elif key == _ESCAPE:
                self._from = self._draft = None
            elif ord("0") <= key <= ord("9") and key - ord("0") < len(boxes):
                chosen = key - ord("0")
            elif key == ord("q") or self._closed():
                raise Quit

    def show(self, frame: Frame, tracks: Sequence[Track]) -> Wish:
        """See `Screen.show`."""
        self._paint(frame, whole(draw_tracks(frame.shown, tracks)), [], _WATCHING)
        self._finished = self._from = self._draft = None  # what is dragged now is no box
        return Wish.QUIT if self._closed() else _WISHES.get(self._key(1), Wish.NONE)

    def pause(self) -> Wish:
        """See `Screen.pause`."""
        while not self._closed():
            wish = _WISHES.get(self._key(_TICK), Wish.NONE)
            if wish != Wish.NONE:
                return Wish.RESUME if wish == Wish.PAUSE else wish
        return Wish.QUIT

    def close(self) -> None:
        """Closes the window."""
        if not self._closed():
            cv2.destroyWindow(TITLE)

    def _mouse(self, event: int, x: int, y: int, flags: int, data: object) -> None:  # noqa: ARG002  OpenCV's signature
        place = x / self._scale, y / self._scale
        if event == cv2.EVENT_LBUTTONDOWN:
            self._from = place
        elif self._from is not None and event in (cv2.EVENT_MOUSEMOVE, cv2.EVENT_LBUTTONUP):
            (ax, ay), (bx, by) = self._from, place
            box = min(ax, bx), min(ay, by), abs(ax - bx), abs(ay - by)
            self._draft = box if min(box[2:]) >= LEAST_SIDE else None
            if event == cv2.EVENT_LBUTTONUP:
                self._finished, self._draft, self._from = self._draft, None, None

    def _paint(self, frame: Frame, image: Image, boxes: Sequence[Box], keys: str) -> None:
        """Shows a picture of the frame, boxes with numbers, and a line that names the keys."""
        height, width = frame.picture.shape[:2]
        self._scale = min(1.0, _WIDEST / width, _HIGHEST / height)
        picture = np.ascontiguousarray(image[..., ::-1])
        if self._scale < 1:
            picture = cv2.resize(picture, None, fx=self._scale, fy=self._scale, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        for track in given_tracks(boxes):
            x, y, right, bottom = (round(value * self._scale) for value in track.box_xyxy)
            red, green, blue = PALETTE[track.id % len(PALETTE)]
            cv2.rectangle(picture, (x, y), (right, bottom), (blue, green, red), 2)
            cv2.putText(picture, str(track.id), (x + 3, y + 18), _FONT, 0.6, (blue, green, red), 2, cv2.LINE_AA)
        bar = np.zeros((_BAR, picture.shape[1], 3), np.uint8)
        cv2.putText(bar, keys, (6, 18), _FONT, 0.45, (230, 230, 230), 1, cv2.LINE_AA)
        cv2.imshow(TITLE, np.vstack((picture, bar)))

    def _key(self, wait: int) -> int:
        """The key that was pressed, as a character's number; -1 without one."""
        key = cv2.waitKey(wait)
        return key & 0xFF if key >= 0 else -1

    def _closed(self) -> bool:
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1
