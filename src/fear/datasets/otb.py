"""OTB-100 (Wu et al., PAMI 2015): `ROOT/NAME/img/*.jpg` and `ROOT/NAME/groundtruth_rect.txt`, boxes counted from 1.

`Jogging` and `Skating2` have two targets each, in `groundtruth_rect.1.txt` and `.2.txt`; they become `Jogging-1`, `Jogging-2`, ….
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fear.datasets.clip import Clip
from fear.datasets.files import choose, read_boxes
from fear.errors import DatasetError
from fear.media.image import list_images

# sequences whose truth begins at a later picture, or ends before the last one: the benchmark's own list
_FIRST_PICTURE = {"David": 300, "BlurCar1": 247, "BlurCar3": 3, "BlurCar4": 18}
_SHORTER = ("David", "Football1", "Freeman3", "Freeman4", "Diving")


def read_otb(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads sequences, in name order.

    Raises:
        DatasetError: nothing of that layout there, or a number of boxes that is not the number of frames.
    """
    truths = {}
    for path in sorted(root.glob("*/groundtruth_rect*.txt")):
        target = path.stem.removeprefix("groundtruth_rect").lstrip(".")
        truths[f"{path.parent.name}-{target}" if target else path.parent.name] = path
    if not truths:
        raise DatasetError(f"{root}: expected NAME/img/*.jpg and NAME/groundtruth_rect.txt, found none")
    sequences = []
    for name in choose(truths, names, root):
        folder, boxes = truths[name].parent, read_boxes(truths[name])
        frames = list_images(folder / "img")[_FIRST_PICTURE.get(folder.name, 1) - 1 :]
        if folder.name in _SHORTER or folder.name in _FIRST_PICTURE:
            frames = frames[: len(boxes)]
        if len(frames) != len(boxes):
            raise DatasetError(f"{folder}: expected as many pictures as boxes, got {len(frames)} pictures and {len(boxes)} boxes")
        sequences.append(Clip(name, frames, boxes - (1, 1, 0, 0)))
    return sequences
