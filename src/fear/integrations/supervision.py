"""Tracks for Roboflow's supervision, whose annotators, zones and counters take its `Detections`.

import supervision
from fear.integrations.supervision import to_detections

detections = to_detections(tracker.update(frame))  # of fear.MultiTracker, or one track in a list
frame = supervision.BoxAnnotator().annotate(frame, detections)
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import supervision

from fear.tracking.track import Track


def to_detections(tracks: Iterable[Track], *, keep_lost: bool = False) -> supervision.Detections:
    """Returns tracks as detections: boxes as xyxy, scores as confidence, the ids of the targets as `tracker_id`.

    Args:
        tracks: One track for each target, such as `fear.MultiTracker.update` returns.
        keep_lost: Whether the tracks of lost targets are included. In both cases no other target gets their ids.

    Returns:
        Detections with `data["similarity"]` (N,) and `data["lost"]` (N,).
    """
    kept = [track for track in tracks if keep_lost or not track.lost]
    if not kept:
        return supervision.Detections.empty()
    boxes_xywh = np.array([track.box_xywh for track in kept], np.float32)  # (N, 4)
    return supervision.Detections(
        xyxy=np.concatenate((boxes_xywh[:, :2], boxes_xywh[:, :2] + boxes_xywh[:, 2:]), axis=1),
        confidence=np.array([track.score for track in kept], np.float32),
        class_id=np.zeros(len(kept), int),
        tracker_id=np.array([track.id for track in kept]),
        data={
            "similarity": np.array([track.similarity for track in kept], np.float32),
            "lost": np.array([track.lost for track in kept]),
        },
    )
