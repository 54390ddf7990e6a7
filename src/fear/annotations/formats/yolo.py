"""YOLO: a folder with one text file for each frame that has boxes, `labels/000000.txt`, and the names of the classes.

A line is `class centre-x centre-y width height`, in shares of the picture; such files train a detector. Programs that track write the
score and the id of the track behind them, which training programs refuse. The names of classes are in `classes.txt`, `obj.names` or
`data.yaml`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fear.annotations.annotation import LABEL, UNKNOWN, Annotation, Annotations, Facts, Target, ordered, plain
from fear.annotations.formats.text import number_lines, read_text
from fear.errors import DatasetError
from fear.media.image import IMAGE_SUFFIXES, natural_order, read_image
from fear.weights.store import written_whole

_NOT_LABELS = ("classes.txt", "train.txt", "val.txt", "test.txt", "obj.names")
_DIGITS = 10  # of a share: a millionth of a pixel in pictures of 8,000


class _Line(NamedTuple):
    """One box, in shares of the picture."""

    kind: int
    centre_x: float
    centre_y: float
    width: float
    height: float
    rest: tuple[str, ...]
    """Score and id, where they are there."""


def is_yolo(folder: Path) -> bool:
    """Whether a folder looks like one of YOLO's."""
    return any((folder / name).exists() for name in ("labels", "obj_train_data", "classes.txt", "obj.names", "data.yaml"))


def read_yolo(path: Path, *, first: int | None = None, facts: Facts = UNKNOWN) -> Annotations:
    """Reads a folder.

    The number of a frame is the last number in the name of its file. Where pictures lie in the folder, too, it is the place among them, in
    natural order, unless `first` is given.

    Args:
        path: Folder.
        first: Number of the first frame in the names of the files; None stands for 0.
        facts: What is known of the video. Its size is needed where there are no pictures.

    Raises:
        DatasetError: There are no labels, the size of the frames is not known, a line is not made of numbers, or several boxes of a class
        in
            one frame have no ids.
    """
    labels = _labels(path)
    pictures = sorted((one for one in path.rglob("*") if one.suffix.lower() in IMAGE_SUFFIXES), key=lambda one: natural_order(one.name))
    width, height = _size(path, facts, pictures)
    order = {picture.stem: index for index, picture in enumerate(pictures)} if first is None else {}
    lines = [(file, line) for file in labels for line in _lines(file)]
    scored, tracked = _columns([line.rest for _, line in lines])
    names = _names(path)
    boxes: list[Annotation] = []
    targets: dict[int, Target] = {}
    for file, line in lines:
        number = int(line.rest[-1]) if tracked else line.kind
        w, h = line.width * width, line.height * height
        box = line.centre_x * width - w / 2, line.centre_y * height - h / 2, w, h
        x, y, w, h = (round(value, 4) for value in box)
        frame = order[file.stem] if file.stem in order else _number(file) - (first or 0)
        boxes.append(Annotation(frame, number, (x, y, w, h), float(line.rest[0]) if scored else 1.0))
        label = names[line.kind] if line.kind < len(names) else f"class {line.kind}"
        targets[number] = Target(label="" if label == LABEL else label)
    remarks = () if tracked else ("the labels have no ids of tracks; each class was taken for one target",)
    remedy = "" if tracked else "; the labels have no ids and are not tracks"
    known = facts.merged(Facts(path.name, width, height, len(pictures) or None))
    return Annotations(ordered(path, boxes, remedy), {number: one for number, one in targets.items() if any(one)}, known, remarks)


def _labels(path: Path) -> list[Path]:
    """The files of labels in a folder."""
    folders = [path / name for name in ("labels", "obj_train_data") if (path / name).is_dir()]
    files = [file for folder in folders or [path] for file in folder.rglob("*.txt") if file.name not in _NOT_LABELS]
    if not files and not folders:
        raise DatasetError(f"{path}: expected labels/NAME.txt, one file for each frame, found none")
    return sorted(files, key=lambda file: natural_order(file.name))


