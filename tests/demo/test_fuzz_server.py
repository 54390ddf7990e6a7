"""Requests of all kinds, right and wrong: the server answers with its own files or with an error, and lives on.

`make fuzz` sends ten thousand. Each request is a pure function of its number.
"""

from __future__ import annotations

import errno
import os
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fear.demo import pages, server, site
from fear.demo.pages import listen

REQUESTS = 10_000 if os.environ.get("FEAR_FUZZ") == "long" else 300
STATUSES = {100, 200, 400, 404, 405, 408, 411, 413, 414, 431, 501, 505}
METHODS = ("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "", "G" * 300, "\x00", "é")
PIECES = (
    "..",
    ".",
    "/",
    "//",
    "%2e%2e",
    "%2f",
    "%00",
    "%",
    "%zz",
    "\\",
    "//[",
    "[::1]",
    "@",
    ":",
    "?",
    "#",
    "é",
    "~root",
    "C:",
    "a" * 3000,
)
SECRETS = ("etc/passwd", "server.py", "../server.py", "..%2fserver.py", "proc/self/environ", "site/index.html")
HEADERS = (
    ("Range", ("bytes=0-", "bytes=-1", "bytes=5-2", "bytes=0-99999999999999999999", "bytes=a", "bytes=0-1,3-4," * 400, "lines=1")),
    ("Content-Length", ("0", "5", "-1", "1e3", "9" * 5000, "²", "65537", "٣")),
    ("Content-Type", ("application/json", "text/plain", "multipart/form-data", ";", "")),
    ("Transfer-Encoding", ("chunked", "identity", "gzip, chunked")),
    ("Accept-Encoding", ("gzip", "gzip;q=0", "br", "*", "\x01")),
    ("Host", ("localhost", "evil.example", "", "a" * 2000)),
    ("Connection", ("close", "keep-alive", "upgrade")),
    ("If-Modified-Since", ("Thu, 01 Jan 1970 00:00:00 GMT", "never")),
    ("Expect", ("100-continue", "200-ok")),
    ("X" * 70_000, ("long",)),
)


def request(case: random.Random, files: list[str]) -> bytes:
    """One request, or something like it."""
    if case.random() < 0.05:
        return case.randbytes(case.randrange(400)) + b"\r\n\r\n"
    parts = [case.choice((*files, *SECRETS)) if case.random() < 0.5 else case.choice(PIECES) for _ in range(case.choice((1, 1, 1, 2, 4)))]
    version = case.choice(("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/9.9", "HTTP/x", "HTTP/1.1 extra", ""))
    lines = [f"{case.choice(METHODS)} {case.choice(('/', '/', '', 'http://a/'))}{'/'.join(parts)} {version}"]
    for name, values in case.sample(HEADERS, case.randrange(4)):
        if len(name) < 100 or case.random() < 0.1:
            lines.append(f"{name}: {case.choice(values)}")
    if case.random() < 0.05:
        lines += [f"X-{number}: 1" for number in range(150)]
    text = case.choice(("\r\n", "\r\n", "\r\n", "\n")).join([*lines, "", ""]).encode()
    body = case.choice((b"", b"", b'{"a": 1}', b"GET /index.html HTTP/1.1\r\n\r\n", case.randbytes(50)))
    return text[: case.randrange(len(text))] if case.random() < 0.05 else text + body


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server in this process: its host and port."""
    made = site.Site()
    monkeypatch.setattr(server, "Site", lambda: made)  # it keeps the files that it has made
    ready = threading.Event()
    address: list[str] = []
    started: list[pages._Server] = []

    def remember(*arguments: object) -> pages._Server:
        started.append(listen(*arguments))  # type: ignore[arg-type]
        return started[0]

    monkeypatch.setattr(server, "listen", remember)

    def tell(told: str) -> None:
        address.append(told)
        ready.set()

    thread = threading.Thread(target=server.serve, args=(0, tell))
    thread.start()
    assert ready.wait(20)
    parts = urlsplit(address[0])
    yield str(parts.hostname), int(parts.port or 0)
    started[0].shutdown()
    thread.join()


HUNG_UP = {errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED, errno.ENOTCONN}


def ask(place: tuple[str, int], sent: bytes) -> bytes:
    """Sends, says that nothing more comes, and reads all that is answered."""
    with socket.create_connection(place, timeout=20) as connection:
        answer = bytearray()
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(1 << 20):
                answer += part
        except OSError as error:  # it hung up on what it had no wish to read
            if error.errno not in HUNG_UP:
                raise
        return bytes(answer)


def test_ten_thousand_requests(running: tuple[str, int], capfd: pytest.CaptureFixture[str]) -> None:
    made = site.Site()
    large = (".wasm", ".onnx", ".js", ".mjs", "sample.mp4", "sample.json")
    files = [name for name in made if not name.endswith(large)]
    own = {content.data for name in files if (content := made.get(name)) is not None}
    answered = 0
    for number in range(REQUESTS):
        answer = ask(running, request(random.Random(number), files))
        if not answer.startswith(b"HTTP/"):
            continue  # nothing was asked, or by HTTP 0.9, which has no headers
        head, _, body = answer.partition(b"\r\n\r\n")
        answered += 1
        status = int(head.split()[1])
        assert status in STATUSES, number
        assert b"Content-Security-Policy: default-src 'none'; " in head, number
        assert b"root:" not in body, number
        assert b"ThreadingHTTPServer" not in body, number
        if status == 200:
            # what stands behind a request may be the next one, or an error of a kind that has no headers
            assert not body or body.startswith((b"HTTP/1.1 ", b"<!DOCTYPE HTML>")) or any(body.startswith(data) for data in own), number
    assert answered > REQUESTS / 4
    assert ask(running, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")  # it lives
    assert capfd.readouterr().err == ""  # no thread of it failed


def test_what_is_sent_along_is_not_taken_for_a_request(running: tuple[str, int]) -> None:
    for header in ("Content-Length: 31", "Transfer-Encoding: chunked"):
        answer = ask(running, f"GET /icon.svg HTTP/1.1\r\n{header}\r\n\r\nGET /index.html HTTP/1.1\r\n\r\n".encode())
        assert answer.count(b"HTTP/1.1 200") == 1


def test_errors_too_say_what_a_page_may_do(running: tuple[str, int]) -> None:
    for sent, status in (("GET /none HTTP/1.1", b"404"), ("GET http://[ HTTP/1.1", b"400"), ("PUT / HTTP/1.1", b"501")):
        answer = ask(running, f"{sent}\r\nConnection: close\r\n\r\n".encode())
        assert answer.split()[1] == status
        policy = next(line for line in answer.split(b"\r\n") if line.startswith(b"Content-Security-Policy: ")).decode()
        assert "'unsafe-" not in policy


def test_a_browser_that_goes_away_is_no_failure(running: tuple[str, int], capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(running, timeout=20) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # hangs up at once
        connection.sendall(b"GET /models/fear-xs/match.onnx HTTP/1.1\r\n\r\n")
    assert ask(running, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert capfd.readouterr().err == ""


def test_the_source_of_the_server_is_not_in_the_page() -> None:
    made = site.Site()
    assert not [name for name in made if Path(name).suffix in (".py", ".pem", ".toml")]
