"""Trackers by name: those of this package, OpenCV's, and any Python class.

A name says who tracks, a `Spec` also under which rules, and `create` makes the tracker. `identify` says what decides the boxes of a
tracker, so that results of other weights or rules are never taken for its own.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from fear.config import TrackerConfig
from fear.errors import ConfigError
from fear.evaluation.opencv_trackers import create_opencv, opencv_networks
from fear.loading.load import describe, load
from fear.loading.reference import find_model
from fear.media.opencv import require_opencv
from fear.runtime.protocol import Network
from fear.tracking.protocol import BoxTracker, SingleTarget
from fear.tracking.tracker import MultiTracker

_NO_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]+$')
"""What some system has no file names with."""

_DEVICE = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.IGNORECASE)
"""Names that Windows gives to devices."""

_LONGEST, _END = 200, 40
"""Bytes of a folder's name, which leave room for what results add; characters at the end of a longer name that are kept."""


class Spec(NamedTuple):
    """A tracker to evaluate; plain data that can be sent to other processes."""

    name: str
    """A model's name or path, `opencv:csrt|kcf|mil|nano|vit`, `published:DIR`, or `MODULE:CLASS`."""
    config: TrackerConfig = TrackerConfig()
    """Rules around FEAR networks; other trackers have rules of their own."""
    runtime: str = "auto"
    """Runtime of FEAR networks, as for `fear.Tracker`."""
    nano: Path | None = None
    """Folder with NanoTrack's two networks, for `opencv:nano`."""
    vit: Path | None = None
    """Folder with VitTrack's network, for `opencv:vit`."""

    @property
    def title(self) -> str:
        """The name in reports: that of the folder where a path such as `.` does not say it."""
        name = self.name.rstrip("/\\")
        return name if Path(name).name not in ("", "..") else Path(self.name).resolve().name

    @property
    def folder_name(self) -> str:
        """The title as the name of a folder on every system."""
        name = _DEVICE.sub(r"\1-", _NO_NAME.sub("-", self.title)) or "-"
        if len(os.fsencode(name)) <= _LONGEST:
            return name
        return f"{hashlib.sha256(os.fsencode(self.title)).hexdigest()[:8]}-{name[-_END:]}"


def create(spec: Spec, threads: int | None = None) -> BoxTracker:
    """Makes a tracker.

    Args:
        spec: Who tracks.
        threads: Threads of the tracker; None leaves the number to its library.

    Raises:
        ConfigError: The name is unknown.
        WeightsError: There is no such model.
        RuntimeMissingError: The library of the tracker is not installed.
    """
    if spec.name.startswith("opencv:"):
        return SingleTarget(create_opencv(spec.name.removeprefix("opencv:"), spec.nano, spec.vit, threads))
    if _is_python_class(spec.name):
        return SingleTarget(_made(spec.name))
    return MultiTracker(_network(spec.name, spec.runtime, threads, spec.config), config=spec.config)


def identify(spec: Spec, threads: int | None = None) -> dict[str, Any]:
    """What decides the boxes of a tracker, as values for JSON.

    For a FEAR network these are its weights, its rules, and what computes it; for a tracker of OpenCV its version and the networks that it
    reads; for a Python class its source file.

    Raises:
        FearError: As `create`.
    """
    if spec.name.startswith("opencv:"):
        networks = opencv_networks(spec.name.removeprefix("opencv:"), spec.nano, spec.vit)
        return {"tracker": spec.name, "opencv": require_opencv(spec.name).__version__, "weights": _digest(networks)}
    if _is_python_class(spec.name):
        return {"tracker": spec.name, "source": _digest(_source_of(type(_made(spec.name))))}
    weights = find_model(spec.name)
    files = [weights.checkpoint] if weights.checkpoint else []
    if weights.folder:
        files += sorted(path for path in weights.folder.iterdir() if path.is_file() and path.name != "config.json")
    return {
        "tracker": spec.title,
        "weights": _digest(files),
        "rules": spec.config.to_dict(),
        "runtime": describe(_network(spec.name, spec.runtime, threads, spec.config)),
    }


@cache
def _network(name: str, runtime: str, threads: int | None, rules: TrackerConfig) -> Network:
    """A network that serves all clips of a process, since it has no state."""
    return load(name, runtime=runtime, threads=threads, rules=rules)


def _is_python_class(name: str) -> bool:
    return ":" in name and not name.startswith("published:") and not Path(name).exists()


def _made(name: str) -> Any:
    """An object of a class that is made without arguments and has `init(frame, box_xywh)` and `update(frame)`.

    Its module is looked for in the working directory, too, where people who try out a tracker have it.
    """
    module, _, attribute = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    try:
        made = getattr(importlib.import_module(module), attribute)()
    except (Exception, SystemExit) as error:  # the module is the user's own, and may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{name}: expected MODULE:CLASS with a class that is made without arguments ({reason})") from error
    if not callable(getattr(made, "init", None)) or not callable(getattr(made, "update", None)):
        raise ConfigError(f"{name}: expected a class with methods init and update, got {type(made).__name__}")
    return made


def _source_of(kind: type) -> list[Path]:
    """The file in which a class is written; nothing for classes of compiled libraries."""
    try:
        source = inspect.getsourcefile(kind)
    except TypeError:
        source = None
    return [Path(source)] if source else []


def _digest(files: Iterable[Path]) -> str:
    """SHA-256 of the contents of files, without the header of checkpoints, whose card may change while the weights do not."""
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        start = 8 + int.from_bytes(content[:8], "little") if path.suffix == ".safetensors" else 0
        digest.update(content[start:])
    return digest.hexdigest()
