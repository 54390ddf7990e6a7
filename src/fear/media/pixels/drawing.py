"""Drawing without OpenCV: NumPy draws rectangles and discs with smooth edges, Pillow writes text."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Point = tuple[float, float]
Ink = int | tuple[int, int, int]

_LETTERS = 29.0
"""Pixels of Pillow's font for text of size 1: its letters are as high as OpenCV's."""


def draw_outline(plane: Bytes, start: Point, end: Point, colour: Ink, thickness: int) -> None:
    """See `with_opencv.draw_outline`."""
    (left, right), (top, bottom) = (sorted(pair) for pair in zip(start, end, strict=True))
    half = (thickness + 1) / 2  # as wide as the smooth lines of OpenCV
    for x, y in (  # the bars above and below, then those at the sides between them
        ((left - half, right + half), (top - half, top + half)),
        ((left - half, right + half), (bottom - half, bottom + half)),
        ((left - half, left + half), (top + half, bottom - half)),
        ((right - half, right + half), (top + half, bottom - half)),
    ):
        _bar(plane, x, y, colour)


def _bar(plane: Bytes, x: tuple[float, float], y: tuple[float, float], colour: Ink) -> None:
    """A filled rectangle at parts of pixels: a pixel that it covers to a share takes this share of the colour."""
    columns, across = _covered(*x, plane.shape[1])
    rows, down = _covered(*y, plane.shape[0])
    _blend(plane[rows, columns], down[:, None] * across, colour)


def _covered(start: float, end: float, length: int) -> tuple[slice, Floats]:
    """Which pixels of a line an interval touches, and to which share it covers each."""
    start, end = min(max(start, 0), length), min(max(end, 0), length)
    pixels = slice(int(start), int(np.ceil(end)))
    places = np.arange(pixels.start, pixels.stop, dtype=np.float32)
    return pixels, np.clip(np.minimum(places + 1, end) - np.maximum(places, start), 0, 1).astype(np.float32)


def _blend(part: Bytes, opacity: Floats, colour: Ink) -> None:
    """Mixes a colour into a part of a picture, which is changed. (h, w) or (h, w, 3), and (h, w)."""
    weight = opacity if part.ndim == 2 else opacity[..., None]
    part[:] = np.rint(part + (np.asarray(colour, np.float32) - part) * weight)


def draw_filled(plane: Bytes, start: tuple[int, int], end: tuple[int, int], colour: Ink) -> None:
    """See `with_opencv.draw_filled`."""
    (left, right), (top, bottom) = (sorted(pair) for pair in zip(start, end, strict=True))
    plane[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)] = colour


def text_size(text: str, size: float) -> tuple[int, int, int]:
    """See `with_opencv.text_size`."""
    opacity, line = _written(text, size)
    return opacity.shape[1], line, opacity.shape[0] - line


def draw_text(plane: Bytes, text: str, place: tuple[int, int], size: float, colour: Ink) -> None:
    """See `with_opencv.draw_text`."""
    opacity, line = _written(text, size)
    left, top = place[0], place[1] - line
    rows, columns = (slice(max(first, 0), max(first + count, 0)) for first, count in ((top, opacity.shape[0]), (left, opacity.shape[1])))
    part = plane[rows, columns]
    above, before = rows.start - top, columns.start - left
    _blend(part, opacity[above : above + part.shape[0], before : before + part.shape[1]], colour)


@lru_cache(maxsize=256)
def _written(text: str, size: float) -> tuple[Floats, int]:
    """How much of each pixel a text covers, (h, w), 0 to 1, and the row on which its letters stand."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(_LETTERS * size)
    left, top, right, bottom = font.getbbox(text or " ", anchor="ls")
    high = font.getbbox("0", anchor="ls")[1]  # lines of digits and of other letters are of one height
    low = font.getbbox("g", anchor="ls")[3]
    line, below = round(-min(top, high)), round(max(bottom, low))
    canvas = Image.new("L", (max(1, round(right - min(left, 0))), line + below))
    ImageDraw.Draw(canvas).text((-min(left, 0), line), text, 255, font, anchor="ls")
    return np.asarray(canvas, np.float32) / np.float32(255), line


def disc(plane: Bytes, radius: int, colour: Ink, thickness: int | None = None, centre: tuple[int, int] | None = None) -> None:
    """See `with_opencv.disc`."""
    x, y = centre or (plane.shape[1] // 2, plane.shape[0] // 2)
    distance = np.hypot(np.arange(plane.shape[1]) - x, (np.arange(plane.shape[0]) - y)[:, None]).astype(np.float32)
    inside = radius - distance if thickness is None else thickness / 2 - np.abs(distance - radius)
    _blend(plane, np.clip(inside + np.float32(0.5), 0, 1), colour)
