"""From a video, and boxes where there are some, to clips of the layout `folder`, so that own footage can train and evaluate."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fear.annotations.formats import FORMATS, Reading, find_format, read_annotations, require_open
from fear.datasets.exchange import every_frame, only, truth_text
from fear.datasets.files import read_boxes
from fear.errors import ConfigError, DatasetError
from fear.media import pixels
from fear.media.reader import Frame, open_source
from fear.weights.store import written_whole

_USUAL = Reading()
_QUALITY = 95  # of JPEG; above it files grow and networks see no difference


def unpack(
    video: str | Path,
    boxes: Path | None,
    folder: Path,
    on_frame: Callable[[], None] = lambda: None,
    target: int | None = None,
    how: Reading = _USUAL,
) -> int:
    """Writes `img/000001.jpg…` and, where there are boxes, `groundtruth.txt`, all or nothing.

    Args:
        video: A file, or a folder of images.
        boxes: One `x,y,w,h` line a frame; or any other format of boxes, which need not name every frame. Frames in which a target was lost,
            or that are not named, get `nan`. None writes the pictures alone.
        folder: To be made.
        on_frame: Called after each frame.
        target: Which target of several; None takes the only one.
        how: What other programs' boxes do not say themselves.

    Returns:
        Number of frames.

    Raises:
        ConfigError: The boxes say themselves how they count frames or pixels and `how` says it, too.
        DatasetError: The folder exists, the boxes cannot be read, or they do not fit the number of frames.
        VideoError: The video cannot be read.
    """
    if folder.exists():
        raise DatasetError(f"{folder}: expected a new folder, found one that exists")
    lines = _read_list(boxes, how) if boxes is not None and _is_list(boxes) else None
    found = only(read_annotations(boxes, how=how), target, boxes) if boxes is not None and lines is None else None
    with written_whole(folder) as unfinished:
        (unfinished / "img").mkdir(parents=True)
        numbers = []  # a damaged video may lack some
        with open_source(video) as frames:
            for frame in frames:
                _write_picture(unfinished / "img", frame)
                numbers.append(frame.index)
                on_frame()
        count = len(numbers)
        truth = lines if found is None or boxes is None else every_frame(found, max(numbers, default=-1) + 1, boxes)[numbers]
        if truth is not None:
            if len(truth) != count:
                raise DatasetError(f"{boxes}: expected a box for every frame, got {len(truth)} boxes and {count} frames")
            (unfinished / "groundtruth.txt").write_text(truth_text(truth), encoding="utf-8")
    return count


def _is_list(boxes: Path) -> bool:
    """Whether a file holds one line for each frame, whatever its suffix."""
    try:
        return find_format(boxes) == "txt"
    except ConfigError:
        return not boxes.is_dir()


def _read_list(boxes: Path, how: Reading) -> NDArray[np.float64]:
    """The boxes of such a file, (F, 4)."""
    require_open(FORMATS["txt"], boxes, how)
    return read_boxes(boxes) - (how.origin, how.origin, 0, 0)


def unpack_parts(
    video: str | Path, folder: Path, length: int, max_frames: int | None = None, on_frame: Callable[[], None] = lambda: None
) -> int:
    """Writes a video as clips without boxes, `folder/NAME-001/000001.jpg…`, so that none is too long for memory; all or nothing.

    Args:
        video: A file.
        folder: To be made.
        length: Frames of a clip. A last part of less than half of that is joined with the one before.
        max_frames: Only the first frames; None takes all of them.
        on_frame: Called after each frame.

    Returns:
        Number of clips.

    Raises:
        DatasetError: The folder exists.
        VideoError: The video cannot be read.
    """
    if folder.exists():
        raise DatasetError(f"{folder}: expected a new folder, found one that exists")
    stem = Path(str(video)).stem
    with written_whole(folder) as unfinished:
        count = 0
        with open_source(video) as frames:
            for place, frame in enumerate(islice(frames, max_frames)):
                part = unfinished / f"{stem}-{place // length + 1:03d}"
                part.mkdir(parents=True, exist_ok=True)
                _write_picture(part, frame)
                count += 1
                on_frame()
        parts = -(-count // length)
        if parts > 1 and count % length and count % length < length / 2:
            rest, before = (unfinished / f"{stem}-{number:03d}" for number in (parts, parts - 1))
            for picture in list(rest.iterdir()):
                picture.rename(before / picture.name)
            rest.rmdir()
            parts -= 1
    return parts


def _write_picture(folder: Path, frame: Frame) -> None:
    """Writes a frame; names count from 1."""
    path = folder / f"{frame.index + 1:06d}.jpg"
    content = pixels.encode(frame.image, ".jpg", _QUALITY)
    if content is None:
        raise DatasetError(f"{path}: expected a frame that can be written as JPEG, got one of {frame.picture.shape}")
    # not by OpenCV, which is silent on a full disk and cannot write to names of other scripts everywhere
    path.write_bytes(content)
