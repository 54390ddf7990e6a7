"""Assigns search results to targets, so that no two targets get the same object.

Two searches may end at the same object, such as one of two runners who cross. Then the object goes to the target that it suits better by
place, motion, score and similarity. The other target takes the next best peak of its own search, or is occluded in this frame.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fear.geometry.boxes import Box, iou

SAME = 0.5
"""Boxes that overlap by more are taken for the same object."""


class Option(NamedTuple):
    """A peak that a target may take."""

    box_xywh: Box
    """In pixels of the frame."""
    affinity: float
    """How well it suits the target, from 0 up; 0 for a peak that the target should not take."""


def affinity(box_xywh: Box, expected_xywh: Box, score: float, relative_similarity: float) -> float:
    """How well a peak suits a target.

    Args:
        box_xywh: Of the peak.
        expected_xywh: Where the target would be if it moved on as before.
        score: Of the peak, 0 to 1.
        relative_similarity: Of the search that found it, as a share of what is usual for the target.
    """
    (x, y, w, h), (ex, ey, ew, eh) = box_xywh, expected_xywh
    distance = math.hypot((x + w / 2 - ex - ew / 2) / ew, (y + h / 2 - ey - eh / 2) / eh)
    return score * max(relative_similarity, 0.0) * math.exp(-(distance**2))


def assign(options: Mapping[int, Sequence[Option]]) -> dict[int, int | None]:
    """Gives each target one of its peaks, so that no two targets get the same object.

    The pairs of target and peak are taken in the order of their affinity, and of equal ones the target that was given first comes first. A
    target whose peaks all belong to others gets None.

    Args:
        options: The peaks of each target, the one that it would take if it were alone first.

    Returns:
        The number of the peak, by target.
    """
    chosen: dict[int, int | None] = dict.fromkeys(options)
    taken: list[Box] = []
    pairs = [(-one.affinity, place, target) for target, peaks in options.items() for place, one in enumerate(peaks)]
    for value, place, target in sorted(pairs):
        box = options[target][place].box_xywh
        if chosen[target] is None and value < 0 and not belongs_to(box, taken):
            chosen[target] = place
            taken.append(box)
    return chosen


def belongs_to(box_xywh: Box, others: Sequence[Box]) -> bool:
    """Whether a box is the same object as one of the others."""
    return any(float(iou(box_xywh, other)) > SAME for other in others)


def in_conflict(boxes_xywh: Sequence[Box]) -> bool:
    """Whether two of these boxes are the same object."""
    return any(belongs_to(box, boxes_xywh[:number]) for number, box in enumerate(boxes_xywh))
