"""Box files of a run. What was tracked until then lies whole on disk, however the run ends.

Formats of lines (`.txt`, `.csv`, `.jsonl`, `.mot.txt`) grow with every frame. COCO and CVAT put everything between one beginning and one
end and cannot grow, so these files are replaced whole: at the start, every few seconds, and when the run ends or is interrupted.
"""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from fear.annotations.annotation import UNKNOWN, Annotation, Annotations, Facts
from fear.annotations.formats import write_annotations
from fear.annotations.formats.mot import mot_line
from fear.errors import ConfigError, FearError
from fear.tracking.track import Track

_PAUSE = 2.0
"""Seconds between two replacements of a file at least."""
_SHARE = 0.05
"""Share of a run's time that replacing a file takes at most."""


class Row(NamedTuple):
    """One target in one frame, as `.csv` and `.jsonl` hold it."""

    frame: int
    time: float
    target: int
    x: float
    y: float
    w: float
    h: float
    score: float
    similarity: float
    lost: bool


def rows(frame: int, time: float, tracks: Sequence[Track]) -> list[Row]:
    """The rows of one frame, rounded to what is worth keeping."""
    return [_row(frame, time, track) for track in tracks]


def _row(frame: int, time: float, track: Track) -> Row:
    x, y, w, h = (round(value, 2) for value in track.box_xywh)
    return Row(frame, round(time, 6), track.id, x, y, w, h, round(track.score, 4), round(track.similarity, 4), track.lost)


def _annotation(row: Row) -> Annotation:
    return Annotation(row.frame, row.target, (row.x, row.y, row.w, row.h), row.score, row.similarity, row.lost, time=row.time)


def _txt_line(row: Row) -> str:
    return ",".join(f"{value:.2f}" for value in (row.x, row.y, row.w, row.h)) + "\n"


def _csv_line(row: Row) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([int(value) if isinstance(value, bool) else value for value in row])
    return line.getvalue()


def _jsonl_line(row: Row) -> str:
    return json.dumps(row._asdict()) + "\n"


def _mot_line(row: Row) -> str:
    return "" if row.lost else mot_line(_annotation(row))


class _Lines(NamedTuple):
    """A format of lines."""

    line: Callable[[Row], str]
    """One row; empty where the format leaves it out."""
    header: str = ""
    apart: bool = False
    """Whether each of several targets has a file of its own."""


_NO_BOX = "nan,nan,nan,nan\n"
"""The line of a frame in which a target was not followed yet."""

_LINES = {
    ".txt": _Lines(_txt_line, apart=True),
    ".csv": _Lines(_csv_line, ",".join(Row._fields) + "\n"),
    ".jsonl": _Lines(_jsonl_line),
    ".mot.txt": _Lines(_mot_line),
}
_WHOLE = {".coco.json": "coco", ".cvat.xml": "cvat"}
SUFFIXES = (*_LINES, *_WHOLE)
"""How the names of box files end."""


class BoxFile:
    """Writes tracks in the format that the file's name says.

    A `.txt` holds one `x,y,w,h` line a frame and so one target; of several each has a file of its own, `out_0.txt`, `out_1.txt`, …, by its
    id. The file of a target that is added later begins with a line of NaN for each frame before.

    Args:
        path: Where to write; an existing file is replaced.
        targets: Number of targets at the start, whose ids are 0, 1, 2, ….
        facts: About the video; `.coco.json` and `.cvat.xml` hold its size.

    Raises:
        ConfigError: another suffix, no such folder, or a place that cannot be written to.
    """

    def __init__(self, path: Path, targets: int, facts: Facts = UNKNOWN) -> None:
        suffix = max((end for end in SUFFIXES if path.name.lower().endswith(end)), key=len, default=None)
        if suffix is None:
            raise ConfigError(f"{path}: expected a box file {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}, got {path.suffix or 'no suffix'}")
        if not path.parent.is_dir():
            raise ConfigError(f"{path}: expected an existing folder to write into, found no {path.parent}")
        self._writer: _Writer = _WholeFile(path, _WHOLE[suffix], facts) if suffix in _WHOLE else _LineFiles(path, _LINES[suffix], targets)
        self.paths = self._writer.paths

    def write(self, frame: int, time: float, tracks: Sequence[Track]) -> None:
        """Adds one frame.

        Raises:
            FearError: it cannot be written, such as on a full disk.
        """
        self._writer.write(rows(frame, time, tracks))

    def close(self) -> None:
        """Closes the files.

        Raises:
            FearError: what came last cannot be written.
        """
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _Writer(Protocol):
    paths: list[Path]

    def write(self, rows: Sequence[Row]) -> None:
        """Adds the rows of one frame."""

    def close(self) -> None:
        """Closes the files."""


