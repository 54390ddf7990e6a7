"""TrackingNet (Müller et al., ECCV 2018): `SET/frames/NAME/0.jpg…` and `SET/anno/NAME.txt`; sets `TRAIN_0` to `TRAIN_11` and `TEST`.

ROOT is one set, or the folder of all sets. The test set holds the first box only; the frames after it have no box here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fear.datasets.clip import Clip
from fear.datasets.files import choose, find, first_box_only, read_boxes, require_box_for_each_frame
from fear.errors import DatasetError
from fear.media.image import list_images


def read_trackingnet(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads clips, set by set, in the natural order of their names.

    Raises:
        DatasetError: There is nothing of that layout, or a clip has another number of frames than of boxes.
    """
    truths = {path.stem: path for path in find(root, "anno/*.txt", "*/anno/*.txt")}
    if not truths:
        raise DatasetError(f"{root}: expected frames/NAME/0.jpg and anno/NAME.txt, in ROOT or in ROOT/TRAIN_0 and so on; found none")
    clips = []
    for name in choose(truths, names, root):
        pictures = truths[name].parents[1] / "frames" / name
        if not pictures.is_dir():
            raise DatasetError(f"{pictures}: expected a folder of pictures, found nothing there")
        frames = list_images(pictures)
        boxes = first_box_only(read_boxes(truths[name]), len(frames))
        require_box_for_each_frame(pictures, frames, boxes)
        clips.append(Clip(name, frames, boxes))
    return clips
