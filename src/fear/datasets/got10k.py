"""GOT-10k (Huang et al., PAMI 2019): `SPLIT/NAME/00000001.jpg…`, `groundtruth.txt`, `absence.label`.

The test split holds the first box only; the frames after it have no box here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fear.datasets.clip import Clip
from fear.datasets.files import choose, find, first_box_only, read_boxes, read_flags, require_box_for_each_frame
from fear.errors import DatasetError
from fear.media.image import list_images


def read_got10k(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads the clips of one split, such as `ROOT/val`.

    Raises:
        DatasetError: There is nothing of that layout, or a clip has another number of frames than of boxes or flags.
    """
    splits = [split for split in ("train", "val", "test") if (root / split).is_dir()]
    if splits:
        raise DatasetError(f"{root}: expected one split, such as {root / splits[0]}; got the folder of all")
    there = [path.parent.name for path in find(root, "*/groundtruth.txt")]
    if not there:
        raise DatasetError(f"{root}: expected NAME/00000001.jpg and NAME/groundtruth.txt, found none")
    clips = []
    for name in choose(there, names, root):
        folder = root / name
        frames, boxes = list_images(folder), read_boxes(folder / "groundtruth.txt")
        boxes = first_box_only(boxes, len(frames))
        require_box_for_each_frame(folder, frames, boxes)
        if (folder / "absence.label").is_file():
            boxes[read_flags(folder / "absence.label", len(frames))] = np.nan
        clips.append(Clip(name, frames, boxes))
    return clips
