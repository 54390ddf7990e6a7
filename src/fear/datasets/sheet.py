"""A sheet of pictures that shows tracks: one row for each, with crops over time, so that people see at a glance what was followed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fear.errors import DatasetError
from fear.geometry.window import Window
from fear.media import pixels
from fear.media.image import Image
from fear.weights.store import written_whole

_SIDE = 120
_CROPS = 8
_AROUND = 2.0  # side of what a crop shows to the longer side of the box
_HEAD = 22
_GROUND, _INK, _BOX = (24, 24, 24), (235, 235, 235), (46, 204, 113)


class Strip(NamedTuple):
    """One row of a sheet."""

    title: str
    crops: list[Image]
    """Drawn already, each (`_SIDE`, `_SIDE`, 3)."""


def draw_strip(title: str, images: Sequence[Image], boxes_xywh: NDArray[np.float64], scores: NDArray[np.float64]) -> Strip:
    """Draws one row.

    Args:
        title: Stands above it.
        images: The F frames of the clip.
        boxes_xywh: (F, 4)
        scores: (F,), written below the crops.
    """
    moments = np.unique(np.linspace(0, len(images) - 1, _CROPS).round().astype(int)).tolist()
    return Strip(title, [_crop(images[moment], boxes_xywh[moment], f"{moment}  {scores[moment]:.2f}") for moment in moments])


def write_sheet(strips: Sequence[Strip], path: Path) -> None:
    """Writes all rows as one picture.

    Raises:
        DatasetError: The picture cannot be written, such as for another suffix than `.png`.
    """
    width = _SIDE * _CROPS
    rows = [_row(strip, width) for strip in strips] or [_text(_HEAD, width, "nothing could be followed")]
    content = pixels.encode(np.concatenate(rows), path.suffix or ".png")
    if content is None:
        raise DatasetError(f"{path}: expected a picture of {len(strips)} rows that can be written")
    with written_whole(path) as unfinished:
        unfinished.write_bytes(content)


def _row(strip: Strip, width: int) -> Image:
    crops = np.concatenate(strip.crops, axis=1)
    rest = np.full((_SIDE, width - crops.shape[1], 3), _GROUND, np.uint8)
    return np.concatenate((_text(_HEAD, width, strip.title), np.concatenate((crops, rest), axis=1)))


def _text(height: int, width: int, text: str) -> Image:
    canvas = np.full((height, width, 3), _GROUND, np.uint8)
    shown = text.encode("ascii", "replace").decode()  # OpenCV's letters are those of ASCII
    pixels.draw_text(canvas, shown, (4, height - 7), 0.45, _INK)
    return canvas


def _crop(image: Image, box: NDArray[np.float64], text: str) -> Image:
    x, y, w, h = box.tolist()
    side = max(w, h, 4.0) * _AROUND
    scale = _SIDE / side
    left, top = x + w / 2 - side / 2, y + h / 2 - side / 2
    crop = pixels.cut(image, Window(left, top, side, side, _SIDE), _GROUND)
    first, second = ((x - left) * scale, (y - top) * scale), ((x + w - left) * scale, (y + h - top) * scale)
    pixels.draw_outline(crop, first, second, _BOX, 1)
    pixels.draw_filled(crop, (0, _SIDE - 14), (_SIDE, _SIDE), _GROUND)
    pixels.draw_text(crop, text, (3, _SIDE - 4), 0.36, _INK)
    return crop
