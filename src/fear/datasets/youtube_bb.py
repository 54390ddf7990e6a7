"""YouTube-BB (Real et al., CVPR 2017): the published table, and frames that were extracted from the videos.

The table, `yt_bb_detection_SPLIT.csv`, has the columns youtube_id, timestamp_ms, class_id, class_name, object_id, object_presence, xmin,
xmax, ymin, ymax, the last four as fractions of the picture's width and height. Frames lie beside it as `SPLIT/YOUTUBE_ID/TIMESTAMP.jpg`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fear.datasets.clip import Clip
from fear.datasets.files import choose, open_table
from fear.errors import DatasetError
from fear.media.image import read_image


def read_youtube_bb(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads the training split, or the validation split where it is the only one; clips are named `VIDEO-CLASS-OBJECT`.

    Frames of the table without a picture are left out, since some videos are no longer available. A track without any picture is left out.

    Raises:
        DatasetError: There is nothing of that layout, a line is damaged, or the table has no picture at all.
    """
    split = next((name for name in ("train", "validation") if (root / f"yt_bb_detection_{name}.csv").is_file()), None)
    if split is None:
        raise DatasetError(f"{root}: expected yt_bb_detection_train.csv or yt_bb_detection_validation.csv, found none")
    table = root / f"yt_bb_detection_{split}.csv"
    tracks: dict[str, list[tuple[int, Path, list[float]]]] = {}
    with open_table(table) as file:
        for number, row in enumerate(csv.reader(file), start=1):
            try:
                video, moment, label, _, one, presence, *sides = row
                left, right, top, bottom = map(float, sides)
                stamp = int(moment)
            except ValueError as error:
                raise DatasetError(f"{table}, line {number}: expected ten columns of YouTube-BB, got {row}") from error
            share = [left, top, right - left, bottom - top] if presence == "present" else [np.nan] * 4
            tracks.setdefault(f"{video}-{label}-{one}", []).append((stamp, root / split / video / f"{moment}.jpg", share))
    clips: dict[str, Clip] = {}
    for name, entries in tracks.items():
        there = [(path, share) for _, path, share in sorted(entries, key=lambda entry: entry[0]) if path.is_file()]
        if there:
            height, width = read_image(there[0][0]).shape[:2]  # all frames of a video have one size
            boxes = np.array([share for _, share in there], np.float64) * (width, height, width, height)
            clips[name] = Clip(name, tuple(path for path, _ in there), boxes)
    if not clips:
        raise DatasetError(f"{root / split}: expected pictures YOUTUBE_ID/TIMESTAMP.jpg of {len(tracks)} tracks, found none")
    return [clips[name] for name in choose(clips, names, root)]
