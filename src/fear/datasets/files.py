"""What several readers share: finding files, and reading boxes, flags and lists of names."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from fear.annotations.formats.text import number_lines, read_text
from fear.errors import DatasetError
from fear.media.image import natural_order


def find(root: Path, *patterns: str) -> list[Path]:
    """The files and folders below a folder that fit any of the patterns, in the natural order of their names; none where it is missing.

    Args:
        root: Folder to search.
        patterns: As `Path.glob` takes them.
    """
    found = {path for pattern in patterns for path in root.glob(pattern)} if root.is_dir() else ()
    return sorted(found, key=lambda path: natural_order(path.relative_to(root).as_posix()))


def read_boxes(path: Path) -> NDArray[np.float64]:
    """Reads a text file with one line `x,y,w,h` for each frame, and `nan` where the target is absent.

    Fields are separated by commas, tabs, spaces or semicolons; empty lines, Windows line ends and a byte order mark do not matter.

    Returns:
        (F, 4)

    Raises:
        DatasetError: The file is missing, or a line does not hold four numbers; the message names the line.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: expected a file of boxes, found nothing there")
    boxes = []
    for number, fields in number_lines(read_text(path)):
        try:
            values = [float(value) for value in fields]
        except ValueError as error:
            raise DatasetError(f"{path}, line {number}: expected x,y,w,h, got {' '.join(fields)!r}") from error
        if len(values) != 4:
            raise DatasetError(f"{path}, line {number}: expected four numbers, got {len(values)}: {' '.join(fields)!r}")
        boxes.append(values)
    return np.array(boxes, np.float64).reshape(-1, 4)


def require_box_for_each_frame(place: Path, frames: Sized, boxes_xywh: Sized) -> None:
    """Checks that a clip has as many frames as boxes.

    Raises:
        DatasetError: It has not, or it has no frames.
    """
    if len(frames) != len(boxes_xywh) or not frames:
        raise DatasetError(f"{place}: expected as many pictures as boxes, got {len(frames)} pictures and {len(boxes_xywh)} boxes")


def read_flags(path: Path, count: int) -> NDArray[np.bool_]:
    """Reads a text file with a zero or a one for each frame, separated by commas, semicolons or white space.

    Args:
        path: The file.
        count: Number of frames, F.

    Returns:
        (F,)

    Raises:
        DatasetError: The file holds other values, or another number of them.
    """
    values = read_text(path).replace(",", " ").replace(";", " ").split()
    if len(values) != count or not set(values) <= {"0", "1"}:
        raise DatasetError(f"{path}: expected {count} flags 0 or 1, got {len(values)}: {', '.join(values[:6])} …")
    return np.array([value == "1" for value in values])


@contextmanager
def open_table(path: Path) -> Iterator[TextIO]:
    """Opens a CSV table; bytes that are not UTF-8 become a mark that no number or name holds.

    Raises:
        DatasetError: Inside the block, the reader of the table gave up.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            yield file
    except csv.Error as error:
        raise DatasetError(f"{path}: expected a CSV table ({error})") from error


def first_box_only(boxes_xywh: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Fills up the truth of a test set, which holds the first box alone, with NaN; other truth is returned as it is.

    Args:
        boxes_xywh: (1, 4) or (F, 4).
        count: Number of frames, F.

    Returns:
        (F, 4)
    """
    if len(boxes_xywh) != 1 or count <= 1:
        return boxes_xywh
    return np.concatenate((boxes_xywh, np.full((count - 1, 4), np.nan)))


def choose(names: Iterable[str], wanted: Iterable[str] | None, root: Path) -> list[str]:
    """Selects clips by name, in the order in which the data set has them.

    Args:
        names: Clips of the data set.
        wanted: Names to select; None selects all.
        root: Folder of the data set, for the message.

    Raises:
        DatasetError: A wanted clip is not there.
    """
    there = list(names)
    if wanted is None:
        return there
    missing = sorted(set(wanted) - set(there))
    if missing:
        known = ", ".join(there[:8]) + (" …" if len(there) > 8 else "")
        raise DatasetError(f"{root}: expected clips of this data set, found no {', '.join(missing)}; it has {known}")
    return [name for name in there if name in set(wanted)]
