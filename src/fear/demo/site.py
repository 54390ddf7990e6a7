"""The files of the page: what `web/` was built into, the packaged networks, and a rendered sample.

Networks and rules come from the package, so the page uses the same ones as `fear track`.
"""

from __future__ import annotations

import gzip
import json
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import fear
from fear.config import TrackerConfig
from fear.errors import ConfigError, FearError
from fear.weights import packaged, read_card
from fear.weights.store import written_whole

_log = logging.getLogger(__name__)

_BUILT = Path(__file__).parent / "site"
_XZ = ".xz"
"""Ending of files that the package holds as xz, which is smaller than gzip by a third. Browsers get gzip, because they cannot unpack xz."""
_GRAPHS = ("embed.onnx", "match.onnx")
_RENDERING = threading.Lock()
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp4": "video/mp4",
    ".onnx": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
}


class Content(NamedTuple):
    """One file of the page."""

    data: bytes
    type: str
    """MIME type."""
    compressed: bool
    """Whether the data is compressed with gzip."""


class Site:
    """All files of the page, by their path. Each one is read or made when it is requested.

    Raises:
        FearError: the page was not built into this package.
    """

    def __init__(self) -> None:
        if not (_BUILT / "index.html").is_file():
            raise FearError(f"expected the built page in {_BUILT}, which is not there; in a clone, `make web` builds it")
        self._makers: dict[str, Callable[[], bytes]] = {}
        self._compressed = set()
        for path in sorted(_BUILT.rglob("*")):
            if path.is_file():
                name = path.relative_to(_BUILT).as_posix()
                if path.suffix == _XZ:
                    name = name.removesuffix(_XZ)
                    self._compressed.add(name)
                    self._makers[name] = partial(_as_gzip, path)
                else:
                    self._makers[name] = path.read_bytes
        for model, weights in packaged().items():
            if weights.folder is not None:
                self._makers |= {f"models/{model}/{graph}": (weights.folder / graph).read_bytes for graph in _GRAPHS}
        self._makers |= {"models.json": _models, "sample.json": lambda: _sample()[0], "sample.mp4": lambda: _sample()[1]}

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def get(self, path: str) -> Content | None:
        """A file by its path below the page's address, such as `models.json`; the page itself by the empty one. None: there is none."""
        name = path or "index.html"
        return self._read(name) if name in self._makers else None

    def _read(self, name: str) -> Content:
        return Content(self._makers[name](), _TYPES[PurePosixPath(name).suffix], name in self._compressed)

    def write(self, folder: Path) -> None:
        """Writes all files, uncompressed."""
        for name in self:
            content, path = self._read(name), folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.decompress(content.data) if content.compressed else content.data)


def write_site(folder: Path) -> int:
    """Writes the page as plain files, for any web server; returns their number.

    Raises:
        ConfigError: the folder holds something already.
    """
    site = Site()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: expected a new or empty folder, got one that holds something")
    with written_whole(folder) as unfinished:  # whole or not at all, as on a full disk
        site.write(unfinished)
    return len(site)


@cache
def _as_gzip(path: Path) -> bytes:
    """The content of an .xz file, compressed with gzip at its fastest level: server and browser are usually on the same machine."""
    try:
        import lzma
    except ModuleNotFoundError as error:  # Python was built without liblzma
        raise FearError("the page needs Python's module lzma; install liblzma and build Python again, or use another Python") from error
    return gzip.compress(lzma.decompress(path.read_bytes()), 1, mtime=0)


def _models() -> bytes:
    cards = {}
    for model, weights in packaged().items():
        if weights.folder is not None:
            card = json.loads(read_card(weights.folder).to_json())
            cards[model] = {key: card[key] for key in ("network", "parameters", "dynamic_weight", "scores")}
    return json.dumps({"version": fear.__version__, "rules": TrackerConfig().to_dict(), "cards": cards}).encode()


def _sample() -> tuple[bytes, bytes]:
    """The first box of the rendered clip as JSON, and the clip; rendered once, however many threads ask at the same time."""
    with _RENDERING:
        return _rendered_sample()


@cache
def _rendered_sample() -> tuple[bytes, bytes]:
    from fear.media.synthetic import DEFAULT, render
    from fear.media.writer import VideoWriter

    _log.info("rendering the sample clip for the page, once; this takes some seconds")
    box: tuple[float, ...] = ()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.mp4"
        with VideoWriter(path, 30) as writer:
            for index, frame in enumerate(render(DEFAULT)):
                box = box or frame.box_xywh
                writer.write(frame.image, index / 30)
        return json.dumps(box).encode(), path.read_bytes()