def _lines(file: Path) -> Iterator[_Line]:
    for number, fields in number_lines(read_text(file)):
        try:
            kind, x, y, w, h = (float(field) for field in fields[:5])
            rest = tuple(fields[5:])
            if kind < 0 or kind != int(kind) or len(rest) > 2 or not all(0 <= float(one) < math.inf for one in rest):
                raise ValueError("no class, or too many numbers")
        except (ValueError, OverflowError) as error:
            wanted = "expected class, centre x, centre y, width, height, and perhaps score and id"
            raise DatasetError(f"{file}, line {number}: {wanted}; got {' '.join(fields)!r}") from error
        yield _Line(int(kind), x, y, w, h, rest)


def _columns(rests: list[tuple[str, ...]]) -> tuple[bool, bool]:
    """Whether all lines have a score, and whether they have an id. A single number is an id where it is whole in every line."""
    lengths = {len(rest) for rest in rests}
    if lengths == {2}:
        return True, all(rest[1].isdecimal() for rest in rests)
    if lengths == {1}:
        whole = all(rest[0].isdecimal() for rest in rests)
        return not whole, whole
    return False, False


def _size(path: Path, facts: Facts, pictures: list[Path]) -> tuple[int, int]:
    if facts.width is not None and facts.height is not None:
        return facts.width, facts.height
    if pictures:
        height, width = read_image(pictures[0]).shape[:2]
        return width, height
    return facts.require_size(path, "YOLO")


def _number(file: Path) -> int:
    digits = re.findall(r"\d+", file.stem)
    if not digits:
        raise DatasetError(f"{file}: expected the number of a frame in the name of the file, found none")
    return int(digits[-1])


def _names(path: Path) -> list[str]:
    """The names of the classes, by number; none where no file says them."""
    for name in ("classes.txt", "obj.names", "labels/classes.txt"):
        if (path / name).is_file():
            return [line.strip() for line in read_text(path / name).splitlines() if line.strip()]
    if not (path / "data.yaml").is_file():
        return []
    text = read_text(path / "data.yaml")
    # the two ways of writing a list that these files have, without a library for YAML: [a, b], or lines "0: a" or "- a"
    inline = re.search(r"^names:\s*\[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    if inline:
        return [one.strip().strip("'\"") for one in inline[1].split(",")]
    block = re.search(r"^names:[ \t]*\n((?:[ \t]*(?:\d+:|-)[ \t].*\n?)*)", text, re.MULTILINE)
    return re.findall(r"(?:\d+:|-)[ \t]+['\"]?(.*?)['\"]?[ \t]*$", block[1], re.MULTILINE) if block else []


def write_yolo(annotations: Annotations, path: Path, *, tracks: bool = False) -> None:
    """Writes a folder with labels. Frames without a box, and those in which all targets are lost, have no file.

    Args:
        annotations: What to write.
        path: Folder.
        tracks: Whether scores and ids follow the boxes.

    Raises:
        DatasetError: The folder exists, or the size of the frames is not known.
    """
    if path.exists():
        raise DatasetError(f"{path}: expected a new folder, found one that exists")
    width, height = annotations.facts.require_size(path, "YOLO")
    names = sorted({annotations.label(number) for number in annotations.numbers} or {LABEL})
    with written_whole(path) as unfinished:
        labels = unfinished / "labels"
        labels.mkdir(parents=True)
        files: dict[int, list[str]] = {}
        for one in annotations.boxes:
            if not one.lost:
                x, y, w, h = one.box_xywh
                shares = ((x + w / 2) / width, (y + h / 2) / height, w / width, h / height)
                kind = names.index(annotations.label(one.target))
                numbers = " ".join(plain(share, _DIGITS) for share in shares)
                rest = f" {one.score:.6f} {one.target}" if tracks else ""
                files.setdefault(one.frame, []).append(f"{kind} {numbers}{rest}\n")
        for frame, lines in files.items():
            (labels / f"{frame:06d}.txt").write_text("".join(lines), encoding="utf-8")
        (unfinished / "classes.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        listed = "".join(f"  {number}: {json_text(name)}\n" for number, name in enumerate(names))
        (unfinished / "data.yaml").write_text(f"path: .\ntrain: images\nval: images\nnames:\n{listed}", encoding="utf-8")


def json_text(text: str) -> str:
    """A text in quotation marks, as YAML reads it, too."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
