"""Formats of boxes: which ones there are, what each of them can hold, and how a file shows which one it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fear.annotations.annotation import UNKNOWN, Annotations, Facts
from fear.annotations.formats.coco import read_coco, write_coco
from fear.annotations.formats.cvat import read_cvat, write_cvat
from fear.annotations.formats.mot import read_mot, write_mot
from fear.annotations.formats.own import read_csv, read_json, read_jsonl, read_txt, write_csv, write_jsonl, write_txt
from fear.annotations.formats.text import number_lines, read_text
from fear.annotations.formats.yolo import is_yolo, read_yolo, write_yolo
from fear.errors import ConfigError, DatasetError, FearError
from fear.parsing import parse_json

__all__ = ["FORMATS", "Format", "Reading", "find_format", "left_out", "read_annotations", "write_annotations"]


class Reading(NamedTuple):
    """How files of others are to be understood where they do not say it themselves."""

    first: int | None = None
    """Number of the first frame; None takes the usual one of the format. Formats that say it themselves refuse another one."""
    origin: float = 0
    """Coordinate of the first pixel; formats that say it themselves refuse another one than 0."""
    facts: Facts = UNKNOWN
    """What is known of the video."""


_USUAL = Reading()


class Format(NamedTuple):
    """A format of boxes."""

    title: str
    """As messages name it."""
    suffixes: tuple[str, ...]
    """How its files end; none where it is a folder."""
    own: bool
    """Whether it is one of ours."""
    read: Callable[[Path, Reading], Annotations]
    write: Callable[[Annotations, Path, float], None] | None
    """Given the coordinate of the first pixel; None where it is only read."""
    holds: frozenset[str] = frozenset()
    """Which of score, similarity, lost, visibility, label, name and time it holds besides the boxes."""
    leaves_open: frozenset[str] = frozenset()
    """Which of first and origin of a `Reading` it does not say itself."""


def _all(*words: str) -> frozenset[str]:
    return frozenset(words)


_EVERYTHING = _all("score", "similarity", "lost", "visibility", "label", "name", "time")

FORMATS: dict[str, Format] = {
    "csv": Format(
        "our CSV",
        (".csv",),
        True,
        lambda path, how: read_csv(path, first=how.first or 0, origin=how.origin),
        lambda a, path, _: write_csv(a, path),
        _EVERYTHING,
        _all("first", "origin"),
    ),
    "jsonl": Format(
        "our JSON lines",
        (".jsonl",),
        True,
        lambda path, how: read_jsonl(path, first=how.first or 0, origin=how.origin),
        lambda a, path, _: write_jsonl(a, path),
        _EVERYTHING,
        _all("first", "origin"),
    ),
    "mot": Format(
        "MOT",
        (".mot.txt",),
        False,
        lambda path, how: read_mot(path, first=1 if how.first is None else how.first, origin=how.origin),
        lambda a, path, origin: write_mot(a, path, origin=origin),
        _all("score", "visibility", "label"),
        _all("first", "origin"),
    ),
    "txt": Format(
        "our text file",
        (".txt",),
        True,
        lambda path, how: read_txt(path, origin=how.origin),
        lambda a, path, _: write_txt(a, path),
        leaves_open=_all("origin"),
    ),
    "coco": Format(
        "COCO",
        (".coco.json",),
        False,
        lambda path, how: read_coco(path, first=how.first),
        lambda a, path, _: write_coco(a, path),
        _all("score", "similarity", "visibility", "label", "name"),
        _all("first"),
    ),
    "page": Format("the page's JSON", (".json",), True, lambda path, _: read_json(path), None, _EVERYTHING),
    "cvat": Format(
        "CVAT",
        (".cvat.xml", ".xml", ".zip"),
        False,
        lambda path, _: read_cvat(path),
        lambda a, path, _: write_cvat(a, path),
        _all("score", "similarity", "lost", "visibility", "label", "name"),
    ),
    "yolo": Format(
        "YOLO",
        (),
        False,
        lambda path, how: read_yolo(path, first=how.first, facts=how.facts),
        lambda a, path, _: write_yolo(a, path),
        _all("label"),
        _all("first"),
    ),
    "yolo-tracks": Format(
        "YOLO with tracks",
        (),
        False,
        lambda path, how: read_yolo(path, first=how.first, facts=how.facts),
        lambda a, path, _: write_yolo(a, path, tracks=True),
        _all("score", "label"),
        _all("first"),
    ),
}
"""All formats by name. Where several suffixes fit a file, the longest one counts."""


def find_format(path: Path, name: str | None = None) -> str:
    """The name of the format of a file or folder, which may not exist yet.

    Args:
        path: File or folder. Files that are there are looked into where their suffix does not tell.
        name: What a person said; None leaves it to the file.

    Raises:
        ConfigError: There is no such format, or none fits.
    """
    if name is not None:
        if name not in FORMATS:
            raise ConfigError(f"format: expected one of {', '.join(FORMATS)}; got {name!r}")
        return name
    if path.is_dir():
        return _format_of_folder(path)
    fitting = [(len(end), key) for key, one in FORMATS.items() for end in one.suffixes if path.name.lower().endswith(end)]
    if not fitting:
        known = ", ".join(end for one in FORMATS.values() for end in one.suffixes)
        raise ConfigError(
            f"{path}: expected a file that ends with {known}, or a format by name: {', '.join(FORMATS)}; got {path.suffix or 'no suffix'}"
        )
    found = max(fitting)[1]
    return _looked_into(path, found) if path.is_file() else found


def _format_of_folder(path: Path) -> str:
    if (path / "gt" / "gt.txt").is_file():
        return "mot"
    if is_yolo(path):
        return "yolo"
    raise ConfigError(f"{path}: expected a folder of MOT (gt/gt.txt) or YOLO (labels/), found neither")


def _looked_into(path: Path, guess: str) -> str:
    """Tells apart formats that share a suffix: lines of MOT and ours, JSON of COCO and ours."""
    if guess == "txt":
        _, fields = next(number_lines(read_text(path)), (0, []))
        return "mot" if len(fields) > 5 else "txt"
    if guess == "page":
        try:
            content = parse_json(read_text(path))
        except ValueError:
            return guess  # whose reader says what is wrong
        return "coco" if isinstance(content, dict) and "annotations" in content else "page"
    return guess


def read_annotations(path: Path, name: str | None = None, how: Reading = _USUAL) -> Annotations:
    """Reads boxes of any format.

    Args:
        path: File or folder.
        name: Its format; None finds it out.
        how: What the file does not say itself.

    Raises:
        ConfigError: The format is not known, or says itself how it counts frames or pixels and `how` says it, too.
        DatasetError: The file is missing or damaged.
    """
    if not path.exists():
        raise DatasetError(f"{path}: expected a file or folder of boxes, found nothing there")
    chosen = FORMATS[find_format(path, name)]
    require_open(chosen, path, how)
    try:
        found = chosen.read(path, how)
        found.require_usable()
    except FearError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        raise DatasetError(f"{path}: expected {chosen.title}, got values of another kind ({error})") from error
    return Annotations(found.boxes, found.targets, found.facts.merged(how.facts), found.remarks)


def require_open(format: Format, path: Path, how: Reading) -> None:
    """Checks that a format does not say itself how it counts what `how` says.

    Raises:
        ConfigError: It does; its reader would ignore it.
    """
    if how.first is not None and "first" not in format.leaves_open:
        raise ConfigError(f"{path}: expected no --first, since {format.title} says itself how it counts frames; got {how.first}")
    if how.origin and "origin" not in format.leaves_open:
        raise ConfigError(f"{path}: expected no --one-based, since {format.title} says itself how it counts pixels; got it")


def write_annotations(annotations: Annotations, path: Path, name: str | None = None, origin: float = 0) -> None:
    """Writes boxes in any format, whole or not at all.

    Args:
        annotations: What to write.
        path: File or folder.
        name: The format; None takes it from the path.
        origin: Coordinate of the first pixel, for MOT.

    Raises:
        ConfigError: The format is not known, or it is only read.
        DatasetError: The size of the frames is needed and not known, or the folder exists.
    """
    chosen = FORMATS[find_format(path, name)]
    if chosen.write is None:
        raise ConfigError(f"{path}: expected a format that is written, got {chosen.title}; the page opens a .csv")
    chosen.write(annotations, path, origin)


def left_out(annotations: Annotations, name: str) -> list[str]:
    """What a format cannot hold of some boxes, in words."""
    boxes, targets = annotations.boxes, annotations.targets.values()
    lost = sum(one.lost for one in boxes)
    told = {
        "time": "times" if any(one.time is not None for one in boxes) else "",
        "score": "scores" if any(one.score != 1 for one in boxes) else "",
        "similarity": "similarities" if any(one.similarity != 1 for one in boxes) else "",
        "visibility": "how much of the targets can be seen" if any(one.visibility != 1 for one in boxes) else "",
        "label": "classes" if any(one.label for one in targets) else "",
        "name": "names of targets" if any(one.name for one in targets) else "",
        "lost": f"{lost} boxes of frames in which the target is lost" if lost else "",
    }
    missing = [words for feature, words in told.items() if words and feature not in FORMATS[name].holds]
    if name == "yolo" and len(annotations.numbers) > 1:
        missing.append("which box belongs to which target (yolo-tracks holds it)")
    return missing
