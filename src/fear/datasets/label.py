"""Boxes for clips that have none (pseudo-labels): what a good tracker follows forth and back along the same way.

A box is put somewhere in the first frame. The tracker follows it to the end, so that the box settles on whatever is there, then back to the
start, and to the end again. Where the last two ways agree in every frame, the track is kept.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fear.datasets.clip import Clip
from fear.datasets.frames import VideoFrame
from fear.datasets.proposals import invented_box
from fear.errors import DatasetError
from fear.geometry.boxes import Box, iou
from fear.media.reader import Frame
from fear.tracking.loop import follow
from fear.tracking.protocol import BoxTracker
from fear.weights.store import written_whole

AGREEMENT = 0.7
"""Least overlap of the two ways in every frame."""

_COLUMNS = ("sequence_id", "track_id", "frame_index", "img_path", "bbox", "frame_shape", "dataset", "presence", "near_corner")


@dataclass(frozen=True, slots=True)
class Labelling:
    """How clips are labelled.

    Attributes:
        targets: Boxes to try in each clip; one that ends on the same target as another is left out.
        seed: Of the boxes.
        draw: Puts a box into a picture, given a random generator and the picture's height and width.
    """

    targets: int = 12
    seed: int = 0
    draw: Callable[[np.random.Generator, int, int], Box] = invented_box


def follow_forth_and_back(tracker: BoxTracker, frames: Sequence[Frame], box_xywh: Box) -> NDArray[np.float64] | None:
    """Follows a box through a clip of F frames.

    Args:
        tracker: Follows one target.
        frames: The F frames.
        box_xywh: In the first frame.

    Returns:
        (F, 4), or None where the two ways disagree.
    """

    def way(order: Sequence[Frame], box: Box) -> list[Box]:
        return [step.tracks[0].box_xywh for step in follow(tracker, order, [box])]

    settled = way(frames, box_xywh)[-1]
    if min(settled[2:]) < 1:
        return None
    back = way(frames[::-1], settled)[::-1]
    if min(back[0][2:]) < 1:
        return None
    forth = way(frames, back[0])
    return np.array(forth) if iou(np.array(forth), np.array(back)).min() >= AGREEMENT else None


def label_clips(
    clips: Sequence[Clip],
    tracker: BoxTracker,
    table: Path,
    labelling: Labelling = Labelling(),
    on_clip: Callable[[], None] = lambda: None,
) -> int:
    """Writes a manifest of the targets that could be followed, which `read_manifest` reads.

    Args:
        clips: Folders of pictures; boxes that they have are ignored.
        tracker: Follows one target.
        table: CSV file to write, whole or not at all; the paths of pictures in it are relative to its folder.
        labelling: How many boxes are tried, and where.
        on_clip: Is called after each clip.

    Returns:
        The number of tracks.

    Raises:
        DatasetError: The table exists, a picture is damaged, or a clip is a video, whose frames a manifest cannot name.
    """
    if table.exists():
        raise DatasetError(f"{table}: expected a new table, found one that exists")
    for clip in clips:
        if any(isinstance(reference, VideoFrame) for reference in clip.frames):
            raise DatasetError(f"{clip.name}: expected a folder of pictures, got a video; turn it into pictures with `fear data unpack`")
    rng, count = np.random.default_rng(labelling.seed), 0
    with written_whole(table) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, _COLUMNS)
        rows.writeheader()
        for clip in clips:
            frames = list(clip)
            height, width = frames[0].image.shape[:2]
            tracks = _tracks(tracker, frames, [labelling.draw(rng, height, width) for _ in range(labelling.targets)])
            for number, track in enumerate(tracks):
                rows.writerows(_rows(clip, number, track, (height, width), table.parent))
            count += len(tracks)
            on_clip()
    return count


def _tracks(tracker: BoxTracker, frames: Sequence[Frame], boxes_xywh: Sequence[Box]) -> list[NDArray[np.float64]]:
    """The tracks, (F, 4) each, that could be followed from some boxes, each target once."""
    kept: list[NDArray[np.float64]] = []
    for box in boxes_xywh:
        found = follow_forth_and_back(tracker, frames, box)
        if found is not None and all(iou(found, other).mean() <= 0.5 for other in kept):
            kept.append(found)
    return kept


def _rows(clip: Clip, number: int, track: NDArray[np.float64], size: tuple[int, int], folder: Path) -> Iterator[dict[str, Any]]:
    """Lines of the manifest for one track."""
    height, width = size
    for index, (reference, (x, y, w, h)) in enumerate(zip(clip.frames, track.tolist(), strict=True)):
        yield {
            "sequence_id": clip.name,
            "track_id": number,
            "frame_index": index,
            "img_path": os.path.relpath(str(reference), folder),
            "bbox": json.dumps([round(value, 2) for value in (x, y, w, h)]),
            "frame_shape": json.dumps([height, width]),
            "dataset": "pseudo",
            "presence": 1,
            "near_corner": int(x <= 1 or y <= 1 or x + w >= width - 1 or y + h >= height - 1),
        }
