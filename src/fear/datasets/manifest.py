"""The manifest of the published FEAR code: a CSV file with one line for each frame.

Columns: sequence_id, track_id, frame_index, img_path, bbox (`[x, y, w, h]`), frame_shape, dataset, presence, near_corner. ROOT is the table
itself, or a folder with exactly one; picture paths are relative to the table.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fear.datasets.clip import Clip
from fear.datasets.files import choose, open_table
from fear.errors import DatasetError
from fear.parsing import parse_json

_COLUMNS = ("sequence_id", "track_id", "frame_index", "img_path", "bbox", "presence")


def read_manifest(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads a manifest; clips are named `SEQUENCE-TRACK`.

    Raises:
        DatasetError: There is no table, or a column, a value or a picture is missing.
    """
    tables = [root] if root.is_file() else sorted(root.glob("*.csv"))
    if len(tables) != 1:
        raise DatasetError(f"{root}: expected one CSV manifest, found {len(tables) or 'none'}")
    table = tables[0]
    tracks: dict[str, list[tuple[int, Path, list[float]]]] = {}
    with open_table(table) as file:
        rows = csv.DictReader(file)
        missing = [column for column in _COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise DatasetError(f"{table}, line 1: expected columns {', '.join(_COLUMNS)}; missing: {', '.join(missing)}")
        for number, row in enumerate(rows, start=2):
            try:
                box = [float(value) for value in parse_json(row["bbox"])]
                moment = int(row["frame_index"])
                present = {"1": True, "true": True, "0": False, "false": False}[row["presence"].lower()]
                if len(box) != 4:
                    raise ValueError(f"{len(box)} numbers in bbox")
            except (ValueError, OverflowError, KeyError, TypeError, AttributeError) as error:
                raise DatasetError(f"{table}, line {number}: expected frame_index, bbox [x, y, w, h], presence 0 or 1 ({error})") from error
            entry = (moment, table.parent / row["img_path"], box if present else [np.nan] * 4)
            tracks.setdefault(f"{row['sequence_id']}-{row['track_id']}", []).append(entry)
    clips = []
    for name in choose(tracks, names, root):
        frames = sorted(tracks[name], key=lambda frame: frame[0])
        absent = [path for _, path, _ in frames if not path.is_file()]
        if absent:
            raise DatasetError(f"{table}: expected all pictures, {len(absent)} of {name} are missing, such as {absent[0]}")
        clips.append(Clip(name, tuple(path for _, path, _ in frames), np.array([box for _, _, box in frames], np.float64)))
    return clips
