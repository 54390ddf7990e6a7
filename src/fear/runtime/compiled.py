"""Compiled OpenVINO networks, kept between processes: reading one takes a fifth of the time of compiling it.

OpenVINO can keep them itself (`CACHE_DIR`), but writes into the very file that another process may be reading. Here a file appears whole or
not at all.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import openvino

from fear.runtime.processor import processor

_log = logging.getLogger(__name__)


def compiled_once(
    core: openvino.Core,
    graph: Iterable[Path],
    crops: object,
    settings: Mapping[str, str | int | bool],
    make: Callable[[], openvino.CompiledModel],
) -> openvino.CompiledModel:
    """The compiled network for this processor from `~/.cache/fear/compiled`, where it is put if it was not there.

    Args:
        core: Reads it.
        graph: Files that `make` compiles; their content is part of the key, as are the next two, processor and version.
        crops: What else the result depends on.
        settings: Of the compilation.
        make: Compiles.

    Raises:
        RuntimeError: as `make` says.
    """
    key = hashlib.sha256(repr((crops, sorted(settings.items()), processor(), openvino.get_version())).encode())
    for path in graph:
        key.update(path.read_bytes() if path.is_file() else b"")
    kept = Path.home() / ".cache" / "fear" / "compiled" / key.hexdigest()[:32]
    try:
        return core.import_model(kept.read_bytes(), "CPU", dict(settings))
    except FileNotFoundError:
        pass
    except (OSError, RuntimeError) as error:  # damaged, or of a processor that calls itself the same and is not
        _log.info("could not read %s, compiling: %s", kept, error)
    model = make()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        half = kept.with_suffix(f".{os.getpid()}")
        half.write_bytes(model.export_model().getvalue())
        half.replace(kept)
    except (OSError, RuntimeError) as error:  # a home that cannot be written costs some time at every start, no more
        _log.info("could not keep %s: %s", kept, error)
    return model
