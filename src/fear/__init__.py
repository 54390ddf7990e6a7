"""FEAR: follow one object through a video, given its box in the first frame, in real time on an ordinary CPU.

    import fear

    tracker = fear.Tracker("fear-xs")
    tracker.init(frame, box_xywh)        # frame: uint8 RGB (H, W, 3); box in pixels, 0-based
    track = tracker.update(frame)        # Track(box_xywh, score, similarity, lost)

Everything public is listed in `__all__` and loaded when it is first used, so that `import fear` costs next to nothing. torch is never
imported from here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fear.errors import (
    BoxError,
    ConfigError,
    DatasetError,
    ExportError,
    FearError,
    FrameError,
    RuntimeMissingError,
    VideoError,
    WeightsError,
)

if TYPE_CHECKING:
    from fear.annotations.draw import draw_tracks
    from fear.config import FEAR_L, FEAR_M, FEAR_XS, NetworkConfig, TrackerConfig
    from fear.media.reader import open_source
    from fear.media.writer import VideoWriter
    from fear.tracking.loop import track
    from fear.tracking.track import Track
    from fear.tracking.tracker import MultiTracker, Tracker

__version__ = "0.1.0"

__all__ = [
    "FEAR_L",
    "FEAR_M",
    "FEAR_XS",
    "BoxError",
    "ConfigError",
    "DatasetError",
    "ExportError",
    "FearError",
    "FrameError",
    "MultiTracker",
    "NetworkConfig",
    "RuntimeMissingError",
    "Track",
    "Tracker",
    "TrackerConfig",
    "VideoError",
    "VideoWriter",
    "WeightsError",
    "__version__",
    "draw_tracks",
    "open_source",
    "track",
]

_HOME = {
    "FEAR_L": "fear.config",
    "FEAR_M": "fear.config",
    "FEAR_XS": "fear.config",
    "MultiTracker": "fear.tracking.tracker",
    "NetworkConfig": "fear.config",
    "Track": "fear.tracking.track",
    "Tracker": "fear.tracking.tracker",
    "TrackerConfig": "fear.config",
    "VideoWriter": "fear.media.writer",
    "draw_tracks": "fear.annotations.draw",
    "open_source": "fear.media.reader",
    "track": "fear.tracking.loop",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'fear' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
