"""GOT-10k (Huang et al., PAMI 2019): `SPLIT/NAME/00000001.jpg…`, `groundtruth.txt`, `absence.label`.

The test split tells the first box only; frames after it have no box here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fear.datasets.clip import Clip
from fear.datasets.files import choose, first_box_only, read_boxes, read_flags
from fear.errors import DatasetError
from fear.media.image import list_images


def read_got10k(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads the sequences of one split, such as `ROOT/val`.

    Raises:
        DatasetError: nothing of that layout there, or counts that contradict each other.
    """
    splits = [split for split in ("train", "val", "test") if (root / split).is_dir()]
    if splits:
        raise DatasetError(f"{root}: expected one split, such as {root / splits[0]}; got the folder of all")
    there = sorted(path.parent.name for path in root.glob("*/groundtruth.txt")) if root.is_dir() else []
    if not there:
        raise DatasetError(f"{root}: expected NAME/00000001.jpg and NAME/groundtruth.txt, found none")
    sequences = []
    for name in choose(there, names, root):
        folder = root / name
        frames, boxes = list_images(folder), read_boxes(folder / "groundtruth.txt")
        boxes = first_box_only(boxes, len(frames))
        if len(frames) != len(boxes):
            raise DatasetError(f"{folder}: expected as many pictures as boxes, got {len(frames)} pictures and {len(boxes)} boxes")
        if (folder / "absence.label").is_file():
            boxes[read_flags(folder / "absence.label", len(frames))] = np.nan
        sequences.append(Clip(name, frames, boxes))
    return sequences
