"""LaSOT (Fan et al., CVPR 2019): `ROOT/CLASS/CLASS-N/img/*.jpg`, `groundtruth.txt`, `full_occlusion.txt`, `out_of_view.txt`.

The folders of clips may also lie directly in ROOT. Attributes are read from `ROOT/annos/att/NAME.txt` of the toolkit, or from pysot's
`ROOT/LaSOT.json`; besides, clips with hidden frames or frames out of view have these attributes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fear.datasets.attributes import LASOT, Attributes
from fear.datasets.clip import Clip
from fear.datasets.files import choose, find, read_boxes, read_flags, require_box_for_each_frame
from fear.errors import DatasetError
from fear.media.image import list_images


def read_lasot(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads clips, in the natural order of their names; a target that is fully hidden or out of view counts as absent.

    Raises:
        DatasetError: There is nothing of that layout, or a clip has another number of frames than of boxes or flags.
    """
    folders = {path.parent.name: path.parent for path in find(root, "*/groundtruth.txt", "*/*/groundtruth.txt")}
    if not folders:
        raise DatasetError(f"{root}: expected CLASS/CLASS-N/img/*.jpg and CLASS/CLASS-N/groundtruth.txt, found none")
    clips, attributes = [], Attributes(root, LASOT)
    for name in choose(folders, names, root):
        folder = folders[name]
        frames, boxes = list_images(folder / "img"), read_boxes(folder / "groundtruth.txt")
        require_box_for_each_frame(folder, frames, boxes)
        words = set(attributes.of(name))
        for word in ("full occlusion", "out of view"):
            path = folder / f"{word.replace(' ', '_')}.txt"
            if path.is_file() and (hidden := read_flags(path, len(frames))).any():
                boxes[hidden] = np.nan
                words.add(word)
        clips.append(Clip(name, frames, boxes, tuple(word for word in LASOT if word in words)))
    return clips
