"""Where there is too little memory, the message says so, and blames neither weights nor packages."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from fear.errors import FearError, RuntimeMissingError, WeightsError
from fear.loading import load as loading
from fear.runtime import onnx, openvino
from fear.runtime.memory import lacks_memory
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
    monkeypatch.setattr(onnx.onnxruntime, "InferenceSession", fails)
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
