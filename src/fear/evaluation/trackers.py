"""Trackers by name, ours and others', behind two methods."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2

from fear.config import TrackerConfig
from fear.errors import ConfigError, RuntimeMissingError, WeightsError
from fear.geometry.boxes import Box
from fear.loading.load import load
from fear.loading.published import published_checkpoint
from fear.media.image import Image
from fear.runtime.protocol import Network
from fear.tracking.tracker import Tracker


class Candidate(Protocol):
    """What an evaluation needs of a tracker."""

    def init(self, frame: Image, box_xywh: Box) -> None:
        """Starts with the first frame, RGB."""

    def update(self, frame: Image) -> Box:
        """The box in the next frame."""


class Spec(NamedTuple):
    """A tracker to evaluate; plain data, so that it reaches other processes."""

    name: str
    """A model's name or path, `opencv:csrt|kcf|mil|nano`, `published:DIR`, or `MODULE:CLASS`."""
    config: TrackerConfig = TrackerConfig()
    """Rules, for FEAR networks."""
    runtime: str = "auto"
    nano: Path | None = None
    """Folder with NanoTrack's two networks, for `opencv:nano`."""

    @property
    def folder_name(self) -> str:
        """The name as part of a path."""
        return self.name.replace(":", "-").replace("/", "-")


def create(spec: Spec, threads: int | None = None) -> Candidate:
    """Makes a tracker.

    Raises:
        ConfigError: an unknown name.
        WeightsError: no such model.
        RuntimeMissingError: the tracker's library is not installed.
    """
    if spec.name.startswith("opencv:"):
        return _OpenCvTracker(spec.name.removeprefix("opencv:"), spec.nano, threads)
    if ":" in spec.name and not spec.name.startswith("published:") and not Path(spec.name).exists():
        return _python_tracker(spec.name)
    return _FearTracker(Tracker(_network(spec.name, spec.runtime, threads), config=spec.config))


@cache
def _network(name: str, runtime: str, threads: int | None) -> Network:
    """One network a process serves all sequences: it has no state."""
    model = published_checkpoint(Path(name.removeprefix("published:"))) if name.startswith("published:") else name
    return load(model, runtime=runtime, threads=threads)


def _python_tracker(name: str) -> Candidate:
    """Any class that can be made without arguments and has `init(frame, box_xywh)` and `update(frame) -> box`, frames in RGB."""
    module, _, attribute = name.partition(":")
    try:
        candidate: Candidate = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ConfigError(f"{name}: expected MODULE:CLASS with a class that is made without arguments ({error})") from error
    if not callable(getattr(candidate, "init", None)) or not callable(getattr(candidate, "update", None)):
        raise ConfigError(f"{name}: expected a class with methods init and update, got {type(candidate).__name__}")
    return candidate


class _FearTracker:
    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def init(self, frame: Image, box_xywh: Box) -> None:
        self._tracker.init(frame, box_xywh)

    def update(self, frame: Image) -> Box:
        return self._tracker.update(frame).box_xywh


class _OpenCvTracker:
    """OpenCV's trackers take BGR and whole pixels; the conversion is on their clock only where they need it, in `update`."""

    def __init__(self, name: str, nano: Path | None, threads: int | None) -> None:
        if threads is not None:
            cv2.setNumThreads(threads)
        self._tracker = _opencv(name, nano)

    def init(self, frame: Image, box_xywh: Box) -> None:
        x, y, w, h = (round(value) for value in box_xywh)
        self._box: Box = box_xywh
        self._tracker.init(frame[:, :, ::-1].copy(), (x, y, max(w, 1), max(h, 1)))

    def update(self, frame: Image) -> Box:
        found, box = self._tracker.update(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        if found:
            x, y, w, h = box
            self._box = (float(x), float(y), float(w), float(h))
        return self._box


def _opencv(name: str, nano: Path | None) -> Any:
    makers = {"csrt": "TrackerCSRT", "kcf": "TrackerKCF", "mil": "TrackerMIL", "nano": "TrackerNano"}
    if name not in makers:
        raise ConfigError(f"opencv tracker: expected one of {', '.join(makers)}; got {name!r}")
    if not hasattr(cv2, makers[name]):
        raise RuntimeMissingError(f"opencv:{name}: expected OpenCV's contrib modules: pip install opencv-contrib-python-headless")
    kind = getattr(cv2, makers[name])
    if name != "nano":
        return kind.create()
    if nano is None:
        raise ConfigError("opencv:nano: expected a folder with NanoTrack's networks (--nano DIR), got none")
    found = [sorted(nano.glob(f"*{part}*.onnx")) for part in ("backbone", "head")]
    if not all(found):
        raise WeightsError(
            f"{nano}: expected *backbone*.onnx and *head*.onnx of NanoTrack, found {sorted(p.name for p in nano.glob('*'))[:6]}"
        )
    parameters: Any = getattr(cv2, "TrackerNano_Params")()  # noqa: B009  OpenCV's type hints do not know it
    parameters.backbone, parameters.neckhead = str(found[0][0]), str(found[1][0])
    return kind.create(parameters)
