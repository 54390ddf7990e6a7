from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from fear.datasets.clip import Clip
from fear.geometry.boxes import Box
from fear.tracking.track import Track
from fear.training.data.difficulty import difficulty_weights, keep_weights, kept_weights
from fear.training.data.sampler import Pool, shares


class Standing:
    """A tracker that never moves its box."""

    def init(self, frame: object, boxes_xywh: Sequence[Box]) -> None:
        self._box = boxes_xywh[0]

    def update(self, frame: object) -> list[Track]:
        return [Track(self._box, 1.0, 1.0, False)]


def clip(folder: Path, name: str, speed: float, frames: int = 12) -> Clip:
    cv2.imwrite(str(folder / "frame.png"), np.zeros((100, 100, 3), np.uint8))
    boxes = np.array([(10 + speed * k, 10, 20, 20) for k in range(frames)], np.float64)
    return Clip(name, (folder / "frame.png",) * frames, boxes)


def test_clips_that_are_lost_weigh_more(tmp_path: Path) -> None:
    clips = [clip(tmp_path, "still", 0), clip(tmp_path, "fast", 30)]
    weights = difficulty_weights([Pool(clips, 1), Pool([clip(tmp_path, "picture", 0, frames=1)], 1)], Standing())
    assert weights == pytest.approx({"still": 0.25, "fast": 1.25})


def test_weights_are_kept(tmp_path: Path) -> None:
    assert kept_weights(tmp_path / "w.json") is None
    keep_weights({"a": 0.5}, tmp_path / "w.json")
    assert kept_weights(tmp_path / "w.json") == {"a": 0.5}


def test_shares_of_clips() -> None:
    assert shares(["a", "b"], {}) is None
    known = shares(["a", "b", "new"], {"a": 1.0, "b": 3.0})
    assert known is not None
    assert known.tolist() == pytest.approx([1 / 6, 3 / 6, 2 / 6])
