"""Boxes from one format to another, and from and to clips of the layout `folder`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fear.annotations.annotation import UNKNOWN, Annotation, Annotations, Facts, ordered, plain
from fear.annotations.formats import FORMATS, Reading, find_format, left_out, read_annotations, write_annotations
from fear.datasets.files import find, read_boxes
from fear.errors import ConfigError, DatasetError
from fear.media.image import list_images, read_image
from fear.media.reader import is_source, open_source
from fear.weights.store import write_text_whole, written_whole

_TRUTH = "groundtruth.txt"
_PICTURES, _VIDEO = "img", "video.mp4"


def video_facts(video: str | Path, rate: float | None = None) -> Facts:
    """What a video or a folder of images says about itself; its first frame is decoded.

    Args:
        video: File or folder.
        rate: Frames per second of a folder, which does not say it.

    Raises:
        VideoError: It cannot be read, or a rate is given for a video that has times of its own.
    """
    with open_source(video, rate=rate) as source:
        height, width = next(iter(source)).picture.shape[:2]
        return Facts(Path(str(video)).name, width, height, source.count, float(source.rate))


def require_apart(output: Path, *sources: str | Path) -> None:
    """Checks that an output replaces no file that is read, by whatever name.

    Raises:
        DatasetError: It is one of the sources.
    """
    if output.is_file() and any(is_source(output, source) for source in sources):
        raise DatasetError(f"{output}: expected another file than the source, got a file that is read and would be replaced")


def import_boxes(source: Path, output: Path, name: str | None, how: Reading, target: int | None = None) -> list[str]:
    """Turns boxes of another program into ours.

    Args:
        source: File or folder.
        output: A `.csv`, `.jsonl` or `.txt`; or the folder of a clip that has frames and no `groundtruth.txt` yet.
        name: Format of the source; None finds it out.
        how: What the source does not say itself.
        target: Which target a clip or a `.txt` holds; None takes the only one.

    Returns:
        What was read and what had to be left out or assumed, one line each.

    Raises:
        ConfigError: A format is not known, or the output is not one of ours.
        DatasetError: The source is missing or damaged, the output is a part of it, or the clip has other frames.
    """
    require_apart(output, source, *find(source, "**/*.txt"))
    found = read_annotations(source, name, how)
    if output.is_dir():
        _write_truth(found, output, target)
        kind = "txt"
    else:
        kind = find_format(output)
        if not FORMATS[kind].own or FORMATS[kind].write is None:
            raise ConfigError(
                f"{output}: expected one of our formats .csv, .jsonl or .txt, got {FORMATS[kind].title}; `fear data export` writes it"
            )
        write_annotations(found if target is None else only(found, target, source), output, kind)
    apart = kind == "txt" and target is None and len(found.numbers) > 1
    files = [f"each target has a file of its own, {output.stem}_{found.numbers[0]}.txt and so on"] if apart else []
    return [_told(found), *found.remarks, *files, *_told_left_out(found, kind)]


def export_boxes(source: Path, output: Path, name: str | None, how: Reading) -> list[str]:
    """Turns our boxes into those of another program.

    Args:
        source: A box file of ours, a project of the page, a clip of the layout `folder`, or a folder of such clips.
        output: File or folder. Where the source is a folder of clips, it is a new folder, which appears whole or not at all.
        name: Format of the output; None takes it from its name.
        how: The facts about the video, and the coordinate of the first pixel in MOT; other formats refuse another one than 0.

    Returns:
        What was written and what was left out, one line each.

    Raises:
        ConfigError: The format is not known, is one of ours, or refuses the coordinate of the first pixel.
        DatasetError: The source is missing or damaged, the output is a part of it, or the size of the frames is needed and not known.
    """
    require_apart(output, source, *find(source, _TRUTH, _VIDEO, f"{_PICTURES}/*"))
    clips = find(source, f"*/{_TRUTH}") if source.is_dir() else []
    if clips and name is None:
        raise ConfigError(f"{output}: expected --format for a folder of clips, got none")
    kind = find_format(output, name)
    if FORMATS[kind].own:
        raise ConfigError(f"{output}: expected another program's format, got {FORMATS[kind].title}; `fear data import` writes it")
    if how.origin and kind != "mot":
        raise ConfigError(f"{output}: expected --one-based with MOT alone, got it with {FORMATS[kind].title}, whose first pixel is fixed")
    if clips and output.exists():
        raise DatasetError(f"{output}: expected a new folder, found one that exists")
    if not clips:
        return _export_one(source, output, kind, how)
    suffix = FORMATS[kind].suffixes[0] if FORMATS[kind].suffixes else ""
    with written_whole(output) as folder:
        folder.mkdir()
        places = {truth.parent: folder / f"{truth.parent.name}{suffix}" for truth in clips}
        return [f"{clip.name}: {line}" for clip, place in places.items() for line in _export_one(clip, place, kind, how)]


def _export_one(source: Path, output: Path, kind: str, how: Reading) -> list[str]:
    """Turns a box file or a clip into another format, and says what was written and what was left out."""
    found = _read_own(source, how.facts)
    write_annotations(found, output, kind, how.origin)
    return [_told(found), *found.remarks, *_told_left_out(found, kind)]


def only(annotations: Annotations, target: int | None, place: Path) -> Annotations:
    """The boxes of one target alone.

    Args:
        annotations: Of any number of targets.
        target: Its number; None takes the only one.
        place: The file, for the message.

    Raises:
        DatasetError: There is no such target, or there are several and none was named.
    """
    numbers = annotations.numbers
    names = ", ".join(map(str, numbers)) or "none"
    if target is None and len(numbers) != 1:
        raise DatasetError(f"{place}: expected one target, got {names}; choose one with --target")
    chosen = numbers[0] if target is None else target
    if chosen not in numbers:
        raise DatasetError(f"{place}: expected target {target}, got {names}")
    boxes = tuple(one for one in annotations.boxes if one.target == chosen)
    kept = {number: one for number, one in annotations.targets.items() if number == chosen}
    return Annotations(boxes, kept, annotations.facts, annotations.remarks)


def _read_own(path: Path, facts: Facts) -> Annotations:
    if path.is_dir():
        return _read_clip(path, facts)
    kind = find_format(path)
    if not FORMATS[kind].own:
        raise ConfigError(
            f"{path}: expected one of our box files, got {FORMATS[kind].title}; turn it into a .csv with `fear data import` first"
        )
    return read_annotations(path, kind, Reading(facts=facts))


def _read_clip(folder: Path, facts: Facts = UNKNOWN) -> Annotations:
    """The boxes of a clip of the layout `folder`."""
    truth = read_boxes(folder / _TRUTH)
    boxes = [Annotation(frame, 0, (x, y, w, h)) for frame, (x, y, w, h) in enumerate(truth.tolist()) if np.isfinite((x, y, w, h)).all()]
    known = facts.merged(Facts(folder.name, frames=len(truth)))
    pictures = list_images(folder / _PICTURES) if (folder / _PICTURES).is_dir() else ()
    if known.width is None and pictures:
        height, width = read_image(pictures[0]).shape[:2]
        known = known.merged(Facts(width=width, height=height))
    elif known.width is None and (folder / _VIDEO).is_file():
        known = known.merged(video_facts(folder / _VIDEO))
    return Annotations(ordered(folder / _TRUTH, boxes), facts=known)


def _write_truth(annotations: Annotations, folder: Path, target: int | None) -> None:
    """Writes the boxes of one target beside the frames of a clip."""
    path = folder / _TRUTH
    if path.exists():
        raise DatasetError(f"{path}: expected a clip without boxes, found some; remove the file first")
    pictures, video = folder / _PICTURES, folder / _VIDEO
    if pictures.is_dir():
        count = len(list_images(pictures))
    elif video.is_file():
        with open_source(video) as source:
            count = sum(1 for _ in source)
    else:
        raise DatasetError(
            f"{folder}: expected a folder of pictures, {_PICTURES}, or a video, {_VIDEO}; `fear data unpack` makes them of a video"
        )
    chosen = only(annotations, target, folder)
    truth = every_frame(chosen, count, folder)
    write_text_whole(path, truth_text(truth))


def every_frame(annotations: Annotations, count: int, place: Path) -> NDArray[np.float64]:
    """The boxes of one target, (F, 4), `nan` where there is none or the target is lost.

    Args:
        annotations: Of one target.
        count: Number of frames, F.
        place: The file, for the message.

    Raises:
        DatasetError: There are boxes of later frames.
    """
    truth = np.full((count, 4), np.nan)
    for one in annotations.boxes:
        if one.frame >= count:
            raise DatasetError(f"{place}: expected a video with boxes up to frame {annotations.boxes[-1].frame}, got {count} frames")
        if not one.lost:
            truth[one.frame] = one.box_xywh
    return truth


def truth_text(truth_xywh: NDArray[np.float64]) -> str:
    """The text of a `groundtruth.txt`."""
    return "".join(",".join(map(plain, box)) + "\n" for box in truth_xywh.tolist())


def _told(found: Annotations) -> str:
    boxes, targets = len(found.boxes), len(found.numbers)
    return f"{boxes} box{'es' * (boxes != 1)} of {targets} target{'s' * (targets != 1)}"


def _told_left_out(found: Annotations, kind: str) -> list[str]:
    missing = left_out(found, kind)
    return [f"left out, since {FORMATS[kind].title} cannot hold it: {', '.join(missing)}"] if missing else []
