"""The layout `folder`: `ROOT/NAME/img/*.jpg` or `ROOT/NAME/video.mp4`, and `ROOT/NAME/groundtruth.txt` with one line `x,y,w,h` a frame.

An optional file `attributes.txt` beside them says what makes the clip hard, one word or phrase a line.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fear.datasets.clip import Clip
from fear.datasets.files import choose, find, read_boxes, require_box_for_each_frame
from fear.datasets.frames import FrameReference, video_frames
from fear.errors import DatasetError
from fear.media.image import list_images


def read_folder(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads clips, in the natural order of their names.

    Raises:
        DatasetError: There is nothing of that layout, or a clip has another number of frames than of boxes.
        VideoError: A video is damaged.
    """
    there = [path.parent.name for path in find(root, "*/groundtruth.txt")]
    if not there:
        raise DatasetError(f"{root}: expected NAME/img/*.jpg or NAME/video.mp4, and NAME/groundtruth.txt; found none")
    clips = []
    for name in choose(there, names, root):
        boxes = read_boxes(root / name / "groundtruth.txt")
        frames = _frames(root / name, len(boxes))
        require_box_for_each_frame(root / name, frames, boxes)
        clips.append(Clip(name, frames, boxes, _attributes(root / name / "attributes.txt")))
    return clips


def _frames(folder: Path, expected: int) -> tuple[FrameReference, ...]:
    pictures, video = folder / "img", folder / "video.mp4"
    if pictures.is_dir():
        return list_images(pictures)
    if video.is_file():
        return video_frames(video, expected)
    raise DatasetError(f"{folder}: expected a folder of pictures, img, or a video, video.mp4; found neither")


def _attributes(path: Path) -> tuple[str, ...]:
    if not path.is_file():
        return ()
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    return tuple(line.strip() for line in lines if line.strip())
