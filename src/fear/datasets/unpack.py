"""From a video and a file of boxes to a sequence of the layout `folder`, so that own footage can train and evaluate."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

import cv2

from fear.datasets.files import read_boxes
from fear.errors import DatasetError
from fear.media.reader import open_source
from fear.weights.store import written_whole

_QUALITY = 95  # of JPEG; above it files grow and networks see no difference


def unpack(video: str | Path, boxes: Path, folder: Path, on_frame: Callable[[], None] = lambda: None) -> int:
    """Writes `img/000001.jpg…` and `groundtruth.txt`, all or nothing.

    Args:
        video: A file, or a folder of images.
        boxes: One `x,y,w,h` line a frame.
        folder: To be made.
        on_frame: Called after each frame.

    Returns:
        Number of frames.

    Raises:
        DatasetError: the folder exists, or there are more boxes than frames or fewer.
        VideoError: the video cannot be read.
    """
    if folder.exists():
        raise DatasetError(f"{folder}: expected a new folder, found one that exists")
    truth = read_boxes(boxes).tolist()
    with written_whole(folder) as unfinished, open_source(video) as frames:
        (unfinished / "img").mkdir(parents=True)
        count = 0
        for frame, box in zip_longest(frames, truth):
            if frame is None or box is None:
                come = f"more than {count} frames" if box is None else f"{count} frames"
                raise DatasetError(f"{boxes}: expected a box for every frame, got {len(truth)} boxes and {come}")
            path = unfinished / "img" / f"{frame.index + 1:06d}.jpg"
            cv2.imwrite(str(path), frame.image[:, :, ::-1], (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
            count += 1
            on_frame()
        (unfinished / "groundtruth.txt").write_text("".join(",".join(f"{v:.2f}" for v in box) + "\n" for box in truth), encoding="utf-8")
    return count
