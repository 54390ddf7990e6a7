"""TrackingNet (Müller et al., ECCV 2018): `SET/frames/NAME/0.jpg…` and `SET/anno/NAME.txt`; sets `TRAIN_0` to `TRAIN_11` and `TEST`.

ROOT is one set, or the folder of all. The test set tells the first box only; frames after it have no box here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fear.datasets.clip import Clip
from fear.datasets.files import choose, first_box_only, read_boxes
from fear.errors import DatasetError
from fear.media.image import list_images


def read_trackingnet(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads sequences, set by set in name order.

    Raises:
        DatasetError: nothing of that layout there, or counts that contradict each other.
    """
    truths = {path.stem: path for pattern in ("anno/*.txt", "*/anno/*.txt") for path in sorted(root.glob(pattern))}
    if not truths:
        raise DatasetError(f"{root}: expected frames/NAME/0.jpg and anno/NAME.txt, in ROOT or in ROOT/TRAIN_0 and so on; found none")
    sequences = []
    for name in choose(truths, names, root):
        pictures = truths[name].parents[1] / "frames" / name
        if not pictures.is_dir():
            raise DatasetError(f"{pictures}: expected a folder of pictures, found nothing there")
        frames = tuple(sorted(list_images(pictures), key=_number))  # 10.jpg comes after 9.jpg
        boxes = first_box_only(read_boxes(truths[name]), len(frames))
        if len(frames) != len(boxes):
            raise DatasetError(f"{pictures}: expected as many pictures as boxes, got {len(frames)} pictures and {len(boxes)} boxes")
        sequences.append(Clip(name, frames, boxes))
    return sequences


def _number(path: Path) -> int:
    if not path.stem.isdecimal():
        raise DatasetError(f"{path}: expected a picture with a number as its name")
    return int(path.stem)
