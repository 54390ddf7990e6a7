"""Hands the page out to browsers on this machine."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from fear.demo.site import Site
from fear.errors import ConfigError

HOST = "127.0.0.1"
"""Browsers give cameras and threads to pages from the machine itself; from elsewhere only over https."""

_ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""What a page must promise before it may start threads that share memory."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, site: Site, *args: Any) -> None:
        self._site = site
        super().__init__(*args)

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, body: bool) -> None:
        content = self._site.get(unquote(urlsplit(self.path).path).removeprefix("/"))
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        data, packed = content.data, content.compressed
        if packed and "gzip" not in self.headers.get("Accept-Encoding", ""):
            data, packed = gzip.decompress(data), False
        self.send_response(HTTPStatus.OK)
        headers = {"Content-Type": content.type, "Content-Length": str(len(data)), "Cache-Control": "no-cache", **_ISOLATED}
        for name, value in (headers | ({"Content-Encoding": "gzip"} if packed else {})).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: a page that loads is no news."""


def serve(port: int, on_ready: Callable[[str], None]) -> None:
    """Serves the page until it is interrupted.

    Args:
        port: 0 takes any that is free.
        on_ready: Is told the page's address.

    Raises:
        ConfigError: the port is taken.
        FearError: the page was not built into this package.
    """
    site = Site()
    try:
        server = ThreadingHTTPServer((HOST, port), partial(_Handler, site))
    except (OSError, OverflowError) as error:
        raise ConfigError(f"port {port}: expected one that is free, got: {error}; choose another with --port") from error
    with server:
        on_ready(f"http://{HOST}:{server.server_port}/")
        server.serve_forever()
