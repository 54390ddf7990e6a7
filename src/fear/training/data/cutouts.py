"""Objects that are cut out of pictures along their masks, and pasted into crops.

A mask gives the exact outline, so a pasted object has no frame of its old background that a network could learn to look for. Its edge is
made soft, as the edges of objects in pictures are.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fear.errors import DatasetError
from fear.geometry.boxes import Box
from fear.media.image import Image, read_image
from fear.parsing import parse_json

_LEAST = 24  # pixels of a side: smaller objects are a blur when they are enlarged
_LARGEST = 160  # pixels of a side in memory; crops show targets at about 51 pixels in searches and 85 in templates
_MARGIN = 3  # pixels around an object that its soft edge may reach
_SOFTNESS = 0.8  # pixels of the crop, the spread of the blur along the outline


class Cutout(NamedTuple):
    """An object that can be pasted."""

    picture: Path
    mask: Path
    """Grey picture of the same size, 255 on the object."""
    box_xywh: Box
    """Around the object, in pixels of the picture."""
    kind: str
    """What it is, in the words of its data set."""

    @property
    def aspect(self) -> float:
        """Width to height."""
        return self.box_xywh[2] / self.box_xywh[3]


class Paste(NamedTuple):
    """One object in one crop."""

    number: int
    """The number of the cut-out."""
    box_xywh: Box
    """Where its box lies, in pixels of the crop; it may reach over the border."""
    flip: bool
    """Left and right change places."""
    gain: tuple[float, float, float]
    """Factors of red, green and blue."""


def read_cutouts(root: Path) -> list[Cutout]:
    """Reads the objects with masks of a folder of the layout `images`, from its `sources.json`.

    Raises:
        DatasetError: no such table, or no object with a mask in it.
    """
    table = root / "sources.json"
    try:
        found = [cutout for entry in parse_json(table.read_text(encoding="utf-8")) for cutout in _cutouts_of(root, entry)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{table}: expected objects with file, boxes, masks and kinds ({error})") from error
    if not found:
        raise DatasetError(f"{table}: expected objects with masks, found none")
    return found


def _cutouts_of(root: Path, entry: Mapping[str, Any]) -> Iterator[Cutout]:
    """The objects of one picture that are large enough; none where its table entry has no masks."""
    if len(entry.get("masks", ())) == len(entry["boxes"]) == len(entry.get("kinds", ())):
        for (x, y, w, h), mask, kind in zip(entry["boxes"], entry["masks"], entry["kinds"], strict=True):
            if min(w, h) >= _LEAST:
                yield Cutout(root / entry["file"], root / mask, (x, y, w, h), kind)


class Cutouts:
    """A collection of objects, read when they are first needed and then kept.

    Args:
        items: The objects; their order gives them their numbers.
    """

    def __init__(self, items: list[Cutout]) -> None:
        self.items = items
        self.by_kind: dict[str, list[int]] = defaultdict(list)
        for number, item in enumerate(items):
            self.by_kind[item.kind].append(number)
        self._object = lru_cache(maxsize=None)(self._read)

    def paste(self, image: Image, pastes: tuple[Paste, ...]) -> Image:
        """The crop with the objects on it, in order.

        Args:
            image: (side, side, 3); it is not changed.
            pastes: What to paste where.
        """
        pasted = image.copy()
        for one in pastes:
            x, y, w, h = one.box_xywh
            left, top = max(math.floor(x) - _MARGIN, 0), max(math.floor(y) - _MARGIN, 0)
            right, bottom = min(math.ceil(x + w) + _MARGIN, image.shape[1]), min(math.ceil(y + h) + _MARGIN, image.shape[0])
            if left >= right or top >= bottom:
                continue
            placed = self._placed(one, (left, top), (right - left, bottom - top))
            below = pasted[top:bottom, left:right].astype(np.float32)
            gained = placed[:, :, :3] * np.array(one.gain, np.float32)
            pasted[top:bottom, left:right] = (gained + (1 - placed[:, :, 3:] / 255) * below).clip(0, 255).round()
        return pasted

    def _placed(self, paste: Paste, corner: tuple[int, int], size: tuple[int, int]) -> NDArray[np.float32]:
        """Colours times opacity, and opacity, of an object in a part of a crop: (height, width, 4), 0 to 255.

        Args:
            paste: The object and its place.
            corner: Left and top of the part, in pixels of the crop.
            size: Width and height of the part.
        """
        rgba = self._object(paste.number)
        if paste.flip:
            rgba = np.ascontiguousarray(rgba[:, ::-1])
        x, y, width, height = paste.box_xywh
        small = min(rgba.shape[1], max(1, round(width))), min(rgba.shape[0], max(1, round(height)))
        if small != (rgba.shape[1], rgba.shape[0]):  # averaged first: a warp would skip pixels
            rgba = np.asarray(cv2.resize(rgba, small, interpolation=cv2.INTER_AREA), np.float32)
        across, down = width / rgba.shape[1], height / rgba.shape[0]
        # pixel centres are at +0.5 in both, as in `fear.media.crop`
        matrix = np.array(((across, 0.0, x - corner[0] + across / 2 - 0.5), (0.0, down, y - corner[1] + down / 2 - 0.5)))
        placed = cv2.warpAffine(rgba, matrix, size, flags=cv2.INTER_LINEAR)
        return cv2.GaussianBlur(placed, (5, 5), _SOFTNESS)  # type: ignore[return-value]

    def _read(self, number: int) -> NDArray[np.float32]:
        """Red, green, blue, each times opacity, and opacity, of the object's box: (H, W, 4), 0 to 255."""
        item = self.items[number]
        picture, mask = read_image(item.picture), read_image(item.mask)[:, :, :1]
        x, y, w, h = item.box_xywh
        top, left, bottom, right = round(y), round(x), round(y + h), round(x + w)
        opacity = mask[top:bottom, left:right].astype(np.float32)
        rgba = np.concatenate((picture[top:bottom, left:right] * (opacity / 255), opacity), axis=2).astype(np.float32)
        scale = _LARGEST / max(rgba.shape[:2])
        return cv2.resize(rgba, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else rgba  # type: ignore[return-value]


def lose_detail(image: Image, share: float) -> Image:
    """The crop as a target looks that has few pixels: shrunk to this share of its side and enlarged again.

    Args:
        image: (side, side, 3)
        share: Above 0; from 1 on the crop stays as it is.
    """
    side = image.shape[0]
    small = max(4, round(side * share))
    if small >= side:
        return image
    reduced = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    return cv2.resize(reduced, (side, side), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
