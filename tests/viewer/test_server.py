"""The page's server: who may ask, and what it answers."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from clips import found, picture
from fear.media.reader import Frame
from fear.tracking.track import Track
from fear.viewer.screen import Quit, Wish
from fear.viewer.server import PageScreen

FRAME = Frame(7, 0.25, picture(0))  # 128 × 96


class Page:
    """A screen, and a browser that has its address."""

    def __init__(self) -> None:
        addresses: list[str] = []
        self.screen = PageScreen(on_ready=addresses.append)
        self.address = addresses[0]

    def get(self, path: str) -> tuple[bytes, dict[str, str]]:
        with urllib.request.urlopen(self.address + path, timeout=20) as response:
            return response.read(), dict(response.headers)

    def state(self, version: int = -1, number: int = -1) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.get(f"state?version={version}&picture={number}")[0])
        return state

    def act(self, **wish: Any) -> dict[str, Any]:
        request = urllib.request.Request(self.address + "act", json.dumps(wish).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                answer = json.load(error)
        return answer

    def status(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> int:
        address = urlsplit(self.address)
        connection = HTTPConnection(address.netloc, timeout=20)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        status = connection.getresponse().status
        connection.close()
        return status


@pytest.fixture
def page() -> Iterator[Page]:
    made = Page()
    yield made
    made.screen.close()


def in_thread(call: Any, *arguments: Any) -> tuple[threading.Thread, list[Any]]:
    """Calls in a thread, as the run does; the list gets the answer or the exception."""
    answers: list[Any] = []

    def work() -> None:
        try:
            answers.append(call(*arguments))
        except BaseException as error:
            answers.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, answers


def wait_for(page: Page, mode: str) -> dict[str, Any]:
    state = page.state()
    while state["mode"] != mode:
        state = page.state(state["version"], state["picture"])
    return state


def test_the_page_may_load_its_own_files_and_nothing_else(page: Page) -> None:
    for name, kind in (("", "html"), ("page.js", "javascript"), ("drawing.js", "javascript"), ("page.css", "css"), ("icon.svg", "svg")):
        data, headers = page.get(name)
        assert len(data) > 100
        assert kind in headers["Content-Type"]
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert "worker-src" not in policy
    assert b"<script type" in page.get("")[0]
    assert b"//" not in page.get("")[0].replace(b"</", b"")  # nothing from elsewhere


def test_only_who_knows_the_address_may_look_or_steer(page: Page) -> None:
    word = urlsplit(page.address).path
    assert len(word) > 12
    assert page.status(word) == 200
    for path in ("/", "/state", "/picture", word[:-1], word[:-2] + "x/"):
        assert page.status(path) == 404, path
    for name in ("server.py", "../server.py", "..%2fserver.py"):
        assert page.status(word + name) == 404, name
    assert page.status(word, Host="attacker.example") == 404  # a name that someone points to this machine
    assert page.status(word, Host="localhost:4321") == 200  # through a tunnel
    steer = word + "act"
    wish = b'{"do": "quit"}'
    assert page.status(steer, "POST", wish, Content_Type="text/plain") == 400  # what pages elsewhere may send unasked
    assert page.status(steer, "POST", b"x" * 100_000, Content_Type="application/json") == 400
    assert page.status("/act", "POST", wish, Content_Type="application/json") == 404
    assert page.screen.show(FRAME, []) == Wish.NONE


def test_boxes_are_drawn_on_the_frame_that_is_shown(page: Page) -> None:
    thread, answers = in_thread(page.screen.edit, FRAME, [(1, 2, 30, 40)], True)
    state = wait_for(page, "edit")
    assert (state["frame"], state["time"], state["width"], state["height"]) == (7, 0.25, 128, 96)
    assert state["boxes"] == [[1, 2, 30, 40]]
    data, headers = page.get("picture")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image is not None
    assert found(np.asarray(image, np.uint8)) == pytest.approx(found(picture(0)), abs=1)
    assert int(headers["X-Picture"]) == state["picture"]
    assert page.act(do="start", boxes=[[4, 5, 60, 50], [1, 2, 30, 40]]) == {}
    thread.join(20)
    assert answers == [[(4, 5, 60, 50), (1, 2, 30, 40)]]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"do": "start", "boxes": []}, "expected boxes"),
        ({"do": "start", "boxes": [[1, 2, 0, 4]]}, "above zero"),
        ({"do": "start", "boxes": [[500, 2, 10, 10]]}, "128×96"),
        ({"do": "start", "boxes": [["a", 2, 10, 10]]}, "four numbers"),
        ({"do": "start"}, "expected a wish"),
        ({"do": "dance"}, "expected a wish"),
        ({}, "expected a wish"),
    ],
)
def test_what_cannot_be_done_is_said_on_the_page_and_the_run_waits_on(page: Page, wish: dict[str, Any], words: str) -> None:
    thread, answers = in_thread(page.screen.edit, FRAME, [], True)
    wait_for(page, "edit")
    assert words in page.act(**wish)["error"]
    assert answers == []
    page.act(do="quit")
    thread.join(20)
    assert isinstance(answers[0], Quit)


def test_a_correction_keeps_the_number_of_targets(page: Page) -> None:
    thread, answers = in_thread(page.screen.edit, FRAME, [(1, 2, 30, 40)], False)
    wait_for(page, "edit")
    assert "expected boxes" in page.act(do="start", boxes=[[1, 2, 30, 40], [5, 5, 9, 9]])["error"]
    page.act(do="start", boxes=[[5, 5, 9, 9]])
    thread.join(20)
    assert answers == [[(5, 5, 9, 9)]]


def test_a_run_is_shown_with_its_boxes_and_takes_wishes(page: Page) -> None:
    tracks = [Track((10.0, 50.0, 40.0, 30.0), 0.75, 0.9, False, 0), Track((70.0, 20.0, 20.0, 20.0), 0.1, 0.1, True, 1)]
    assert page.screen.show(FRAME, tracks) == Wish.NONE
    state = page.state()
    assert state["mode"] == "watch"
    assert state["tracks"] == [{"id": 0, "score": 0.75, "lost": False}, {"id": 1, "score": 0.1, "lost": True}]
    image = cv2.imdecode(np.frombuffer(page.get("picture")[0], np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image is not None
    assert np.abs(np.asarray(image, int) - picture(0).astype(int)).max() > 60  # boxes are drawn
    page.act(do="pause")
    assert page.screen.show(FRAME, tracks) == Wish.PAUSE
    for wish in (Wish.STEP, Wish.RESUME, Wish.REDRAW, Wish.QUIT):
        thread, answers = in_thread(page.screen.pause)
        wait_for(page, "paused")
        page.act(do=str(wish))
        thread.join(20)
        assert answers == [wish]


def test_a_question_waits_until_something_has_changed(page: Page) -> None:
    page.screen.show(FRAME, [])
    state = page.state()
    thread, answers = in_thread(page.state, state["version"], state["picture"])
    thread.join(0.3)
    assert thread.is_alive()
    page.screen.show(Frame(8, 0.3, picture(1)), [])
    thread.join(20)
    assert answers[0]["frame"] == 8


def test_a_live_picture_is_held_where_the_drawing_began(page: Page) -> None:
    frames = [Frame(number, number / 30, picture(number)) for number in range(5)]
    assert [page.screen.aim(frame) for frame in frames[:3]] == [None] * 3
    shown = page.state()["picture"]
    assert page.screen.aim(frames[3]) is None  # the browser is a picture behind
    page.act(do="freeze", picture=shown)
    assert page.screen.aim(frames[4]) is frames[2]


def test_the_page_learns_that_the_run_has_ended() -> None:
    page = Page()
    page.screen.show(FRAME, [])
    state = page.state()
    thread, answers = in_thread(page.state, state["version"], state["picture"])
    page.screen.close()
    thread.join(20)
    assert answers[0]["mode"] == "ended"
    with pytest.raises(urllib.error.URLError):
        page.state()


def test_pictures_on_the_page_are_not_larger_than_a_screen(page: Page) -> None:
    page.screen.show(Frame(0, 0.0, np.zeros((1440, 2560, 3), np.uint8)), [])
    image = cv2.imdecode(np.frombuffer(page.get("picture")[0], np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image is not None
    assert image.shape == (720, 1280, 3)
    assert page.state()["width"] == 2560
