"""Validation: clips are tracked from their first box by the tracker and the loop that users run."""

from __future__ import annotations

import numpy as np

from fear.datasets.clip import Clip
from fear.evaluation.metrics import scored_frames
from fear.geometry.boxes import iou
from fear.tracking.loop import follow
from fear.tracking.protocol import BoxTracker


def mean_overlap(tracker: BoxTracker, clip: Clip) -> float:
    """Mean IoU over the scored frames of a clip, which is tracked from its first box; 0 where no frame can be scored."""
    scored = scored_frames(clip.boxes_xywh)
    steps = follow(tracker, clip, [clip.boxes_xywh[0].tolist()])
    boxes = np.array([step.tracks[0].box_xywh for step in steps])
    return float(iou(boxes[scored], clip.boxes_xywh[scored]).mean()) if scored.any() else 0.0
