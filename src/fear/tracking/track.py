"""What a tracker says about a target in one frame."""

from __future__ import annotations

from typing import NamedTuple

from fear.geometry.boxes import Box


class Track(NamedTuple):
    """Where a target is in one frame.

    Example:
        >>> track = Track((10.0, 20.0, 30.0, 40.0), score=0.97, similarity=0.93, lost=False)
        >>> track.box_xyxy
        (10.0, 20.0, 40.0, 60.0)
    """

    box_xywh: Box
    """Left, top, width, height in pixels of the frame, within its borders."""
    score: float
    """The confidence of the network at the chosen place, 0 to 1."""
    similarity: float
    """Cosine similarity of the features found there and those of the target, -1 to 1."""
    lost: bool
    """The target is probably hidden or gone."""
    id: int = 0
    """Number of the target: its place among the boxes of `init`, or what `MultiTracker.add` returned."""

    @property
    def box_xyxy(self) -> Box:
        """The box as left, top, right, bottom in pixels of the frame."""
        x, y, w, h = self.box_xywh
        return x, y, x + w, y + h
