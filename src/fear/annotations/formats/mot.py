"""MOTChallenge (motchallenge.net): one line for each box, `frame,id,left,top,width,height,score,…`, frames and ids counted from 1.

Results have ten columns, of which the last three are -1. Ground truth has nine: the seventh says whether a box counts, then come the
class and the share that can be seen. A folder of MOTChallenge holds `gt/gt.txt`, and may hold `seqinfo.ini` with the size of the frames
and `gt/labels.txt` with the names of the classes.

Boxes are kept as they are, in pixels from 0, as most trackers and the page of `fear demo` write them. The truth of MOTChallenge itself
counts pixels from 1; `origin=1` reads and writes that.
"""

from __future__ import annotations

import configparser
from pathlib import Path

from fear.annotations.annotation import Annotation, Annotations, Facts, Target, ordered, plain
from fear.annotations.formats.text import number_lines, read_text
from fear.errors import DatasetError
from fear.weights.store import write_text_whole

# the classes of MOT16 to MOT20, in the order of their numbers from 1
_CLASSES = (
    "pedestrian",
    "person on vehicle",
    "car",
    "bicycle",
    "motorbike",
    "non motorized vehicle",
    "static person",
    "distractor",
    "occluder",
    "occluder on the ground",
    "occluder full",
    "reflection",
    "crowd",
)


def read_mot(path: Path, *, first: int = 1, origin: float = 0) -> Annotations:
    """Reads a text file, or a folder of MOTChallenge.

    Ids become numbers of targets from 0. A file that has an id 0 counts ids from 0 already; they stay as they are.

    Args:
        path: File or folder.
        first: Number of the first frame.
        origin: Coordinate of the first pixel.

    Raises:
        DatasetError: The file cannot be read, a line has fewer than six numbers, or detections have no ids (-1).
    """
    table, facts = (path / "gt" / "gt.txt", _sequence(path)) if path.is_dir() else (path, Facts())
    names = _names(_names_file(table)) if _names_file(table).is_file() else list(_CLASSES)
    rows = []
    for line, fields in number_lines(read_text(table)):
        try:
            numbers = [float(field) for field in fields]
            frame, number = int(numbers[0]), int(numbers[1])
            x, y, w, h = numbers[2:6]
            if (frame, number) != tuple(numbers[:2]):
                raise ValueError("numbers that are not whole")
            truth = len(numbers) == 9 and numbers[7] >= 0
            kind = int(numbers[7]) if truth else 0
        except (ValueError, IndexError, OverflowError) as error:
            raise DatasetError(f"{table}, line {line}: expected frame,id,left,top,width,height,…, got {','.join(fields)!r}") from error
        if number < 0:
            raise DatasetError(f"{table}, line {line}: expected the id of a target, got {number}: detections without ids are not tracks")
        score = numbers[6] if len(numbers) > 6 and numbers[6] >= 0 else 1.0
        seen = numbers[8] if truth else 1.0
        rows.append((Annotation(frame - first, number, (x - origin, y - origin, w, h), score, visibility=seen), kind))
    shift = 0 if any(box.target == 0 for box, _ in rows) else 1
    remarks = () if shift or not rows else (f"{table} counts ids from 0; they are kept",)
    targets = {box.target - shift: Target(label=_name(kind, names)) for box, kind in rows if kind > 0}
    boxes = [box._replace(target=box.target - shift) for box, _ in rows]
    return Annotations(ordered(table, boxes), targets, facts, remarks)


def write_mot(annotations: Annotations, path: Path, *, origin: float = 0) -> None:
    """Writes results, or ground truth where targets have classes or some are partly hidden.

    Frames in which a target is lost have no line. The names of classes that MOTChallenge does not know go to a file beside it:
    `NAME.labels.txt`, or `labels.txt` for `gt.txt`.
    """
    truth = any(one.label for one in annotations.targets.values()) or any(one.visibility != 1 for one in annotations.boxes)
    names = sorted({annotations.label(number) for number in annotations.numbers})
    known = set(names) <= set(_CLASSES)
    kinds = {name: (_CLASSES.index(name) if known else names.index(name)) + 1 for name in names}
    lines = []
    for one in annotations.boxes:
        if not one.lost:
            kind = kinds[annotations.label(one.target)]
            lines.append(mot_line(one, origin, f"{kind},{plain(one.visibility)}" if truth else "-1,-1,-1"))
    write_text_whole(path, "".join(lines))
    if truth and not known:
        write_text_whole(_names_file(path), "".join(f"{name}\n" for name in names))


def mot_line(one: Annotation, origin: float = 0, rest: str = "-1,-1,-1") -> str:
    """The line of one box."""
    x, y, w, h = one.box_xywh
    return ",".join([str(one.frame + 1), str(one.target + 1), *map(plain, (x + origin, y + origin, w, h, one.score)), rest]) + "\n"


def _names_file(table: Path) -> Path:
    """Where the names of a table's classes lie."""
    stem = table.name.removesuffix(".txt").removesuffix(".mot")
    return table.with_name("labels.txt" if table.name == "gt.txt" else f"{stem}.labels.txt")


def _names(path: Path) -> list[str]:
    return [line.strip() for line in read_text(path).splitlines() if line.strip()]


def _name(kind: int, names: list[str]) -> str:
    return names[kind - 1] if kind <= len(names) else f"class {kind}"


def _sequence(folder: Path) -> Facts:
    """What `seqinfo.ini` of a folder says, where it is there."""
    if not (folder / "seqinfo.ini").is_file():
        return Facts(folder.name)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(folder / "seqinfo.ini"))
        facts = parser["Sequence"]
        size = facts.getint("imWidth"), facts.getint("imHeight")
        return Facts(facts.get("name", folder.name), *size, facts.getint("seqLength"), facts.getfloat("frameRate"))
    except (configparser.Error, KeyError, ValueError) as error:
        raise DatasetError(
            f"{folder / 'seqinfo.ini'}: expected the section [Sequence] with numbers ({' '.join(str(error).split())[:200]})"
        ) from error
