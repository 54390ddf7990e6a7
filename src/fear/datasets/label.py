"""Boxes for clips that have none: what a good tracker follows forth and back along the same way is a label (pseudo-labels).

A target is a box put somewhere. It is followed three times: to the end, so that its box settles on whatever is there; back to the start;
and to the end again. Where the last two ways agree in every frame, the track is kept.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fear.datasets.clip import Clip
from fear.datasets.frames import read_frame
from fear.datasets.proposals import invented_box
from fear.errors import DatasetError
from fear.geometry.boxes import Box, iou
from fear.media.image import Image

AGREEMENT = 0.7
"""Least overlap of the two ways in any frame."""

_COLUMNS = ("sequence_id", "track_id", "frame_index", "img_path", "bbox", "frame_shape", "dataset", "presence", "near_corner")


class Follower(Protocol):
    """What of a tracker is needed here."""

    def init(self, frame: Image, box_xywh: Box) -> None:
        """Starts anew."""

    def update(self, frame: Image) -> Box:
        """The box in the next frame."""


def follow_forth_and_back(follower: Follower, frames: Sequence[Image], box_xywh: Box) -> NDArray[np.float64] | None:
    """Follows a box through a clip.

    Args:
        follower: A tracker.
        frames: (H, W, 3) each.
        box_xywh: In the first frame.

    Returns:
        (frames, 4), or None where the ways disagree.
    """

    def way(order: Sequence[Image], box: Box) -> list[Box]:
        follower.init(order[0], box)
        return [box, *(follower.update(frame) for frame in order[1:])]

    settled = way(frames, box_xywh)[-1]
    if min(settled[2:]) < 1:
        return None
    back = way(frames[::-1], settled)[::-1]
    if min(back[0][2:]) < 1:
        return None
    forth = way(frames, back[0])
    return np.array(forth) if iou(np.array(forth), np.array(back)).min() >= AGREEMENT else None


def label_clips(
    sequences: Sequence[Clip],
    follower: Follower,
    table: Path,
    draw: Callable[[np.random.Generator, int, int], Box] = invented_box,
    targets: int = 12,
    seed: int = 0,
    on_clip: Callable[[], None] = lambda: None,
) -> int:
    """Writes a manifest of the targets that could be followed; `read_manifest` reads it.

    Args:
        sequences: Clips; boxes that they have are not looked at.
        follower: A tracker.
        table: CSV to write, whole or not at all; paths of pictures are relative to it.
        draw: A box in a picture of some height and width.
        targets: Tried in each clip; one that overlaps another of the same clip is left out.
        seed: Of the boxes.
        on_clip: Called after each clip.

    Returns:
        Number of tracks.

    Raises:
        DatasetError: the table exists, or a picture is broken.
    """
    if table.exists():
        raise DatasetError(f"{table}: expected a new table, found one that exists")
    rng, count = np.random.default_rng(seed), 0
    table.parent.mkdir(parents=True, exist_ok=True)
    unfinished = table.with_name(f".{table.name}.{os.getpid()}")
    try:
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            rows = csv.DictWriter(file, _COLUMNS)
            rows.writeheader()
            for sequence in sequences:
                kept: list[NDArray[np.float64]] = []
                frames = [read_frame(path) for path in sequence.frames]
                height, width = frames[0].shape[:2]
                for _ in range(targets):
                    found = follow_forth_and_back(follower, frames, draw(rng, height, width))
                    if found is None or any(iou(found, other).mean() > 0.5 for other in kept):
                        continue
                    for index, (path, box) in enumerate(zip(sequence.frames, found.tolist(), strict=True)):
                        x, y, w, h = box
                        rows.writerow(
                            {
                                "sequence_id": sequence.name,
                                "track_id": len(kept),
                                "frame_index": index,
                                "img_path": os.path.relpath(str(path), table.parent),
                                "bbox": json.dumps([round(value, 2) for value in box]),
                                "frame_shape": json.dumps([height, width]),
                                "dataset": "pseudo",
                                "presence": 1,
                                "near_corner": int(x <= 1 or y <= 1 or x + w >= width - 1 or y + h >= height - 1),
                            }
                        )
                    kept.append(found)
                count += len(kept)
                on_clip()
        unfinished.replace(table)
    finally:
        unfinished.unlink(missing_ok=True)
    return count
