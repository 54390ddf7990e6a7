"""Compiled OpenVINO networks, kept between processes: reading one takes a fifth of the time of compiling it.

OpenVINO can keep them itself (`CACHE_DIR`), but it writes into files that another process may be reading. Here a file appears whole or not
at all.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence

from fear.runtime.processor import processor
from fear.telemetry import telemetry_off
from fear.weights.store import cache_folder, written_whole

with telemetry_off():
    import openvino

_log = logging.getLogger(__name__)


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
    key = repr((digests, side, sorted(settings.items()), processor(), openvino.get_version()))
    kept = cache_folder() / "compiled" / hashlib.sha256(key.encode()).hexdigest()[:32]
    try:
        return core.import_model(kept.read_bytes(), "CPU", dict(settings))
    except FileNotFoundError:
        pass
    except (OSError, RuntimeError) as error:  # the file is damaged, or comes from a processor of the same name that differs
        _log.info("could not read %s, compiling: %s", kept, error)
    model = make()
    try:
        with written_whole(kept) as unfinished:
            unfinished.write_bytes(model.export_model().getvalue())
    except (OSError, RuntimeError) as error:  # then the network is compiled at every start, which only takes time
        _log.info("could not keep %s: %s", kept, error)
    return model
