"""Failures for want of memory, which the runtimes report in words of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fear.errors import FearError
from fear.parsing import one_line

_SIGNS = (
    "bad_alloc",
    "can't alloc",
    "cannot allocate",
    "failed to allocate",
    "out of memory",
    "not enough memory",
    "failed to map segment",
)
"""Parts of the messages of C++, OpenVINO, oneDNN, ONNX Runtime, torch and the loader of shared libraries."""

_SHOWN = 160
"""Characters of a message; OpenVINO's begin with the places in its source."""


def lacks_memory(error: BaseException) -> bool:
    """Whether an error says that there is too little memory."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in _SIGNS)


def too_little_memory(source: object, purpose: str, error: BaseException) -> FearError:
    """Returns the error to raise.

    Args:
        source: What was loaded, for the message.
        purpose: What the memory was needed for, such as `the network on OpenVINO`.
        error: What the runtime raised.
    """
    reason = one_line(error)[-_SHOWN:] or type(error).__name__
    return FearError(f"{source}: expected enough memory for {purpose}, got too little ({reason}); close other programs or raise the limit")


@contextmanager
def memory_named(network: str, runtime: str) -> Iterator[None]:
    """Names a want of memory in a call of a network; other errors pass as they are.

    Raises:
        FearError: there is too little memory.
    """
    try:
        yield
    except Exception as error:  # the errors of the runtimes have no other base class in common
        if lacks_memory(error):
            raise too_little_memory(network, f"a call on {runtime}", error) from error
        raise
