"""Readers of data sets, by the name of their layout."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fear.datasets.clip import Clip, Reader
from fear.datasets.coco import read_coco
from fear.datasets.folder import read_folder
from fear.datasets.got10k import read_got10k
from fear.datasets.imagenet_vid import read_imagenet_vid
from fear.datasets.lasot import read_lasot
from fear.datasets.manifest import read_manifest
from fear.datasets.nfs import read_nfs
from fear.datasets.otb import read_otb
from fear.datasets.pictures import read_clips, read_images
from fear.datasets.trackingnet import read_trackingnet
from fear.datasets.uav123 import read_uav123
from fear.datasets.youtube_bb import read_youtube_bb
from fear.errors import DatasetError

__all__ = ["READERS", "Clip", "read"]

READERS: dict[str, Reader] = {
    "clips": read_clips,
    "coco": read_coco,
    "folder": read_folder,
    "got10k": read_got10k,
    "imagenet_vid": read_imagenet_vid,
    "images": read_images,
    "lasot": read_lasot,
    "manifest": read_manifest,
    "nfs": read_nfs,
    "otb": read_otb,
    "trackingnet": read_trackingnet,
    "uav123": read_uav123,
    "youtube_bb": read_youtube_bb,
}


def read(dataset: str, root: Path, names: Iterable[str] | None = None) -> list[Clip]:
    """Reads the clips of a data set.

    Args:
        dataset: Name of the layout, one of `READERS`.
        root: Folder of the data set.
        names: Clips to read; None reads all of them.

    Raises:
        DatasetError: The name is unknown, or the folder has another layout.
    """
    if dataset not in READERS:
        raise DatasetError(f"dataset: expected one of {', '.join(READERS)}; got {dataset!r}")
    try:
        return READERS[dataset](root, names)
    except OSError as error:  # a name that no file can have, a folder without permission
        raise DatasetError(f"{error.filename or root}: expected to read a part of this data set ({error.strerror or error})") from error
