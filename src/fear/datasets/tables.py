"""Boxes of one target from what people make: the CSV of `fear track --boxes` and the project files of `fear demo`'s page."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fear.errors import DatasetError
from fear.geometry.boxes import Box

SUFFIXES = (".csv", ".json")
"""Of the files that `read_table` reads."""

_PROJECT = "fear-project"
_VERSION = 1


def read_table(path: Path, target: int | None = None) -> dict[int, Box]:
    """The boxes of one target by the number of the frame; frames in which it was lost are left out.

    Args:
        path: A `.csv` with the columns frame, target, x, y, w, h and lost, or a project, `.json`.
        target: Number of the target; None takes the only one.

    Raises:
        DatasetError: The file is missing or damaged, has no such target, or several and none was named.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: expected a file of boxes, got: {error}") from error
    boxes: dict[int, dict[int, Box]] = {}
    for number, frame, box_xywh, lost in _project_rows(path, text) if path.suffix.lower() == ".json" else _csv_rows(path, text):
        known = boxes.setdefault(number, {})
        if not lost:
            known[frame] = box_xywh
    names = ", ".join(map(str, sorted(boxes)))
    if target is None and len(boxes) == 1:
        return next(iter(boxes.values()))
    if target is None:
        raise DatasetError(f"{path}: expected one target, got {names or 'none'}; choose one with --target")
    if target not in boxes:
        raise DatasetError(f"{path}: expected target {target}, got {names or 'none'}")
    return boxes[target]


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, int, Box, bool]]:
    """Target, frame, box and lost of every row."""
    for line, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            box = _box([row[side] for side in ("x", "y", "w", "h")])
            yield int(row["target"]), int(row["frame"]), box, bool(int(row["lost"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"{path}, line {line}: expected the columns frame, target, x, y, w, h and lost, got {row}") from error


def _project_rows(path: Path, text: str) -> Iterator[tuple[int, int, Box, bool]]:
    """The same of a project, whose rows are frame, x, y, w, h, score, similarity, lost, key."""
    try:
        project = json.loads(text)
        if project["format"] != _PROJECT or project["version"] != _VERSION:
            raise ValueError(f"{project['format']}, version {project['version']}")
        for target in project["targets"]:
            for frame, x, y, w, h, _, _, lost, _ in target["rows"]:
                yield int(target["id"]), int(frame), _box([x, y, w, h]), bool(lost)
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{path}: expected a project that the page of `fear demo` saved ({_PROJECT}, version {_VERSION}), got: {error}"
        ) from error


def _box(values: list[Any]) -> Box:
    x, y, w, h = (float(value) for value in values)
    if not all(map(math.isfinite, (x, y, w, h))):
        raise ValueError(f"a box that is not finite: {values}")
    return x, y, w, h
