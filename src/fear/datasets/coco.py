"""COCO 2017 (Lin et al., ECCV 2014): `annotations/instances_SPLIT2017.json` and `SPLIT2017/000000000139.jpg`.

Every annotated object becomes a clip of one frame. Crowds are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fear.datasets.clip import Clip
from fear.datasets.files import choose
from fear.errors import DatasetError
from fear.parsing import parse_json


def read_coco(root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads the training split, or the validation split where it is the only one.

    Raises:
        DatasetError: There is nothing of that layout, the table is damaged, or pictures are missing.
    """
    tables = [root / "annotations" / f"instances_{split}2017.json" for split in ("train", "val")]
    table = next((path for path in tables if path.is_file()), None)
    if table is None:
        raise DatasetError(f"{root}: expected annotations/instances_train2017.json or instances_val2017.json, found none")
    pictures = root / table.stem.removeprefix("instances_")
    try:
        content = parse_json(table.read_text(encoding="utf-8"))
        files = {image["id"]: pictures / image["file_name"] for image in content["images"]}
        objects = {
            f"{files[one['image_id']].stem}-{one['id']}": (files[one["image_id"]], np.array(one["bbox"], np.float64).reshape(1, 4))
            for one in content["annotations"]
            if not one.get("iscrowd", 0)
        }
    except (ValueError, OverflowError, KeyError, TypeError) as error:
        raise DatasetError(f"{table}: expected COCO's images and annotations, got something else ({error!r})") from error
    there = {path.name for path in pictures.iterdir()} if pictures.is_dir() else set()
    missing = sorted({path.name for path, _ in objects.values()} - there)
    if missing:
        raise DatasetError(f"{pictures}: expected all annotated pictures, {len(missing)} are missing, such as {missing[0]}")
    return [Clip(name, (objects[name][0],), objects[name][1]) for name in choose(objects, names, root)]
