"""OTB-100 (Wu et al., PAMI 2015): `ROOT/NAME/img/*.jpg` and `ROOT/NAME/groundtruth_rect.txt`, boxes counted from 1.

Attributes are read from `ROOT/anno/att/NAME.txt` of the toolkit, or from pysot's `ROOT/OTB100.json`.

`Jogging` and `Skating2` have two targets each, in `groundtruth_rect.1.txt` and `.2.txt`; they become `Jogging-1`, `Jogging-2` and so on.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fear.datasets.attributes import OTB, Attributes
from fear.datasets.clip import Clip
from fear.datasets.files import choose, find, read_boxes, require_box_for_each_frame
from fear.errors import DatasetError
from fear.media.image import list_images

# clips whose truth begins at a later picture, or ends before the last one, as the benchmark lists them
_FIRST_PICTURE = {"David": 300, "BlurCar1": 247, "BlurCar3": 3, "BlurCar4": 18}
_SHORTER = ("David", "Football1", "Freeman3", "Freeman4", "Diving")


def read_otb(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads clips, in the natural order of their names.

    Raises:
        DatasetError: There is nothing of that layout, or a clip has another number of frames than of boxes.
    """
    truths = {}
    for path in find(root, "*/groundtruth_rect*.txt"):
        target = path.stem.removeprefix("groundtruth_rect").lstrip(".")
        truths[f"{path.parent.name}-{target}" if target else path.parent.name] = path
    if not truths:
        raise DatasetError(f"{root}: expected NAME/img/*.jpg and NAME/groundtruth_rect.txt, found none")
    clips, attributes = [], Attributes(root, OTB)
    for name in choose(truths, names, root):
        folder, boxes = truths[name].parent, read_boxes(truths[name])
        frames = list_images(folder / "img")[_FIRST_PICTURE.get(folder.name, 1) - 1 :]
        if folder.name in _SHORTER or folder.name in _FIRST_PICTURE:
            frames = frames[: len(boxes)]
        require_box_for_each_frame(folder, frames, boxes)
        clips.append(Clip(name, frames, boxes - (1, 1, 0, 0), attributes.of(name)))
    return clips
