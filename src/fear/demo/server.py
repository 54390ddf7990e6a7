"""Hands the page out to browsers, by default to those on this machine alone."""

from __future__ import annotations

import errno
import gzip
import socket
import ssl
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from fear.demo.site import Site
from fear.errors import ConfigError

HOST = "127.0.0.1"
"""Browsers give cameras, threads and video decoders to pages from the machine itself; from elsewhere only over https."""

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",  # compiling WebAssembly needs a permission of its own; JavaScript's eval stays forbidden
    "worker-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "media-src": "blob:",  # a video that the user opened, where the browser has no WebCodecs
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS = {
    # what a page must promise before it may start threads that share memory
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


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
        headers = {"Content-Type": content.type, "Content-Length": str(len(data)), **_HEADERS}
        for name, value in (headers | ({"Content-Encoding": "gzip"} if packed else {})).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: a page that loads is no news."""


class Certificate(NamedTuple):
    """What https needs, as PEM files."""

    chain: Path
    key: Path


def serve(port: int, on_ready: Callable[[str], None], host: str = HOST, certificate: Certificate | None = None) -> None:
    """Serves the page until it is interrupted.

    Args:
        port: 0 takes any that is free.
        on_ready: Is told the page's address.
        host: Address of this machine to serve on; 0.0.0.0 serves on all of them, to every machine that can reach this one.
        certificate: Serves over https with this certificate.

    Raises:
        ConfigError: the port is taken, the address is not this machine's, or the certificate cannot be read.
        FearError: the page was not built into this package.
    """
    site = Site()
    context = None if certificate is None else _context(certificate)
    try:
        server = ThreadingHTTPServer((host, port), partial(_Handler, site))
    except (OSError, OverflowError) as error:
        if isinstance(error, socket.gaierror) or getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
            raise ConfigError(f"host {host}: expected an address of this machine, got: {error}") from error
        raise ConfigError(f"port {port} of {host}: expected one that is free, got: {error}; choose another with --port") from error
    with server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        name = _address_in_network() if host in ("", "0.0.0.0") else host
        on_ready(f"{'http' if context is None else 'https'}://{name}:{server.server_port}/")
        server.serve_forever()


def _context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate.chain, certificate.key)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"{certificate.chain}, {certificate.key}: expected a certificate and its key as PEM files, got: {error}"
        ) from error
    return context


def _address_in_network() -> str:
    """The address by which others in the network reach this machine; its own where it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address that nobody has (RFC 5737); connecting a datagram socket sends nothing
        except OSError:
            return HOST
        return str(probe.getsockname()[0])
