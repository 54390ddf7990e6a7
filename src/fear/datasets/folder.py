"""The layout `folder`: `ROOT/NAME/img/*.jpg` in name order and `ROOT/NAME/groundtruth.txt`, one `x,y,w,h` line a frame.

Beside them may lie `attributes.txt`, one word or phrase a line: what makes the sequence hard.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fear.datasets.clip import Clip
from fear.datasets.files import choose, read_boxes
from fear.errors import DatasetError
from fear.media.image import list_images


def read_folder(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads sequences, in name order.

    Raises:
        DatasetError: nothing of that layout there, or a number of boxes that is not the number of frames.
    """
    there = sorted(path.parent.name for path in root.glob("*/groundtruth.txt")) if root.is_dir() else []
    if not there:
        raise DatasetError(f"{root}: expected NAME/img/*.jpg and NAME/groundtruth.txt, found none")
    sequences = []
    for name in choose(there, names, root):
        pictures = root / name / "img"
        if not pictures.is_dir():
            raise DatasetError(f"{pictures}: expected a folder of pictures, found nothing there")
        frames, boxes = list_images(pictures), read_boxes(root / name / "groundtruth.txt")
        if len(frames) != len(boxes) or not frames:
            raise DatasetError(f"{root / name}: expected as many pictures as boxes, got {len(frames)} pictures and {len(boxes)} boxes")
        words = root / name / "attributes.txt"
        attributes = tuple(words.read_text(encoding="utf-8").split("\n")) if words.is_file() else ()
        sequences.append(Clip(name, frames, boxes, tuple(word.strip() for word in attributes if word.strip())))
    return sequences
