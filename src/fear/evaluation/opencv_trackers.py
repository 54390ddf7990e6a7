"""OpenCV's trackers behind the methods of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fear.errors import ConfigError, RuntimeMissingError, WeightsError
from fear.geometry.boxes import Box
from fear.media.image import Image
from fear.media.opencv import require_opencv
from fear.tracking.track import Track

_CLASSES = {"csrt": "TrackerCSRT", "kcf": "TrackerKCF", "mil": "TrackerMIL", "nano": "TrackerNano", "vit": "TrackerVit"}
_NETWORKS = {"nano": ("backbone", "head"), "vit": ("vit",)}
"""Parts of the names of the networks that a tracker reads."""


def create_opencv(name: str, nano: Path | None, vit: Path | None, threads: int | None) -> OpenCvTracker:
    """Makes one of OpenCV's trackers.

    Args:
        name: `csrt`, `kcf`, `mil`, `nano` or `vit`.
        nano: Folder with the networks of `nano`.
        vit: Folder with the network of `vit`.
        threads: Threads of OpenCV in this process; None leaves them as they are.

    Raises:
        ConfigError: The name is unknown, or the folder of its networks is not given.
        RuntimeMissingError: There is no OpenCV, or it does not have the tracker.
        WeightsError: The folder does not hold the networks.
    """
    networks = opencv_networks(name, nano, vit)
    cv2 = require_opencv(f"opencv:{name}")
    if not hasattr(cv2, _CLASSES[name]):
        raise RuntimeMissingError(f"opencv:{name}: expected OpenCV's contrib modules: pip install opencv-contrib-python-headless")
    kind = getattr(cv2, _CLASSES[name])
    if threads is not None:
        cv2.setNumThreads(threads)
    if not networks:
        return OpenCvTracker(kind.create(), cv2)
    parameters: Any = getattr(cv2, f"{_CLASSES[name]}_Params")()
    for field, path in zip(("backbone", "neckhead") if name == "nano" else ("net",), networks, strict=True):
        setattr(parameters, field, str(path))
    return OpenCvTracker(kind.create(parameters), cv2)


def opencv_networks(name: str, nano: Path | None, vit: Path | None) -> list[Path]:
    """The networks that one of OpenCV's trackers reads; none for trackers without networks.

    Raises:
        ConfigError: The name is unknown, or the folder is not given.
        WeightsError: The folder does not hold them.
    """
    if name not in _CLASSES:
        raise ConfigError(f"opencv tracker: expected one of {', '.join(_CLASSES)}; got {name!r}")
    if name not in _NETWORKS:
        return []
    folder = nano if name == "nano" else vit
    if folder is None:
        raise ConfigError(f"opencv:{name}: expected a folder with its networks (--{name} DIR), got none")
    found = [sorted(folder.glob(f"*{part}*.onnx")) for part in _NETWORKS[name]]
    if not all(found):
        wanted = " and ".join(f"*{part}*.onnx" for part in _NETWORKS[name])
        raise WeightsError(f"{folder}: expected {wanted}, found {sorted(path.name for path in folder.glob('*'))[:6]}")
    return [paths[0] for paths in found]


class OpenCvTracker:
    """One of OpenCV's trackers, which take BGR pictures and boxes of whole pixels.

    Args:
        tracker: Made by OpenCV.
        cv2: OpenCV itself, which converts colours.
    """

    def __init__(self, tracker: Any, cv2: Any) -> None:
        self._cv2 = cv2
        self._tracker = tracker
        self._box: Box = (0.0, 0.0, 1.0, 1.0)

    def init(self, frame: Image, box_xywh: Box) -> None:
        """Starts with the target of the first frame, RGB."""
        x, y, w, h = (round(value) for value in box_xywh)
        self._box = box_xywh
        self._tracker.init(frame[:, :, ::-1].copy(), (x, y, max(w, 1), max(h, 1)))

    def update(self, frame: Image) -> Track:
        """Finds the target in the next frame.

        A tracker that says that it has not found the target is lost, and its box stays where it was. The score is the tracker's own where
        it has one; otherwise it is 1 or 0.
        """
        found, box = self._tracker.update(self._cv2.cvtColor(frame, self._cv2.COLOR_RGB2BGR))
        if found:
            x, y, w, h = box
            self._box = (float(x), float(y), float(w), float(h))
        score = float(self._tracker.getTrackingScore()) if hasattr(self._tracker, "getTrackingScore") else float(found)
        return Track(self._box, score, float("nan"), not found)
