"""The published network of a folder, as a checkpoint."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fear.errors import RuntimeMissingError


@cache
def published_checkpoint(folder: Path) -> Path:
    """The published network of a folder, imported once into a checkpoint under `~/.cache/fear`.

    Raises:
        RuntimeMissingError: torch or coremltools is not installed.
        WeightsError: not the published files.
    """
    try:
        from fear.network import save_checkpoint
        from fear.network.published import CARD, import_published
    except ImportError as error:
        raise RuntimeMissingError("published:DIR needs torch and coremltools: pip install 'fear-tracker[export]'") from error
    parts = folder / "Tracker.mlmodel", folder / "TrackerInit.mlmodel"
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in parts if path.is_file())).hexdigest()
    target = Path.home() / ".cache" / "fear" / f"published-{digest[:20]}.safetensors"
    if not target.is_file():
        save_checkpoint(import_published(*parts), target, CARD)
    return target
