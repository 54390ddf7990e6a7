"""OpenCV's tracking interface: a replacement for `cv2.TrackerNano` and similar trackers.

Frames are BGR and boxes are whole pixels, as in the rest of OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fear.config import TrackerConfig
from fear.media.image import Image
from fear.tracking.tracker import Tracker

Rect = tuple[int, int, int, int]
"""x, y, width, height."""


class FearTracker:
    """Follows one target behind OpenCV's methods: BGR frames, rectangles of whole pixels.

    Args:
        model: A name such as `fear-xs`, a `.safetensors` checkpoint, an exported folder, or `published:DIR`.
        runtime: `openvino`, `onnx` or `torch`. `auto` measures at the first use on a machine which one is the fastest.
        threads: Threads of the network; None leaves their number to the runtime.
        config: Rules around the network.

    Raises:
        WeightsError: There is no such model, or it is damaged.
        RuntimeMissingError: The runtime is not installed.

    Examples:
        >>> import numpy as np
        >>> from fear.integrations.opencv import FearTracker
        >>> tracker = FearTracker()
        >>> image = np.zeros((120, 160, 3), np.uint8)
        >>> tracker.init(image, (60, 40, 20, 20))
        >>> found, rect = tracker.update(image)
    """

    def __init__(
        self, model: str | Path = "fear-xs", *, runtime: str = "auto", threads: int | None = None, config: TrackerConfig | None = None
    ) -> None:
        self._tracker = Tracker(model, runtime=runtime, threads=threads, config=config, colour="bgr")
        self._score = 1.0

    def init(self, image: Image, rect: Sequence[Any]) -> None:
        """Starts with a BGR frame, (H, W, 3) uint8, and the rectangle of the target.

        Raises:
            FrameError: The frame is not such an array.
            BoxError: The rectangle is not four numbers with an area in the frame.
        """
        self._tracker.init(image, rect)
        self._score = 1.0

    def update(self, image: Image) -> tuple[bool, Rect]:
        """Finds the target in the next BGR frame.

        Returns:
            Whether the target is found (false while it is lost), and its rectangle.
        """
        track = self._tracker.update(image)
        self._score = track.score
        x, y, w, h = track.box_xywh
        return not track.lost, (round(x), round(y), round(w), round(h))

    def getTrackingScore(self) -> float:  # noqa: N802  OpenCV's name
        """Confidence of the last `update`, 0 to 1."""
        return self._score
