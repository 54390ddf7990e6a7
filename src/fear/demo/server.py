"""Serves the page to browsers, by default only to those on this machine."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fear.demo.pages import HOST, Reply, Request, listen, page_headers
from fear.demo.site import Site
from fear.errors import ConfigError

_HEADERS = page_headers(
    script_src="'self' 'wasm-unsafe-eval'",  # compiling WebAssembly needs a permission of its own; JavaScript's eval stays forbidden
    worker_src="'self'",
    media_src="blob:",  # a video that the user opened, where the browser has no WebCodecs
)


class Certificate(NamedTuple):
    """What https needs, as PEM files."""

    chain: Path
    key: Path


def serve(port: int, on_ready: Callable[[str], None], host: str = HOST, certificate: Certificate | None = None) -> None:
    """Serves the page until it is interrupted.

    Args:
        port: 0 takes any that is free.
        on_ready: Called with the address of the page.
        host: Address of this machine to serve on; 0.0.0.0 serves on all of them, to every machine that can reach this one.
        certificate: Serves over https with this certificate.

    Raises:
        ConfigError: the port is taken, the address is not this machine's, or the certificate cannot be read.
        FearError: the page was not built into this package.
    """
    site = Site()

    def answer(request: Request) -> Reply | None:
        content = site.get(request.path) if request.body is None else None  # the page sends no data
        return None if content is None else Reply(content.data, content.type, content.compressed)

    context = None if certificate is None else _context(certificate)
    with listen(answer, _HEADERS, port, host) as server:
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
    """The address by which others in the network reach this machine; 127.0.0.1 where there is no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address that nobody has (RFC 5737); connecting a datagram socket sends nothing
        except OSError:
            return HOST
        return str(probe.getsockname()[0])
