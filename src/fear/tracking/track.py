"""What a tracker says about a target in one frame."""

from __future__ import annotations

from typing import NamedTuple

from fear.geometry.boxes import Box


class Track(NamedTuple):
    """Where the target is in one frame."""

    box_xywh: Box
    """In pixels of the frame, within its borders."""
    score: float
    """The network's confidence at the chosen place, 0 to 1."""
    similarity: float
    """Cosine similarity of what was found and the target, −1 to 1."""
    lost: bool
    """The score is below `TrackerConfig.lost_score`: the target is probably hidden or gone."""
