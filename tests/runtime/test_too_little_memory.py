"""Where there is too little memory, the message says so, and blames neither weights nor packages."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from fear.errors import FearError, RuntimeMissingError, WeightsError
from fear.loading import load as loading
from fear.runtime import openvino
from fear.runtime.memory import lacks_memory, memory_named
from fear.runtime.onnx import OnnxNetwork
from fear.runtime.openvino import OpenVinoNetwork
from fear.weights import packaged

FOLDER = packaged()["fear-nano"].folder or Path()

ERRORS: list[Exception] = [
    MemoryError(),
    RuntimeError("Exception from src/plugin.cpp:96:\nstd::bad_alloc"),
    RuntimeError("can't alloc"),
    RuntimeError("Failed to allocate memory for requested buffer of size 8388608"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_too_little_memory_is_named(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(openvino, "compiled_once", fails)
    monkeypatch.setattr("onnxruntime.InferenceSession", fails)
    for network in (OpenVinoNetwork, OnnxNetwork):
        with pytest.raises(FearError, match=r"fear-nano.*: expected enough memory for .*, got too little \(") as caught:
            network(FOLDER)
        assert not isinstance(caught.value, WeightsError)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["auto", "torch"])
def test_too_little_memory_before_a_network_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> NoReturn:
        raise MemoryError

    monkeypatch.setattr(loading, "_loaders", lambda *_: dict.fromkeys(("openvino", "openvino int8", "onnx", "torch"), fails))
    with pytest.raises(FearError, match=rf"runtime {name}: expected enough memory for .*, got too little \(MemoryError\)") as caught:
        loading.load("fear-nano", runtime=name)
    assert not isinstance(caught.value, RuntimeMissingError)


def test_other_failures_are_not_for_want_of_memory() -> None:
    assert not lacks_memory(RuntimeError("no kernel for this processor"))


def test_too_little_memory_in_a_call_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        def run(self, *_: object) -> NoReturn:
            raise RuntimeError("BFCArena: Failed to allocate memory")

    network = OnnxNetwork(FOLDER)
    monkeypatch.setattr(network, "_match", Session())
    with pytest.raises(FearError, match="fear-nano: expected enough memory for a call on ONNX Runtime, got too little"):
        network.match(np.zeros((1, 128, 128, 3), np.uint8), np.zeros((1, 128, 8, 8), np.float32))
    with pytest.raises(ZeroDivisionError), memory_named("x", "torch"):
        _ = 1 / 0
