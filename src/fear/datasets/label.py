"""Boxes for clips that have none (pseudo-labels): what a good tracker follows forth and back along the same way, and what looks like a
thing.

Many boxes are put into the first frame, and those that differ most from their surroundings are tried. The tracker follows each to the
end, so that the box settles on whatever is there, then back to the start, and to the end again. Where the last two ways agree in every
frame, and the box differs from its surroundings over the clip, the track is kept.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fear.datasets.clip import Clip
from fear.datasets.frames import VideoFrame
from fear.datasets.objectness import observe, separation
from fear.datasets.proposals import invented_box
from fear.datasets.sheet import Strip, draw_strip, write_sheet
from fear.errors import DatasetError
from fear.geometry.boxes import Box, clip_box, iou
from fear.media.image import Image
from fear.media.reader import Frame
from fear.tracking.loop import follow
from fear.tracking.protocol import BoxTracker
from fear.weights.store import written_whole

AGREEMENT = 0.7
"""Least overlap of the two ways in every frame."""
_POOL = 40
"""Boxes that are looked at for each one that is tried."""
_MOMENTS = 4
"""Frames in which a track is compared with its surroundings."""
_LATER = 4
"""Frames between the two pictures that show how things move."""
_NUDGES = ((0.0, 0.0, 0.7), (0.0, 0.0, 1.4), (0.2, 0.2, 1.0), (-0.2, -0.2, 1.0))
"""Changes of a track's first box, after which a tracker comes back to a thing: shifts right and down, in sides of the box, and a scale."""
_SETTLING = 6
"""Frames in which it has to come back."""
_ROWS = 100
"""Rows of a sheet at most."""

_COLUMNS = ("sequence_id", "track_id", "frame_index", "img_path", "bbox", "frame_shape", "dataset", "presence", "near_corner")


@dataclass(frozen=True, slots=True)
class Labelling:
    """How clips are labelled.

    Attributes:
        targets: Boxes to try in each clip; one that ends on the same target as another is left out.
        seed: Of the boxes.
        least: Objectness that a track needs, 0 to 1; 0 keeps whatever can be followed.
        draw: Puts a box into a picture, given a random generator and the picture's height and width.
    """

    targets: int = 12
    seed: int = 0
    least: float = 0.15
    draw: Callable[[np.random.Generator, int, int], Box] = invented_box


class Followed(NamedTuple):
    """A track that went the same way forth and back."""

    boxes_xywh: NDArray[np.float64]
    """(F, 4)"""
    agreement: NDArray[np.float64]
    """(F,), the overlap of the two ways."""
    stability: float = 1.0
    """How well the tracker comes back to the track from boxes beside it, 0 to 1: it settles on a thing and stays anywhere on a wall."""
    separation: float = 1.0
    """How differently the box is coloured and moves from what is beside it, 0 to 1."""

    @property
    def objectness(self) -> float:
        """Geometric mean of stability and separation, 0 to 1."""
        return float(np.sqrt(self.stability * self.separation))

    @property
    def verdict(self) -> str:
        """The measures in words."""
        return f"objectness {self.objectness:.2f} (stable {self.stability:.2f}, separate {self.separation:.2f})"


def follow_forth_and_back(tracker: BoxTracker, frames: Sequence[Frame], box_xywh: Box) -> Followed | None:
    """Follows a box through a clip of F frames.

    Args:
        tracker: Follows one target.
        frames: The F frames.
        box_xywh: In the first frame.

    Returns:
        The track, or None where the two ways disagree.
    """

    def way(order: Sequence[Frame], box: Box) -> list[Box]:
        return [step.tracks[0].box_xywh for step in follow(tracker, order, [box])]

    settled = way(frames, box_xywh)[-1]
    if min(settled[2:]) < 1:
        return None
    back = way(frames[::-1], settled)[::-1]
    if min(back[0][2:]) < 1:
        return None
    forth = np.array(way(frames, back[0]))
    agreement = np.asarray(iou(forth, np.array(back)))
    return Followed(forth, agreement) if agreement.min() >= AGREEMENT else None


