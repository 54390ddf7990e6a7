"""Compiled OpenVINO networks, kept between processes: reading one takes a fifth of the time of compiling it.

OpenVINO can keep them itself (`CACHE_DIR`), but it writes into files that another process may be reading. Here a file appears whole or not
at all. OpenVINO reads a file with a changed byte too, and answers with other boxes; so each file begins with a digest, which is checked.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fear.errors import FearError
from fear.runtime.processor import processor
from fear.telemetry import telemetry_off
from fear.weights.store import cache_folder, written_whole

with telemetry_off():
    import openvino

_log = logging.getLogger(__name__)

_LAYOUT = 2
"""Of the files. It is part of their names, so that earlier versions, which expect no digest in them, keep files of their own."""

_DIGEST_BYTES = hashlib.sha256().digest_size


def compiled_once(
    core: openvino.Core,
    digests: Sequence[str],
    side: int | None,
    settings: Mapping[str, str | int | bool],
    make: Callable[[], openvino.CompiledModel],
) -> openvino.CompiledModel:
    """Returns the compiled network for this processor from the cache folder; if it is not there, compiles it and puts it there.

    Args:
        core: OpenVINO, which reads the kept network.
        digests: SHA-256 of the files that `make` compiles. The name of the kept network is made of them, `side`, `settings`, the processor
            and the version of OpenVINO.
        side: Side of the search crop that the network is compiled for; None for templates.
        settings: Settings of the compilation.
        make: Compiles the network.

    Raises:
        RuntimeError: `make` raised it.
    """
    key = repr((_LAYOUT, digests, side, sorted(settings.items()), processor(), openvino.get_version())).encode()
    try:
        return core.import_model(_verified(_kept(key).read_bytes(), key), "CPU", dict(settings))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, RuntimeError) as error:  # it is damaged, or comes from a processor of the same name that differs
        _log.info("could not read the kept network, compiling: %s", error)
    model = make()
    try:
        with written_whole(_kept(key)) as unfinished:
            content = model.export_model().getvalue()
            unfinished.write_bytes(_digest(content, key) + content)
    except (OSError, RuntimeError, FearError) as error:  # then the network is compiled at every start, which only takes time
        _log.info("could not keep the compiled network: %s", error)
    return model


def _kept(key: bytes) -> Path:
    """Where a compiled network is kept.

    Raises:
        OSError: nothing can be written, not even in the temporary folder.
    """
    return cache_folder() / "compiled" / hashlib.sha256(key).hexdigest()[:32]


def _digest(content: bytes, key: bytes) -> bytes:
    """SHA-256 of a compiled network and of its key, so that a network under the name of another one is noticed too."""
    digest = hashlib.sha256(key)
    digest.update(content)
    return digest.digest()


def _verified(kept: bytes, key: bytes) -> bytes:
    """Returns the compiled network from what a file holds.

    Raises:
        ValueError: the file is damaged, holds another network, or was written by an earlier version.
    """
    digest, content = kept[:_DIGEST_BYTES], kept[_DIGEST_BYTES:]
    if digest != _digest(content, key):
        raise ValueError(f"expected SHA-256 {digest.hex()} of its content and key, got another")
    return content
