"""Our own box files: `.csv`, `.jsonl` and `.txt` of `fear track`, and what the page of `fear demo` saves, `.json`.

The tables have the columns of `fear track --boxes`. What other programs know besides, the name and the class of a target and how much of
it can be seen, has columns of its own, `name`, `label` and `visibility`, which are written only where there is something to say.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fear.annotations.annotation import Annotation, Annotations, Facts, Target, ordered, plain
from fear.annotations.formats.text import number_lines, read_text, table_rows
from fear.errors import DatasetError
from fear.geometry.boxes import Box
from fear.parsing import parse_json
from fear.weights.store import write_text_whole

FIELDS = ("frame", "time", "target", "x", "y", "w", "h", "score", "similarity", "lost")
_EXTRA = ("name", "label", "visibility")
_USUAL_RATE = 30.0  # frames per second of boxes that come from a format without times

# what other programs call our columns
_SYNONYMS = {
    "frame": ("frame_id", "frame_index", "frameid", "frame number"),
    "target": ("id", "track_id", "target_id", "trackid"),
    "x": ("left", "bb_left", "xmin", "x1"),
    "y": ("top", "bb_top", "ymin", "y1"),
    "w": ("width", "bb_width"),
    "h": ("height", "bb_height"),
    "score": ("conf", "confidence"),
    "label": ("class", "category", "class_name"),
}
_COLUMNS = {name: column for column, names in _SYNONYMS.items() for name in names}

_PROJECT, _VERSION = "fear-project", 1


# ------------------------------------------------------------------------------------------------------------------------ tables
def read_csv(path: Path, *, first: int = 0, origin: float = 0) -> Annotations:
    """Reads a table with a header; other programs' names of columns and separators are known, too.

    Columns frame, x, y, w and h are needed. A row without a box says that the target is absent.

    Args:
        path: File.
        first: Number of the first frame; ours is 0.
        origin: Coordinate of the first pixel; ours is 0.

    Raises:
        DatasetError: The file cannot be read, or a row lacks a column or holds no numbers; the message names the line.
    """
    return _read_rows(path, table_rows(path, read_text(path)), first, origin)


def read_jsonl(path: Path, *, first: int = 0, origin: float = 0) -> Annotations:
    """Reads the same fields from one JSON object a line.

    Args:
        path: File.
        first: Number of the first frame; ours is 0.
        origin: Coordinate of the first pixel; ours is 0.

    Raises:
        DatasetError: As `read_csv`.
    """
    return _read_rows(path, _json_lines(path, read_text(path)), first, origin)


def _json_lines(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as error:
            raise DatasetError(f"{path}, line {number}: expected a JSON object, got: {error}") from error
        if not isinstance(row, dict):
            raise DatasetError(f"{path}, line {number}: expected a JSON object, got {line[:60]!r}")
        yield number, row


def _read_rows(path: Path, rows: Iterable[tuple[int, Mapping[str, Any]]], first: int = 0, origin: float = 0) -> Annotations:
    boxes: list[Annotation] = []
    targets: dict[int, Target] = {}
    for line, named in rows:
        row = {_COLUMNS.get(name, name): value for name, value in named.items()}
        try:
            found = _annotation(row)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            wanted = "expected the columns frame, target, x, y, w, h and lost"
            raise DatasetError(f"{path}, line {line}: {wanted} with numbers, got {dict(named)}") from error
        if found is not None:
            x, y, w, h = found.box_xywh
            boxes.append(found._replace(frame=found.frame - first, box_xywh=(x - origin, y - origin, w, h)))
            targets.setdefault(found.target, Target(str(row.get("name") or ""), str(row.get("label") or "")))
    return Annotations(ordered(path, boxes), {number: one for number, one in targets.items() if any(one)})


def _annotation(row: Mapping[str, Any]) -> Annotation | None:
    """What a row says; None where it says that the target is absent."""
    lost = _flag(row.get("lost", 0))
    sides = [row[side] for side in ("x", "y", "w", "h")]
    numbers = [math.nan if side in ("", None) else float(side) for side in sides]
    if all(map(math.isnan, numbers)) and (lost or set(sides) <= {"", None}):
        return None
    time = row.get("time")
    return Annotation(
        _whole(row["frame"]),
        _whole(row.get("target", 0)),
        _finite(numbers),
        _given(row.get("score")),
        _given(row.get("similarity")),
        lost,
        _given(row.get("visibility")),
        None if time in (None, "") else float(time),
    )


def _given(value: Any) -> float:
    """A share; 1 where there is none, as in rows of trackers that say nothing about how sure they are."""
    number = math.nan if value in (None, "") else float(value)
    return 1.0 if math.isnan(number) else number


def _whole(value: Any) -> int:
    number = float(value)
    if not math.isfinite(number) or number != int(number):
        raise ValueError(f"a number that is not whole: {value}")
    return int(number)


def _flag(value: Any) -> bool:
    """0, 1, true or false in any way of writing; nothing is false."""
    words: dict[str, bool] = {"": False, "none": False, "0": False, "false": False, "0.0": False, "1": True, "true": True, "1.0": True}
    try:
        return words[str(value).strip().lower()]
    except KeyError:
        raise ValueError(f"neither 0 nor 1: {value}") from None


def _finite(numbers: list[float]) -> Box:
    x, y, w, h = numbers
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"a box that is not finite: {numbers}")
    return x, y, w, h


def write_csv(annotations: Annotations, path: Path) -> None:
    """Writes a table as `fear track --boxes` does, with more columns where there is more to say."""
    text = io.StringIO()
    rows = list(_rows(annotations))
    writer = csv.DictWriter(text, list(rows[0]) if rows else FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: int(value) if isinstance(value, bool) else value for name, value in row.items()} for row in rows)
    write_text_whole(path, text.getvalue())


def write_jsonl(annotations: Annotations, path: Path) -> None:
    """Writes the same fields, one JSON object a line."""
    write_text_whole(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _rows(annotations)))


def _rows(annotations: Annotations) -> Iterator[dict[str, Any]]:
    rate = annotations.facts.rate or _USUAL_RATE
    named = any(one.name for one in annotations.targets.values())
    labelled = any(one.label for one in annotations.targets.values())
    hidden = any(one.visibility != 1 for one in annotations.boxes)
    wanted = [column for column, wanted in zip(_EXTRA, (named, labelled, hidden), strict=True) if wanted]
    for one in annotations.boxes:
        target = annotations.targets.get(one.target, Target())
        x, y, w, h = (round(value, 6) for value in one.box_xywh)
        time = round(one.frame / rate if one.time is None else one.time, 6)
        row = dict(zip(FIELDS, (one.frame, time, one.target, x, y, w, h, one.score, one.similarity, one.lost), strict=True))
        extra = {"name": target.name, "label": target.label, "visibility": one.visibility}
        yield row | {column: extra[column] for column in wanted}


# ------------------------------------------------------------------------------------------------------------------------- lines
def read_txt(path: Path, *, origin: float = 0) -> Annotations:
    """Reads one line `x,y,w,h` for each frame of one target; `nan` where it is absent.

    Args:
        path: File.
        origin: Coordinate of the first pixel; ours is 0.

    Raises:
        DatasetError: The file cannot be read, or a line does not hold four numbers; the message names the line.
    """
    boxes = []
    frames = 0
    for number, fields in number_lines(read_text(path)):
        try:
            x, y, w, h = map(float, fields)
        except ValueError as error:
            raise DatasetError(f"{path}, line {number}: expected x,y,w,h, got {' '.join(fields)!r}") from error
        if not any(map(math.isnan, (x, y, w, h))):
            boxes.append(Annotation(frames, 0, (x - origin, y - origin, w, h)))
        frames += 1
    return Annotations(ordered(path, boxes), facts=Facts(frames=frames))


def write_txt(annotations: Annotations, path: Path) -> None:
    """Writes one line `x,y,w,h` for each frame; `nan` where the target is absent or lost.

    Each of several targets gets a file of its own, `NAME_0.txt`, `NAME_1.txt` and so on.
    """
    tracks = annotations.by_target() or {0: []}
    for number, boxes in tracks.items():
        known = {one.frame: one.box_xywh for one in boxes if not one.lost}
        lines = (known.get(frame, (math.nan,) * 4) for frame in range(annotations.length))
        text = "".join(",".join("nan" if math.isnan(value) else plain(value) for value in box) + "\n" for box in lines)
        write_text_whole(path.with_stem(f"{path.stem}_{number}") if len(tracks) > 1 else path, text)


# --------------------------------------------------------------------------------------------------------------------- the page
def read_json(path: Path) -> Annotations:
    """Reads a project that the page of `fear demo` saved, or its boxes as a list of objects.

    Raises:
        DatasetError: The file is missing, damaged, or something else.
    """
    text = read_text(path)
    try:
        project = parse_json(text)
        if isinstance(project, list):
            return _read_rows(path, enumerate(project, start=1))
        if project["format"] != _PROJECT or project["version"] != _VERSION:
            raise ValueError(f"{project['format']}, version {project['version']}")
        boxes = [_project_box(target, row) for target in project["targets"] for row in target["rows"]]
        targets = {_whole(target["id"]): Target(str(target.get("name", ""))) for target in project["targets"]}
        video = project.get("video") or {}
        facts = Facts(str(video.get("name") or ""), video.get("width"), video.get("height"), video.get("frames"))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise DatasetError(
            f"{path}: expected a project that the page of `fear demo` saved ({_PROJECT}, version {_VERSION}), got: {error}"
        ) from error
    return Annotations(ordered(path, boxes), targets, facts)


def _project_box(target: Mapping[str, Any], row: list[float]) -> Annotation:
    """A row of a project: frame, x, y, w, h, score, similarity, lost, key."""
    frame, x, y, w, h, score, similarity, lost, _ = row
    return Annotation(
        _whole(frame), _whole(target["id"]), _finite([float(x), float(y), float(w), float(h)]), float(score), float(similarity), bool(lost)
    )
