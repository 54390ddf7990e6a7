"""The HTTP server of all pages of this project. Its headers let a page load its own files and nothing else."""

from __future__ import annotations

import errno
import gzip
import re
import socket
import sys
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from fear.errors import ConfigError

HOST = "127.0.0.1"
"""Browsers give cameras, threads and video decoders to pages from the machine itself; from elsewhere only over https."""

_LARGEST_BODY = 1 << 16  # bytes; pages send boxes and commands, which are short
_PATIENCE = 60.0  # seconds without data from a browser, after which its connection is closed

_ALLOWED = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


class Request(NamedTuple):
    """What a browser asks for."""

    path: str
    """Below the server's address, decoded, without the first slash."""
    query: dict[str, str]
    host: str
    """The address by which the browser calls this server."""
    body: bytes | None = None
    """The JSON that it sends; None where it sends nothing."""


class Reply(NamedTuple):
    """The answer to a request."""

    data: bytes
    type: str
    """MIME type."""
    compressed: bool = False
    """Whether the data is compressed with gzip."""
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = {}


Answer = Callable[[Request], Reply | None]
"""Answers a request; None: there is no such file."""


def page_headers(**allowed: str) -> dict[str, str]:
    """The headers of a page that may load its own files, and nothing else.

    Args:
        allowed: More directives of the content security policy, with `_` for `-`, such as `worker_src="'self'"`.
    """
    policy = _ALLOWED | {name.replace("_", "-"): value for name, value in allowed.items()}
    return {
        # what a page must promise before it may start threads that share memory
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }


def listen(answer: Answer, headers: Mapping[str, str], port: int, host: str = HOST) -> ThreadingHTTPServer:
    """A server that waits for requests; each is answered in a thread of its own.

    Args:
        answer: Called with each request, in any thread.
        headers: Of every reply.
        port: 0 takes any that is free.
        host: Address of this machine.

    Raises:
        ConfigError: the port is taken, or the address is not this machine's.
    """
    try:
        return _Server((host, port), partial(_Handler, answer, headers))
    except (OSError, OverflowError, TypeError, ValueError) as error:  # the last two: NUL, or letters that no name of a host has
        if isinstance(error, socket.gaierror | TypeError | ValueError) or getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
            raise ConfigError(f"host {host}: expected an address of this machine, got: {error}") from error
        raise ConfigError(f"port {port} of {host}: expected one that is free, got: {error}; choose another with --port") from error


def _is_length(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10 and int(text) <= _LARGEST_BODY


def _accepts_gzip(accepted: str) -> bool:
    """Whether a list such as `gzip;q=0.5, br` allows gzip (RFC 9110, section 12.5.3)."""
    for coding in accepted.lower().split(","):
        name, _, quality = (part.strip() for part in coding.partition(";"))
        if name == "gzip":
            return re.fullmatch(r"q\s*=\s*0(\.0*)?", quality) is None
    return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # connections that wait to be accepted; with the 5 of Python others are refused or tried again after seconds

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores browsers that close their connection before the answer is complete."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE

    def __init__(self, answer: Answer, headers: Mapping[str, str], *args: Any) -> None:
        self._find, self._headers = answer, headers
        super().__init__(*args)

    def do_GET(self) -> None:
        self._answer(None, with_data=True)

    def do_HEAD(self) -> None:
        self._answer(None, with_data=False)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        # a page of another server must ask by OPTIONS before it may send JSON, and this server does not answer OPTIONS
        if self.headers.get_content_type() != "application/json" or not _is_length(length):
            self.close_connection = True  # its data is not read
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        self._answer(self.rfile.read(int(length)), with_data=True)

    def _answer(self, body: bytes | None, with_data: bool) -> None:
        if body is None and ("Content-Length" in self.headers or "Transfer-Encoding" in self.headers):
            self.close_connection = True  # its data is not read and must not be taken for the next request
        try:
            address = urlsplit(self.path)
        except ValueError:  # such as http://[
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        query = dict(parse_qsl(address.query))
        reply = self._find(Request(unquote(address.path).removeprefix("/"), query, self.headers.get("Host", ""), body))
        if reply is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        data, packed = reply.data, reply.compressed
        if packed and not _accepts_gzip(self.headers.get("Accept-Encoding", "")):
            data, packed = gzip.decompress(data), False
        self.send_response(reply.status)
        headers = {"Content-Type": reply.type, "Content-Length": str(len(data)), **reply.headers}
        for name, value in (headers | ({"Content-Encoding": "gzip"} if packed else {})).items():
            self.send_header(name, value)
        self.end_headers()
        if with_data:
            self.wfile.write(data)

    def end_headers(self) -> None:
        """Adds the headers of the page, those of errors included."""
        if self.request_version != "HTTP/0.9":  # which has none
            for name, value in self._headers.items():
                self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Writes no line: requests are not logged."""
