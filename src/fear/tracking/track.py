"""What a tracker says about a target in one frame."""

from __future__ import annotations

from typing import NamedTuple

from fear.geometry.boxes import Box


class Track(NamedTuple):
    """Where a target is in one frame, and how sure that is. A named tuple.

    Attributes:
        box_xywh: Left, top, width, height in pixels of the frame, as floats, within its borders.
        score: The confidence of the network at the chosen place, 0 to 1.
        similarity: Cosine similarity of the features found there and those of the target, -1 to 1.
        lost: The target is probably hidden or out of view. Do not rely on the box then.
        id: Number of the target: its place among the boxes of `init`, or what `MultiTracker.add` returned.

    Examples:
        >>> import fear
        >>> track = fear.Track((10.0, 20.0, 30.0, 40.0), score=0.97, similarity=0.93, lost=False)
        >>> track.box_xyxy
        (10.0, 20.0, 40.0, 60.0)
        >>> x, y, width, height = track.box_xywh
    """

    box_xywh: Box
    score: float
    similarity: float
    lost: bool
    id: int = 0

    @property
    def box_xyxy(self) -> Box:
        """The box as left, top, right, bottom in pixels of the frame."""
        x, y, w, h = self.box_xywh
        return x, y, x + w, y + h