def label_clips(
    clips: Sequence[Clip],
    tracker: BoxTracker,
    table: Path,
    labelling: Labelling = Labelling(),
    on_clip: Callable[[], None] = lambda: None,
    sheet: Path | None = None,
) -> int:
    """Writes a manifest of the targets that could be followed, which `read_manifest` reads.

    Args:
        clips: Folders of pictures; boxes that they have are ignored.
        tracker: Follows one target.
        table: CSV file to write, whole or not at all; the paths of pictures in it are relative to its folder.
        labelling: How many boxes are tried, and where.
        on_clip: Is called after each clip.
        sheet: PNG file that shows the tracks; None writes none.

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
    strips: list[tuple[float, Strip]] = []
    with written_whole(table) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, _COLUMNS)
        rows.writeheader()
        for clip in clips:
            frames = list(clip)
            images = [frame.image for frame in frames]
            size = images[0].shape[0], images[0].shape[1]
            for number, track in enumerate(_tracks(tracker, frames, images, _promising(rng, images, labelling), labelling.least)):
                rows.writerows(_rows(clip, number, track.boxes_xywh, size, table.parent))
                title = f"{clip.name}, track {number}: {track.verdict}; below: frame, agreement of both ways"
                strips.append((track.objectness, draw_strip(title, images, track.boxes_xywh, track.agreement)))
                strips = sorted(strips, key=lambda pair: -pair[0])[:_ROWS]
                count += 1
            on_clip()
        if sheet is not None:
            write_sheet([strip for _, strip in strips], sheet)
    return count


def _promising(rng: np.random.Generator, images: Sequence[Image], labelling: Labelling) -> list[Box]:
    """The boxes of many that differ most from their surroundings, each at another place."""
    height, width = images[0].shape[:2]
    scene = observe(images[0], images[min(_LATER, len(images) - 1)])
    drawn = [labelling.draw(rng, height, width) for _ in range(labelling.targets * _POOL)]
    drawn.sort(key=lambda box: -separation(scene, box))
    chosen: list[Box] = []
    for box in drawn:
        if all(float(iou(np.array(box), np.array(other))) < 0.3 for other in chosen):
            chosen.append(box)
        if len(chosen) == labelling.targets:
            break
    return chosen


def _tracks(
    tracker: BoxTracker, frames: Sequence[Frame], images: Sequence[Image], boxes_xywh: Sequence[Box], least: float
) -> list[Followed]:
    """The tracks that could be followed from some boxes, each target once, those that look most like things first."""
    found = []
    for box in boxes_xywh:
        track = follow_forth_and_back(tracker, frames, box)
        if track is not None:
            judged = track._replace(stability=_stability(tracker, frames, track), separation=_separation(images, track))
            if judged.objectness >= least:
                found.append(judged)
    kept: list[Followed] = []
    for track in sorted(found, key=lambda one: -one.objectness):
        if all(iou(track.boxes_xywh, other.boxes_xywh).mean() <= 0.5 for other in kept):
            kept.append(track)
    return kept


def _stability(tracker: BoxTracker, frames: Sequence[Frame], track: Followed) -> float:
    """How well the tracker comes back to a track from boxes beside its first one.

    An overlap as large as that of the box beside it with the first one counts 0: the tracker stayed where it was put.
    """
    length = min(_SETTLING, len(frames))
    x, y, w, h = track.boxes_xywh[0].tolist()
    found = []
    for right, down, scale in _NUDGES:
        beside: Box = (x + (right + (1 - scale) / 2) * w, y + (down + (1 - scale) / 2) * h, w * scale, h * scale)
        height, width = frames[0].picture.shape[:2]
        if clip_box(beside, height, width)[2:] == (0, 0):
            continue
        last = [step.tracks[0].box_xywh for step in follow(tracker, frames[:length], [beside])][-1]
        before = float(iou(np.array(beside), track.boxes_xywh[0]))
        after = float(iou(np.array(last), track.boxes_xywh[length - 1]))
        found.append(max((after - before) / (1 - before), 0.0))
    return float(np.mean(found)) if found else 0.0


def _separation(images: Sequence[Image], track: Followed) -> float:
    last = max(len(images) - 1 - _LATER, 0)
    moments = np.unique(np.linspace(0, last, _MOMENTS).round().astype(int)).tolist()
    boxes: list[Box] = [(x, y, w, h) for x, y, w, h in track.boxes_xywh.tolist()]
    scenes = (observe(images[moment], images[min(moment + _LATER, len(images) - 1)]) for moment in moments)
    return float(np.mean([separation(scene, boxes[moment]) for scene, moment in zip(scenes, moments, strict=True)]))


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
