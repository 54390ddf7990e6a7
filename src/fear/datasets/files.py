"""Small files that several data sets share: boxes, flags, lists of names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fear.errors import DatasetError


def read_boxes(path: Path) -> NDArray[np.float64]:
    """A text file with one `x,y,w,h` line a frame; commas, tabs or spaces; `nan` where the target is absent → (F, 4).

    Raises:
        DatasetError: missing, or a line without four numbers; the message names the line.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: expected a file of boxes, found nothing there")
    boxes = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values = [float(value) for value in line.replace(",", " ").split()]
        except ValueError as error:
            raise DatasetError(f"{path}, line {number}: expected x,y,w,h, got {line!r}") from error
        if len(values) != 4:
            raise DatasetError(f"{path}, line {number}: expected four numbers, got {len(values)}: {line!r}")
        boxes.append(values)
    return np.array(boxes, np.float64).reshape(-1, 4)


def read_flags(path: Path, count: int) -> NDArray[np.bool_]:
    """A text file of zeros and ones, one a frame, apart by commas or lines → (F,).

    Raises:
        DatasetError: other values, or another number of them.
    """
    values = path.read_text(encoding="utf-8").replace(",", " ").split()
    if len(values) != count or not set(values) <= {"0", "1"}:
        raise DatasetError(f"{path}: expected {count} flags 0 or 1, got {len(values)}: {', '.join(values[:6])} …")
    return np.array([value == "1" for value in values])


def first_box_only(boxes_xywh: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The truth of a test set, which tells the first box alone, with NaN for the other frames; other truth as it is."""
    if len(boxes_xywh) != 1 or count <= 1:
        return boxes_xywh
    return np.concatenate((boxes_xywh, np.full((count - 1, 4), np.nan)))


def choose(names: Iterable[str], wanted: Iterable[str] | None, root: Path) -> list[str]:
    """The wanted of the sequences that are there, all where None.

    Raises:
        DatasetError: one that is not there.
    """
    there = list(names)
    if wanted is None:
        return there
    missing = sorted(set(wanted) - set(there))
    if missing:
        raise DatasetError(f"{root}: no sequence {', '.join(missing)}; there are {', '.join(there[:8])}{' …' if len(there) > 8 else ''}")
    return [name for name in there if name in set(wanted)]
