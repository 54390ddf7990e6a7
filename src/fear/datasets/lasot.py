"""LaSOT (Fan et al., CVPR 2019): `ROOT/CLASS/CLASS-N/img/*.jpg`, `groundtruth.txt`, `full_occlusion.txt`, `out_of_view.txt`.

The folders of sequences may also lie in ROOT directly.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fear.datasets.clip import Clip
from fear.datasets.files import choose, read_boxes, read_flags
from fear.errors import DatasetError
from fear.media.image import list_images


def read_lasot(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads sequences, in name order; fully hidden targets and those out of view are absent.

    Raises:
        DatasetError: nothing of that layout there, or counts that contradict each other.
    """
    folders = {
        path.parent.name: path.parent for pattern in ("*/groundtruth.txt", "*/*/groundtruth.txt") for path in sorted(root.glob(pattern))
    }
    if not folders:
        raise DatasetError(f"{root}: expected CLASS/CLASS-N/img/*.jpg and CLASS/CLASS-N/groundtruth.txt, found none")
    sequences = []
    for name in choose(folders, names, root):
        folder = folders[name]
        frames, boxes = list_images(folder / "img"), read_boxes(folder / "groundtruth.txt")
        if len(frames) != len(boxes):
            raise DatasetError(f"{folder}: expected as many pictures as boxes, got {len(frames)} pictures and {len(boxes)} boxes")
        for flags in ("full_occlusion.txt", "out_of_view.txt"):
            if (folder / flags).is_file():
                boxes[read_flags(folder / flags, len(frames))] = np.nan
        sequences.append(Clip(name, frames, boxes))
    return sequences
