"""The window of OpenCV, with a desktop that follows a script: the installed OpenCV has no windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from clips import box, picture
from fear.media.image import Image
from fear.media.reader import Frame
from fear.tracking.track import Track
from fear.viewer.opening import open_screen
from fear.viewer.screen import Quit, Screen, Wish
from fear.viewer.server import PageScreen
from fear.viewer.window import TITLE, WindowScreen, has_windows

DOWN, MOVE, UP = cv2.EVENT_LBUTTONDOWN, cv2.EVENT_MOUSEMOVE, cv2.EVENT_LBUTTONUP
ENTER, ESCAPE, BACKSPACE = 13, 27, 8
FRAME = Frame(4, 0.1, picture(0))  # 128 × 96


class Desktop:
    """Takes the place of OpenCV's windows. `events` are keys, or calls of the mouse, one at each look at the keyboard."""

    def __init__(self) -> None:
        self.events: list[int | tuple[int, int, int]] = []
        self.shown: list[Image] = []
        self.open = False
        self._mouse: Callable[..., None] = lambda *_: None

    def namedWindow(self, title: str, flags: int) -> None:  # noqa: N802  OpenCV's names
        self.open = True

    def destroyWindow(self, title: str) -> None:  # noqa: N802
        self.open = False

    def setMouseCallback(self, title: str, call: Callable[..., None]) -> None:  # noqa: N802
        self._mouse = call

    def getWindowProperty(self, title: str, what: int) -> float:  # noqa: N802
        return float(self.open)

    def imshow(self, title: str, image: Image) -> None:
        assert title == TITLE
        self.shown.append(image)

    def waitKey(self, wait: int) -> int:  # noqa: N802
        assert wait > 0, "0 would wait for ever"
        assert self.events or wait == 1, "the script ended before the person was done"
        event = self.events.pop(0) if self.events else -1
        if isinstance(event, tuple):
            self._mouse(*event, 0, None)
            return -1
        return event


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Desktop:
    made = Desktop()
    for name in ("namedWindow", "destroyWindow", "setMouseCallback", "getWindowProperty", "imshow", "waitKey"):
        monkeypatch.setattr(cv2, name, getattr(made, name))
    monkeypatch.setenv("DISPLAY", ":0")
    return made


def drag(left: int, top: int, right: int, bottom: int) -> list[int | tuple[int, int, int]]:
    return [(DOWN, left, top), (MOVE, (left + right) // 2, bottom), (UP, right, bottom)]


def test_a_window_is_taken_where_there_are_windows_and_a_page_elsewhere(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses: list[str] = []

    def opened(port: int | None = None) -> Screen:
        screen = open_screen(port, addresses.append)
        screen.close()
        return screen

    assert isinstance(opened(), WindowScreen)
    assert addresses == []
    assert isinstance(opened(port=0), PageScreen)  # who asks for a port wants a page
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert isinstance(opened(), PageScreen)
    assert all(address.startswith("http://127.0.0.1:") for address in addresses)


def test_an_opencv_without_windows_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "namedWindow", refuse)
    assert not has_windows()


def test_boxes_are_drawn_taken_back_and_given_up(desktop: Desktop) -> None:
    screen = WindowScreen()
    desktop.events = [ENTER]  # without a box there is nothing to start
    desktop.events += drag(10, 20, 50, 60)
    desktop.events += [*drag(60, 5, 90, 30), BACKSPACE]
    desktop.events += [(DOWN, 5, 5), (MOVE, 30, 30), ESCAPE, (UP, 40, 40)]  # given up
    desktop.events += [(DOWN, 5, 5), (UP, 6, 6)]  # a click
    desktop.events += [*drag(90, 70, 70, 30), ENTER]  # from corner to corner, either way
    assert screen.edit(FRAME, [], may_add=True) == [(10, 20, 40, 40), (70, 30, 20, 40)]
    height, width = FRAME.picture.shape[:2]
    assert desktop.shown[-1].shape[:2] > (height, width - 1)
    assert (desktop.shown[0][:height] == picture(0)[..., ::-1]).all()  # BGR, and nothing drawn yet
    assert (desktop.shown[-1][:height] != picture(0)[..., ::-1]).any()


def test_a_correction_draws_the_chosen_target_again(desktop: Desktop) -> None:
    screen = WindowScreen()
    given = [(1.0, 2.0, 20.0, 20.0), (40.0, 40.0, 20.0, 20.0)]
    desktop.events = [ord("1"), *drag(50, 50, 80, 90), BACKSPACE, ord("7"), ENTER]
    assert screen.edit(FRAME, given, may_add=False) == [given[0], (50, 50, 30, 40)]


def test_large_pictures_are_shown_smaller_and_boxes_stay_in_pixels_of_the_frame(desktop: Desktop) -> None:
    screen = WindowScreen()
    desktop.events = [-1, *drag(100, 100, 200, 150), ENTER]
    assert screen.edit(Frame(0, 0.0, np.zeros((1440, 2560, 3), np.uint8)), [], may_add=True) == [(200, 200, 200, 100)]
    assert desktop.shown[0].shape[1] == 1280


def test_a_live_picture_stays_when_the_button_goes_down(desktop: Desktop) -> None:
    screen = WindowScreen()
    desktop.events = [-1, (DOWN, 10, 10)]
    assert screen.aim(FRAME) is None
    assert screen.aim(FRAME) is FRAME
    desktop.events = [(MOVE, 20, 20), (UP, 40, 50), ENTER]
    assert screen.edit(FRAME, [], may_add=True) == [(10, 10, 30, 40)]
    desktop.events = [ord("q")]
    with pytest.raises(Quit):
        screen.aim(FRAME)


@pytest.mark.parametrize(
    ("key", "wish"), [(-1, Wish.NONE), (ord(" "), Wish.PAUSE), (ord("r"), Wish.REDRAW), (ord("q"), Wish.QUIT), (ord("x"), Wish.NONE)]
)
def test_keys_during_a_run(desktop: Desktop, key: int, wish: Wish) -> None:
    screen = WindowScreen()
    desktop.events = [key]
    x, y, w, h = box(0)
    assert screen.show(FRAME, [Track((x, y, w, h), 0.9, 0.9, False)]) == wish
    assert (desktop.shown[-1][: FRAME.picture.shape[0]] != picture(0)[..., ::-1]).any()  # the box is drawn


@pytest.mark.parametrize(("key", "wish"), [(ord(" "), Wish.RESUME), (ord("n"), Wish.STEP), (ord("r"), Wish.REDRAW), (ord("q"), Wish.QUIT)])
def test_keys_during_a_pause(desktop: Desktop, key: int, wish: Wish) -> None:
    screen = WindowScreen()
    desktop.events = [-1, ord("x"), key]
    assert screen.pause() == wish


def test_who_closes_the_window_ends_the_run(desktop: Desktop) -> None:
    screen = WindowScreen()
    desktop.open = False
    desktop.events = [-1]
    assert screen.show(FRAME, []) == Wish.QUIT
    assert screen.pause() == Wish.QUIT
    with pytest.raises(Quit):
        screen.edit(FRAME, [], may_add=True)
    screen.close()
