"""Box files: every line is written when its frame comes, so that an interrupted run leaves a valid file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from fear.errors import ConfigError, FearError
from fear.tracking.track import Track


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


class BoxFile:
    """Writes tracks as `.txt`, `.csv` or `.jsonl`, by the file's name.

    A `.txt` holds one `x,y,w,h` line a frame and so one target; of several each has a file of its own, `out_0.txt`, `out_1.txt`, ….

    Args:
        path: Where to write; an existing file is replaced.
        targets: Number of targets.

    Raises:
        ConfigError: another suffix, or no such folder.
    """

    def __init__(self, path: Path, targets: int) -> None:
        self._kind = path.suffix.lower()
        if self._kind not in (".txt", ".csv", ".jsonl"):
            raise ConfigError(f"{path}: expected a box file .txt, .csv or .jsonl, got {path.suffix or 'no suffix'}")
        if not path.parent.is_dir():
            raise ConfigError(f"{path}: expected an existing folder to write into, found no {path.parent}")
        apart = self._kind == ".txt" and targets > 1
        self.paths = [path.with_stem(f"{path.stem}_{k}") for k in range(targets)] if apart else [path]
        try:
            self._files = [p.open("wb", buffering=0) for p in self.paths]  # nothing waits in a buffer
        except OSError as error:
            raise ConfigError(f"{path}: expected a place to write boxes to ({error.strerror})") from error
        if self._kind == ".csv":
            self._put(self._files[0], ",".join(Row._fields) + "\n")

    def write(self, frame: int, time: float, tracks: Sequence[Track]) -> None:
        """Adds one frame.

        Raises:
            FearError: it cannot be written, such as on a full disk.
        """
        if self._kind == ".txt":
            for file, track in zip(self._files, tracks, strict=True):
                self._put(file, ",".join(f"{value:.2f}" for value in track.box_xywh) + "\n")
            return
        for row in rows(frame, time, tracks):
            self._put(self._files[0], _csv_line(row) if self._kind == ".csv" else json.dumps(row._asdict()) + "\n")

    def _put(self, file: FileIO, line: str) -> None:
        whole, left = file.tell(), memoryview(line.encode())
        try:
            while left:  # a disk that becomes full takes a part of a line
                left = left[file.write(left) :]
        except OSError as error:
            with suppress(OSError):  # a device has no length
                file.truncate(whole)
            self.close()
            raise FearError(f"{file.name}: expected to write on ({error.strerror})") from error

    def close(self) -> None:
        """Closes the files."""
        for file in self._files:
            with suppress(OSError):  # every line went out when it was written, or its failure was told then
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _csv_line(row: Row) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([int(value) if isinstance(value, bool) else value for value in row])
    return line.getvalue()
