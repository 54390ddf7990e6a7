"""Pictures without a fixed layout: loose pictures, which become clips of one frame, and folders of frames without boxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fear.datasets.clip import Clip
from fear.datasets.files import choose, find
from fear.errors import DatasetError
from fear.media.image import IMAGE_SUFFIXES, list_images
from fear.parsing import parse_json

_TABLES = ("boxes.json", "sources.json")


def read_images(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads loose pictures: one clip for each box in each picture, or a clip without a box for a picture without boxes.

    Boxes are listed in `boxes.json` or `sources.json`, as objects with `file` and, where known, `boxes`, each of them `[x, y, w, h]`, and
    `kinds`, which say what is in each box and become the attributes of the clips.

    Raises:
        DatasetError: There is no picture, or a table is damaged.
    """
    files = {path.relative_to(root).as_posix(): path for path in find(root, "**/*") if path.suffix.lower() in IMAGE_SUFFIXES}
    if not files:
        raise DatasetError(f"{root}: expected pictures, found none")
    boxes: dict[str, list[_LabelledBox]] = {}
    for table in (root / name for name in _TABLES):
        if table.is_file():
            boxes |= _read_table(table)
    absent = sorted(set(boxes) - set(files))
    if absent:
        raise DatasetError(f"{root}: expected pictures of all boxes, {len(absent)} are missing, such as {absent[0]}")
    clips = []
    for name in choose(files, names, root):
        known = boxes.get(name) or [_LabelledBox(np.full((1, 4), np.nan), ())]
        names_of_boxes = [name] if len(known) == 1 else [f"{name}-{k}" for k in range(len(known))]
        clips += [Clip(own, (files[name],), box.box_xywh, box.kind) for own, box in zip(names_of_boxes, known, strict=True)]
    return clips


class _LabelledBox(NamedTuple):
    """A box of a picture, and what is in it."""

    box_xywh: NDArray[np.float64]
    """(1, 4)"""
    kind: tuple[str, ...]
    """One word or phrase; none where the table does not say it."""


def _read_table(table: Path) -> dict[str, list[_LabelledBox]]:
    try:
        entries = parse_json(table.read_text(encoding="utf-8"))
        found = {entry["file"]: _boxes_of(entry) for entry in entries}
    except (OSError, ValueError, OverflowError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{table}: expected a list of objects with file and boxes of four numbers each ({error})") from error
    return {name: boxes for name, boxes in found.items() if boxes}


def _boxes_of(entry: Mapping[str, Any]) -> list[_LabelledBox]:
    kinds = chain(((kind,) for kind in entry.get("kinds", ())), repeat(()))
    return [_LabelledBox(np.array(box, np.float64).reshape(1, 4), kind) for box, kind in zip(entry.get("boxes", ()), kinds, strict=False)]


def read_clips(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads folders of frames without boxes, `ROOT/NAME/*.jpg` or `ROOT/NAME/img/*.jpg`.

    Raises:
        DatasetError: There is no such folder.
    """
    folders = {path.name: frames for path in find(root, "*") if path.is_dir() and (frames := _frames(path))}
    if not folders:
        raise DatasetError(f"{root}: expected NAME/*.jpg or NAME/img/*.jpg, found none")
    return [Clip(name, folders[name], np.full((len(folders[name]), 4), np.nan)) for name in choose(folders, names, root)]


def _frames(folder: Path) -> tuple[Path, ...]:
    inner = folder / "img"
    return list_images(inner if inner.is_dir() else folder)
