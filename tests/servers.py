"""Servers of tests on 127.0.0.1, all bounded in time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def answering(answer: Callable[[socket.socket, int], None], connections: int) -> Iterator[int]:
    """A server that answers so many connections, one after the other, and then is gone; yields its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(20)

    def serve() -> None:
        for number in range(connections):
            try:
                connection, _ = listening.accept()
            except OSError:
                break
            with connection:
                try:
                    answer(connection, number)
                except OSError:
                    continue
        listening.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()
        thread.join(5)
