"""ImageNet VID (Russakovsky et al., IJCV 2015): `Data/VID/SPLIT/…/NAME/000000.JPEG` and `Annotations/VID/SPLIT/…/NAME/000000.xml`.

Every track of a video becomes a clip, from the first frame that shows its target to the last.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from fear.datasets.clip import Clip
from fear.datasets.files import choose, find
from fear.errors import DatasetError
from fear.geometry.boxes import Box

_ABSENT: Box = (np.nan, np.nan, np.nan, np.nan)


def read_imagenet_vid(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads the training split, or the validation split where it is the only one; clips are named `VIDEO-TRACK`.

    Raises:
        DatasetError: There is nothing of that layout, a table is damaged, or pictures are missing.
    """
    base = root / "ILSVRC" if (root / "ILSVRC").is_dir() else root
    split = next((name for name in ("train", "val") if (base / "Annotations" / "VID" / name).is_dir()), None)
    tables = find(base / "Annotations" / "VID" / split, "**/*.xml") if split else []
    if not tables:
        raise DatasetError(f"{root}: expected Annotations/VID/train/…/NAME/000000.xml, found none")
    videos: dict[Path, list[Path]] = {}
    for table in tables:
        videos.setdefault(table.parent, []).append(table)
    clips: dict[str, Clip] = {}
    for folder, frames in videos.items():
        pictures = base / "Data" / "VID" / folder.relative_to(base / "Annotations" / "VID")
        there = {path.stem: path for path in pictures.iterdir()} if pictures.is_dir() else {}
        missing = [table.stem for table in frames if table.stem not in there]
        if missing:
            raise DatasetError(f"{pictures}: expected pictures of all tables, {len(missing)} are missing, such as {missing[0]}")
        tracks: dict[str, dict[int, Box]] = {}
        for number, table in enumerate(frames):
            for track, box in _read_objects(table):
                tracks.setdefault(track, {})[number] = box
        for track, boxes in sorted(tracks.items()):
            span = range(min(boxes), max(boxes) + 1)
            name = f"{folder.name}-{track}"
            truth = np.array([boxes.get(number, _ABSENT) for number in span], np.float64)
            clips[name] = Clip(name, tuple(there[frames[number].stem] for number in span), truth)
    return [clips[name] for name in choose(clips, names, root)]


def _read_objects(table: Path) -> list[tuple[str, Box]]:
    """Reads the track and the box of each object in a frame."""
    try:
        found = []
        for one in ET.parse(table).getroot().iter("object"):
            left, top, right, bottom = (float(one.findtext(f"bndbox/{side}", "")) for side in ("xmin", "ymin", "xmax", "ymax"))
            found.append((one.findtext("trackid", ""), (left, top, right - left, bottom - top)))
    except (ET.ParseError, ValueError, OverflowError, LookupError) as error:
        raise DatasetError(f"{table}: expected objects with trackid and bndbox, got something else ({error})") from error
    return found
