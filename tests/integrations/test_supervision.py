from __future__ import annotations

import numpy as np
import pytest

from fear.tracking.track import Track

supervision = pytest.importorskip("supervision")
from fear.integrations.supervision import to_detections  # noqa: E402  needs supervision

TRACKS = [
    Track((10, 20, 30, 40), 0.9, 0.8, False, 0),
    Track((1, 2, 3, 4), 0.2, 0.1, True, 1),
    Track((5, 5, 10, 10), 0.7, 0.6, False, 2),
]


def test_detections_keep_their_targets_numbers() -> None:
    detections = to_detections(TRACKS)
    assert detections.xyxy.tolist() == [[10, 20, 40, 60], [5, 5, 15, 15]]
    assert detections.tracker_id is not None
    assert detections.tracker_id.tolist() == [0, 2]
    assert detections.confidence == pytest.approx([0.9, 0.7])
    assert detections.data["similarity"] == pytest.approx([0.8, 0.6])


def test_lost_ones_come_along_on_request() -> None:
    assert list(to_detections(TRACKS, keep_lost=True).data["lost"]) == [False, True, False]
    assert len(to_detections([])) == 0


def test_annotators_draw_them() -> None:
    frame = np.zeros((100, 100, 3), np.uint8)
    drawn = supervision.BoxAnnotator().annotate(frame.copy(), to_detections(TRACKS))
    assert drawn.any()
