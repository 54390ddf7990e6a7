"""The screen as a page: a server on this machine shows the run to a browser and receives what the person wants.

The page asks again and again for the state, which answers when something has changed, and then for the picture, a JPEG. Pictures are made
when they are asked for, so that a run that nobody watches costs nothing. The address holds a secret word, so that neither other users of
the machine nor other pages of the same browser can look or steer.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fear.annotations.draw import draw_tracks
from fear.demo.pages import HOST, Reply, Request, listen, page_headers
from fear.errors import FearError
from fear.geometry.boxes import Box, parse_box, require_overlap
from fear.media import pixels
from fear.media.planes import whole
from fear.media.reader import Frame
from fear.parsing import parse_json
from fear.tracking.track import Track
from fear.viewer.screen import Quit, Wish

_TYPES = {"index.html": "text/html", "page.js": "text/javascript", "drawing.js": "text/javascript", "page.css": "text/css"}
_PATIENCE = 10.0  # seconds after which a question for the state is answered although nothing has changed
_FAREWELL = 1.0  # seconds in which the page learns that the run has ended
_LARGEST_SIDE = 1280  # pixels of a picture on the page
_QUALITY = 85  # of JPEG
_KEPT = 8  # live frames that a browser may still be showing
_NAMES = ("localhost", HOST, "[::1]")


@dataclass
class _State:
    """What the page shows; the run's thread changes it, the server's threads read it."""

    mode: str = "wait"
    version: int = 0
    picture: int = -1
    """Counts the pictures."""
    frame: Frame | None = None
    tracks: Sequence[Track] = ()
    boxes_xywh: Sequence[Box] = ()
    may_add: bool = True

    def to_json(self) -> dict[str, Any]:
        """As the page gets it."""
        height, width = self.frame.picture.shape[:2] if self.frame else (1, 1)
        tracks = [{"id": track.id, "score": track.score, "lost": bool(track.lost)} for track in self.tracks]
        return {
            "mode": self.mode,
            "version": self.version,
            "picture": self.picture,
            "frame": self.frame and self.frame.index,
            "time": self.frame and self.frame.time,
            "width": width,
            "height": height,
            "tracks": tracks,
            "boxes": [list(box) for box in self.boxes_xywh],
            "may_add": self.may_add,
        }


class PageScreen:
    """A `Screen` that is a page in a browser.

    Args:
        port: Where the page is served; 0 takes any that is free.
        on_ready: Is told the address.

    Raises:
        ConfigError: the port is taken.
    """

    def __init__(self, port: int = 0, on_ready: Callable[[str], None] = lambda address: None) -> None:
        self._changed = threading.Condition()
        self._state = _State()
        self._wish = Wish.NONE
        self._drawn: list[Box] | None = None
        self._held: Frame | None = None
        self._recent: dict[int, Frame] = {}
        self._asked = self._told = False  # somebody has the page open, and knows that the run has ended
        self._word = secrets.token_urlsafe(12)
        self._server = listen(self._answer, page_headers(), port)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="fear-page", daemon=True)
        self._thread.start()
        on_ready(f"http://{HOST}:{self._server.server_port}/{self._word}/")

    # what the run does

    def aim(self, frame: Frame) -> Frame | None:
        """See `Screen.aim`."""
        with self._changed:
            if self._wish == Wish.QUIT:
                raise Quit
            if self._held is None:
                self._put("aim", frame)
                self._recent[self._state.picture] = frame
                self._recent.pop(self._state.picture - _KEPT, None)
            return self._held

    def edit(self, frame: Frame, boxes_xywh: Sequence[Box], may_add: bool) -> list[Box]:
        """See `Screen.edit`."""
        with self._changed:
            self._drawn = None
            self._state.boxes_xywh, self._state.may_add = [*boxes_xywh], may_add
            self._put("edit", frame)
            self._wait_for(lambda: self._drawn is not None or self._wish == Wish.QUIT)
            if self._drawn is None:
                raise Quit
            self._recent.clear()
            self._wish = Wish.NONE
            return self._drawn

    def show(self, frame: Frame, tracks: Sequence[Track]) -> Wish:
        """See `Screen.show`."""
        with self._changed:
            self._put("watch", frame, tracks)
            return self._taken()

    def pause(self) -> Wish:
        """See `Screen.pause`."""
        with self._changed:
            self._state.mode, self._state.version = "paused", self._state.version + 1
            self._changed.notify_all()
            self._wait_for(lambda: self._wish not in (Wish.NONE, Wish.PAUSE))
            return self._taken()

    def close(self) -> None:
        """Tells the page that the run has ended, and ends the server."""
        with self._changed:
            self._state.mode, self._state.version = "ended", self._state.version + 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._told or not self._asked, _FAREWELL)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _put(self, mode: str, frame: Frame, tracks: Sequence[Track] = ()) -> None:
        state = self._state
        state.version += state.mode != mode
        state.mode, state.frame, state.tracks, state.picture = mode, frame, tracks, state.picture + 1
        self._changed.notify_all()

    def _taken(self) -> Wish:
        wish, self._wish = self._wish, Wish.NONE
        return wish

    def _wait_for(self, done: Callable[[], bool]) -> None:
        while not self._changed.wait_for(done, 0.5):  # a wait without end would not let Ctrl-C through on every system
            pass

    # what the page asks

    def _answer(self, request: Request) -> Reply | None:
        word, slash, name = request.path.partition("/")
        host = request.host.rpartition(":")[0] or request.host
        if not slash or host not in _NAMES or not secrets.compare_digest(word.encode(), self._word.encode()):
            return None
        if request.body is not None:
            return self._act(request.body) if name == "act" else None
        if name == "state":
            return self._tell(request.query)
        if name == "picture":
            return self._picture()
        name = name or "index.html"
        kind = "image/svg+xml" if name == "icon.svg" else _TYPES.get(name, "")
        return Reply(files("fear.viewer").joinpath("page", name).read_bytes(), kind) if kind else None

    def _tell(self, query: dict[str, str]) -> Reply:
        """The state, as soon as it is another one than the page knows."""
        version, picture = (_number(query.get(key, "")) for key in ("version", "picture"))
        with self._changed:
            self._asked = True
            self._changed.wait_for(lambda: (self._state.version, self._state.picture) != (version, picture), _PATIENCE)
            self._told = self._state.mode == "ended"
            self._changed.notify_all()
            return _json(self._state.to_json())

    def _picture(self) -> Reply | None:
        with self._changed:
            state = self._state
            frame, tracks, number = state.frame, state.tracks, state.picture
            if state.mode == "edit":
                tracks = ()
        if frame is None:
            return None
        image = whole(draw_tracks(frame.shown, tracks))
        scale = _LARGEST_SIDE / max(image.shape[:2])
        if scale < 1:
            image = pixels.shrink(image, round(image.shape[0] * scale), round(image.shape[1] * scale))
        return Reply(pixels.encode(image, ".jpg", _QUALITY) or b"", "image/jpeg", headers={"X-Picture": str(number)})

    def _act(self, body: bytes) -> Reply:
        """Takes what the person wants; what cannot be done is said on the page."""
        try:
            wanted = parse_json(body)
            with self._changed:
                self._take(wanted)
                self._changed.notify_all()
        except (FearError, KeyError, TypeError, ValueError, OverflowError) as error:
            return _json({"error": str(error) if isinstance(error, FearError) else "expected a wish of the page"}, HTTPStatus.BAD_REQUEST)
        return _json({})

    def _take(self, wanted: dict[str, Any]) -> None:
        match wanted["do"]:
            case "freeze":
                self._held = self._recent.get(int(wanted["picture"]), self._state.frame)
            case "start":
                self._drawn = self._checked(wanted["boxes"])
            case wish:
                self._wish = Wish(wish)

    def _checked(self, boxes: list[Any]) -> list[Box]:
        """The drawn boxes, where they can be tracked."""
        frame, state = self._state.frame, self._state
        if frame is None or state.mode != "edit" or not boxes or not (state.may_add or len(boxes) == len(state.boxes_xywh)):
            raise FearError("expected boxes while they are drawn")
        parsed = [parse_box(box) for box in boxes]
        for box in parsed:
            require_overlap(box, *frame.picture.shape[:2])
        return parsed


def _number(text: str) -> int:
    """A number that the page knows; −1 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else -1


def _json(value: Any, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    return Reply(json.dumps(value).encode(), "application/json", status=status)
