"""From a video and a file of boxes to a clip of the layout `folder`, so that own footage can train and evaluate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fear.datasets.files import read_boxes
from fear.datasets.tables import SUFFIXES, read_table
from fear.errors import DatasetError
from fear.geometry.boxes import Box
from fear.media.reader import open_source
from fear.weights.store import written_whole

_QUALITY = 95  # of JPEG; above it files grow and networks see no difference


def unpack(video: str | Path, boxes: Path, folder: Path, on_frame: Callable[[], None] = lambda: None, target: int | None = None) -> int:
    """Writes `img/000001.jpg…` and `groundtruth.txt`, all or nothing.

    Args:
        video: A file, or a folder of images.
        boxes: One `x,y,w,h` line a frame; or a `.csv` of `fear track` or a project of `fear demo`'s page, which need not name every frame.
            Frames in which a target was lost, or that are not named, get `nan`.
        folder: To be made.
        on_frame: Called after each frame.
        target: Which target of a `.csv` or a project; None takes the only one.

    Returns:
        Number of frames.

    Raises:
        DatasetError: The folder exists, the boxes cannot be read, or they do not fit the number of frames.
        VideoError: The video cannot be read.
    """
    if folder.exists():
        raise DatasetError(f"{folder}: expected a new folder, found one that exists")
    table = read_table(boxes, target) if boxes.suffix.lower() in SUFFIXES else None
    lines = read_boxes(boxes) if table is None else np.empty((0, 4))
    with written_whole(folder) as unfinished:
        (unfinished / "img").mkdir(parents=True)
        count = _write_pictures(video, unfinished / "img", on_frame)
        truth = lines if table is None else _every_frame(boxes, table, count)
        if len(truth) != count:
            raise DatasetError(f"{boxes}: expected a box for every frame, got {len(truth)} boxes and {count} frames")
        text = "".join(",".join(f"{value:.2f}" for value in box_xywh) + "\n" for box_xywh in truth)
        (unfinished / "groundtruth.txt").write_text(text, encoding="utf-8")
    return count


def _write_pictures(video: str | Path, folder: Path, on_frame: Callable[[], None]) -> int:
    """Writes every frame; returns their number."""
    count = 0
    with open_source(video) as frames:
        for frame in frames:
            path = folder / f"{frame.index + 1:06d}.jpg"
            cv2.imwrite(str(path), frame.image[:, :, ::-1], (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
            count += 1
            on_frame()
    return count


def _every_frame(path: Path, table: Mapping[int, Box], count: int) -> NDArray[np.float64]:
    """(F, 4), `nan` where the table has no box."""
    last = max(table, default=0)
    if last >= count:
        raise DatasetError(f"{path}: expected a video with boxes up to frame {last}, got {count} frames")
    return np.array([table.get(frame, (np.nan,) * 4) for frame in range(count)], np.float64).reshape(-1, 4)
