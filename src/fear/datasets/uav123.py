"""UAV123 (Mueller et al., ECCV 2016): `ROOT/data_seq/UAV123/FOLDER/*.jpg` and `ROOT/anno/UAV123/NAME.txt`, boxes counted from 1.

Attributes are read from `ROOT/anno/UAV123/att/NAME.txt`, or from pysot's `ROOT/UAV123.json`.

Some folders hold several clips, one after the other. The benchmark lists which pictures belong to which clip.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fear.datasets.attributes import UAV123, Attributes
from fear.datasets.clip import Clip
from fear.datasets.files import choose, find, read_boxes
from fear.errors import DatasetError
from fear.media.image import list_images

# the first pictures of the clips in a folder, counted from 1
_PARTS = {
    "bird1": (1, 775, 1573),
    "car1": (1, 751, 1627),
    "car6": (1, 487, 1807, 2953, 3925),
    "car8": (1, 1357),
    "car16": (1, 415),
    "group1": (1, 1333, 2515, 3925),
    "group2": (1, 907, 1771),
    "group3": (1, 1567, 2827, 4369),
    "person2": (1, 1189),
    "person4": (1, 1501),
    "person5": (1, 877),
    "person7": (1, 1249),
    "person8": (1, 1075),
    "person12": (1, 601),
    "person14": (1, 847, 1813),
    "person17": (1, 1501),
    "person19": (1, 1243, 2791),
    "truck4": (1, 577),
    "uav1": (1, 1555, 2473),
}


def read_uav123(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads clips, in the natural order of their names.

    Raises:
        DatasetError: There is nothing of that layout, or a clip has fewer pictures than boxes.
    """
    truths = {path.stem: path for path in find(root, "anno/UAV123/*.txt")}
    if not truths:
        raise DatasetError(f"{root}: expected anno/UAV123/NAME.txt and data_seq/UAV123/NAME/*.jpg, found none")
    clips, attributes = [], Attributes(root, UAV123)
    for name in choose(truths, names, root):
        pictures, start = _place(root / "data_seq" / "UAV123", name)
        if not pictures.is_dir():
            raise DatasetError(f"{pictures}: expected a folder of pictures, found nothing there")
        boxes = read_boxes(truths[name])
        frames = list_images(pictures)[start - 1 : start - 1 + len(boxes)]
        if len(frames) != len(boxes):
            raise DatasetError(f"{pictures}: expected {len(boxes)} pictures from number {start} on for {name}, got {len(frames)}")
        clips.append(Clip(name, frames, boxes - (1, 1, 0, 0), attributes.of(name)))
    return clips


def _place(root: Path, name: str) -> tuple[Path, int]:
    """The folder of a clip, and the number of its first picture, counted from 1."""
    folder, _, part = name.rpartition("_")
    starts = _PARTS.get(folder, ())
    if part.isdecimal() and 1 <= int(part) <= len(starts):
        return root / folder, starts[int(part) - 1]
    return root / name, 1
