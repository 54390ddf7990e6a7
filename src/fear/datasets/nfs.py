"""NFS (Kiani Galoogahi et al., ICCV 2017), 30 frames per second: `ROOT/NAME/30/NAME/*.jpg` and `ROOT/NAME/30/NAME.txt`.

A line of truth is `track left top right bottom frame lost occluded generated "label"`. Some files have a line for each frame at 240
frames per second, of which every eighth belongs to a picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fear.datasets.clip import Clip
from fear.datasets.files import choose, find
from fear.errors import DatasetError
from fear.media.image import list_images

_FAST = 8  # frames at 240 per second for each frame at 30 per second


def read_nfs(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads clips, in the natural order of their names.

    Raises:
        DatasetError: There is nothing of that layout, or a clip has another number of frames than of boxes.
    """
    truths = {path.parents[1].name: path for path in find(root, "*/30/*.txt")}
    if not truths:
        raise DatasetError(f"{root}: expected NAME/30/NAME/*.jpg and NAME/30/NAME.txt, found none")
    clips = []
    for name in choose(truths, names, root):
        pictures = truths[name].with_suffix("")
        if not pictures.is_dir():
            raise DatasetError(f"{pictures}: expected a folder of pictures, found nothing there")
        frames, boxes = list_images(pictures), _read_truth(truths[name])
        if len(boxes) > 2 * len(frames):
            boxes = boxes[::_FAST]
        length = min(len(frames), len(boxes))
        if abs(len(frames) - len(boxes)) > 1:  # the benchmark was published with clips that differ by one
            raise DatasetError(f"{pictures}: expected as many pictures as boxes, got {len(frames)} pictures and {len(boxes)} boxes")
        clips.append(Clip(name, frames[:length], boxes[:length]))
    return clips


def _read_truth(path: Path) -> NDArray[np.float64]:
    """Reads boxes, (F, 4), with NaN where the target is marked as lost."""
    boxes = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        try:
            left, top, right, bottom = (float(field) for field in fields[1:5])
            lost = fields[6] == "1"
        except (ValueError, OverflowError, IndexError) as error:
            raise DatasetError(f"{path}, line {number}: expected 'track left top right bottom frame lost …', got {line!r}") from error
        boxes.append((np.nan,) * 4 if lost else (left, top, right - left, bottom - top))
    return np.array(boxes, np.float64).reshape(-1, 4)