class _LineFiles:
    """Files that grow with every frame."""

    def __init__(self, path: Path, format: _Lines, targets: int) -> None:
        self._path, self._format, self._frames = path, format, 0
        self._numbered = format.apart and targets > 1
        self._files: dict[int, FileIO] = {}  # by the id of their target; one for all where they are not apart
        self.paths: list[Path] = []
        for target in range(targets if self._numbered else 1):
            self._open(target)
        for file in self._files.values():  # only now: where one of them cannot be opened, the others stay as they were
            self._empty(file)
        self._put(0, format.header)

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            target = row.target if self._format.apart else 0
            if target not in self._files:
                self._open(target)
                self._empty(self._files[target])
                self._put(target, _NO_BOX * self._frames)
            self._put(target, self._format.line(row))
        self._frames += 1

    def _open(self, target: int) -> None:
        path = self._path_of(target)
        try:
            number = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)  # what it holds is kept until all are open
            self._files[target] = FileIO(number, "w")  # nothing waits in a buffer
        except OSError as error:
            self.close()
            raise ConfigError(f"{path}: expected a place to write boxes to ({error.strerror})") from error
        self.paths.append(path)

    def _path_of(self, target: int) -> Path:
        alone = target == 0 and not self._numbered
        return self._path if alone else self._path.with_stem(f"{self._path.stem}_{target}")

    @staticmethod
    def _empty(file: FileIO) -> None:
        with suppress(OSError):  # a device or a pipe holds nothing
            file.truncate(0)

    def _put(self, target: int, line: str) -> None:
        file, left = self._files[target], memoryview(line.encode())
        whole = file.tell() if file.seekable() else None
        try:
            while left:  # a disk that becomes full takes a part of a line
                left = left[file.write(left) :]
        except OSError as error:
            if whole is not None:
                with suppress(OSError):  # a device has no length
                    file.truncate(whole)
            self.close()
            raise FearError(f"{self._path_of(target)}: expected to write on ({error.strerror})") from error

    def close(self) -> None:
        for file in self._files.values():
            with suppress(OSError):  # every line went out when it was written, or its failure was told then
                file.close()


class _WholeFile:
    """A file that is replaced."""

    def __init__(self, path: Path, format: str, facts: Facts) -> None:
        self.paths = [path]
        self._format, self._facts = format, facts
        self._boxes: list[Annotation] = []
        self._frames = 0
        self._changed, self._next = False, 0.0
        try:
            self._save()
        except FearError as error:
            raise ConfigError(str(error)) from error

    def write(self, rows: Sequence[Row]) -> None:
        self._boxes += map(_annotation, rows)
        self._frames = max(self._frames, *(row.frame + 1 for row in rows)) if rows else self._frames
        self._changed = True
        if time.monotonic() >= self._next:
            self._save()

    def _save(self) -> None:
        start = time.monotonic()
        self._changed = False  # also where it fails: closing does not try again
        try:
            content = Annotations(tuple(self._boxes), facts=replace(self._facts, frames=self._frames))
            write_annotations(content, self.paths[0], self._format)
        except OSError as error:
            raise FearError(f"{self.paths[0]}: expected to write on ({error.strerror})") from error
        except BaseException:
            self._changed = True  # interrupted while writing
            raise
        end = time.monotonic()
        self._next = end + max(_PAUSE, (end - start) / _SHARE)

    def close(self) -> None:
        if self._changed:
            self._save()
