"""FEAR: follow one object through a video, given its box in the first frame, in real time on an ordinary CPU.

    import fear

    tracker = fear.Tracker("fear-xs")
    tracker.init(frame, box_xywh)        # frame: uint8 RGB (H, W, 3); box in pixels, 0-based
    track = tracker.update(frame)        # Track(box_xywh, score, similarity, lost)

Everything public is listed in `__all__` and loaded when it is first used, so that `import fear` costs next to nothing. torch is never
imported from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

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
    from fear.config import FEAR_L, FEAR_M, FEAR_NANO, FEAR_XS, NetworkConfig, TrackerConfig
    from fear.evaluation import evaluate
    from fear.loading.reference import Model, models
    from fear.media.reader import open_source
    from fear.media.writer import VideoWriter
    from fear.tracking.loop import track
    from fear.tracking.track import Track
    from fear.tracking.tracker import MultiTracker, Tracker
    from fear.weights.card import WeightsCard

__version__ = "0.2.0"

__all__ = [
    "FEAR_L",
    "FEAR_M",
    "FEAR_NANO",
    "FEAR_XS",
    "BoxError",
    "ConfigError",
    "DatasetError",
    "ExportError",
    "FearError",
    "FrameError",
    "Model",
    "MultiTracker",
    "NetworkConfig",
    "RuntimeMissingError",
    "Track",
    "Tracker",
    "TrackerConfig",
    "VideoError",
    "VideoWriter",
    "WeightsCard",
    "WeightsError",
    "__version__",
    "draw_tracks",
    "evaluate",
    "models",
    "open_source",
    "track",
]

__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "annotations.draw": ["draw_tracks"],
        "config": ["FEAR_L", "FEAR_M", "FEAR_NANO", "FEAR_XS", "NetworkConfig", "TrackerConfig"],
        "evaluation": ["evaluate"],
        "loading.reference": ["Model", "models"],
        "media.reader": ["open_source"],
        "media.writer": ["VideoWriter"],
        "tracking.loop": ["track"],
        "tracking.track": ["Track"],
        "tracking.tracker": ["MultiTracker", "Tracker"],
        "weights.card": ["WeightsCard"],
    },
)


def __dir__() -> list[str]:
    return sorted(__all__)
