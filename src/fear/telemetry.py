"""Keeps the libraries that run networks from reporting their use.

OpenVINO 2026 sends an event to Google Analytics when it is imported, and writes `~/intel`. ONNX Runtime 1.32 sends events to Microsoft and
writes `Microsoft` into the cache folder of the user. Both decide about it while they are imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SENDER = "openvino_telemetry"
"""OpenVINO and NNCF send with this package, and work without it."""

_SWITCHES = {"ORT_DISABLE_TELEMETRY": "1"}
"""Environment variables that ONNX Runtime reads."""


@contextmanager
def telemetry_off() -> Iterator[None]:
    """Inside this block, libraries are imported with their telemetry off.

    The choice holds for this process. Afterwards modules and environment are as they were, and no file records the choice. A library that
    was imported before keeps what its importer chose.
    """
    environment = {name: os.environ.get(name) for name in _SWITCHES}
    sender = sys.modules.get(_SENDER)
    os.environ.update(_SWITCHES)
    sys.modules[_SENDER] = None  # type: ignore[assignment]  # an import of this package now raises ImportError
    try:
        yield
    finally:
        if sender is None:
            del sys.modules[_SENDER]
        else:
            sys.modules[_SENDER] = sender
        for name, before in environment.items():
            if before is None:
                del os.environ[name]
            else:
                os.environ[name] = before
