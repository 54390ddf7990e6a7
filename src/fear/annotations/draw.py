"""Boxes and scores on frames, in RGB or directly on a decoder's planes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, overload

from fear.geometry.boxes import Box
from fear.media import pixels
from fear.media.colours import code, split
from fear.media.image import Image, Picture, require_frame
from fear.media.planes import Yuv420, whole
from fear.tracking.track import Track

Rgb = tuple[int, int, int]

# one colour a target, RGB, apart in hue and light enough on dark footage
PALETTE: tuple[Rgb, ...] = (
    (46, 204, 113),
    (52, 152, 219),
    (241, 196, 15),
    (231, 76, 160),
    (155, 89, 255),
    (26, 214, 214),
    (255, 140, 60),
    (190, 220, 90),
)
_LOST: Rgb = (235, 64, 52)
_INK: Rgb = (16, 16, 16)


@overload
def draw_tracks(image: Yuv420, tracks: Sequence[Track]) -> Yuv420: ...


@overload
def draw_tracks(image: Image, tracks: Sequence[Track]) -> Image: ...


@overload
def draw_tracks(image: Picture, tracks: Sequence[Track]) -> Image | Yuv420: ...


def draw_tracks(image: Picture, tracks: Sequence[Track]) -> Image | Yuv420:
    """Draws a box and a score for every target on a copy of a frame. A lost target is drawn in red and marked "lost".

    Args:
        image: The frame, (H, W, 3), uint8, RGB, or planes, which are drawn on as they are: that saves the way to RGB and back. It is not
            changed.
        tracks: One track for each target. Where there are several targets, or were, each box also shows the id of its target.

    Returns:
        The copy, (H, W, 3), of the kind that was given.

    Raises:
        FrameError: The frame is not such a picture.

    Examples:
        >>> import fear, numpy
        >>> frame = numpy.zeros((120, 160, 3), numpy.uint8)
        >>> drawn = fear.draw_tracks(frame, [fear.Track((40.0, 30.0, 20.0, 20.0), score=0.97, similarity=0.9, lost=False)])
        >>> drawn.shape, bool(drawn.any()), bool(frame.any())
        ((120, 160, 3), True, False)
    """
    require_frame(image)
    canvas: _Canvas = _PlaneCanvas(image) if isinstance(image, Yuv420) else _RgbCanvas(whole(image).copy())
    side = min(image.shape[:2])
    several = len(tracks) > 1 or any(track.id > 0 for track in tracks)
    for track in tracks:
        if not all(map(math.isfinite, track.box_xywh)):
            continue  # there is no place to draw at
        colour = _LOST if track.lost else PALETTE[track.id % len(PALETTE)]
        x, y, w, h = _near(track.box_xywh, image.shape[0], image.shape[1])
        canvas.frame((x, y), (x + w, y + h), colour, max(1, round(side / 240)))
        label = "lost" if track.lost else f"{track.score:.2f}"
        _write(canvas, f"{track.id} {label}" if several else label, (x, y, h), colour)
    return canvas.picture


def _near(box_xywh: Box, height: int, width: int) -> Box:
    """The box, cut off far outside of the frame, where nobody sees it: OpenCV refuses huge numbers."""
    x, y, w, h = box_xywh
    (left, right), (top, bottom) = (
        (min(max(start, -size), 2.0 * size), min(max(start + length, -size), 2.0 * size))
        for start, length, size in ((x, w, width), (y, h, height))
    )
    return left, top, right - left, bottom - top


def _write(canvas: _Canvas, text: str, box: tuple[float, float, float], colour: Rgb) -> None:
    """A dark text on a patch of the box's colour: above the box, or below it where there is no room."""
    x, y, h = box
    rows, columns, _ = canvas.picture.shape
    size = 0.45 * max(1.0, min(rows, columns) / 360)
    width, height, base = pixels.text_size(text, size)
    left = max(0, min(round(x), columns - width - 4))
    bottom = round(y) if y >= height + base + 4 else min(round(y + h) + height + base + 4, rows)
    canvas.fill((left, bottom - height - base - 4), (left + width + 4, bottom), colour)
    canvas.write(text, (left + 2, bottom - base - 1), size)


class _Canvas(Protocol):
    """What can be drawn on. Places are (x, y) in pixels of the frame."""

    @property
    def picture(self) -> Image | Yuv420:
        """The frame with everything that was drawn."""

    def frame(self, start: tuple[float, float], end: tuple[float, float], colour: Rgb, thickness: int) -> None:
        """The outline of a rectangle, at parts of pixels."""

    def fill(self, start: tuple[int, int], end: tuple[int, int], colour: Rgb) -> None:
        """A filled rectangle."""

    def write(self, text: str, place: tuple[int, int], size: float) -> None:
        """Dark text."""


class _RgbCanvas:
    """Draws on an RGB picture, which is changed."""

    def __init__(self, image: Image) -> None:
        self.picture: Image = image

    def frame(self, start: tuple[float, float], end: tuple[float, float], colour: Rgb, thickness: int) -> None:
        pixels.draw_outline(self.picture, start, end, colour, thickness)

    def fill(self, start: tuple[int, int], end: tuple[int, int], colour: Rgb) -> None:
        pixels.draw_filled(self.picture, start, end, colour)

    def write(self, text: str, place: tuple[int, int], size: float) -> None:
        pixels.draw_text(self.picture, text, place, size, _INK)


class _PlaneCanvas:
    """Draws on a copy of planes: brightness at full resolution, colours at half of it."""

    def __init__(self, picture: Yuv420) -> None:
        self._y, self._u, self._v = split(picture.packed())
        self.picture = Yuv420(self._y, self._u, self._v, picture.matrix)

    def frame(self, start: tuple[float, float], end: tuple[float, float], colour: Rgb, thickness: int) -> None:
        y, u, v = code(colour, self.picture.matrix)
        pixels.draw_outline(self._y, start, end, y, thickness)
        half = tuple((x / 2, row / 2) for x, row in (start, end))
        for plane, value in ((self._u, u), (self._v, v)):
            pixels.draw_outline(plane, half[0], half[1], value, (thickness + 1) // 2)

    def fill(self, start: tuple[int, int], end: tuple[int, int], colour: Rgb) -> None:
        y, u, v = code(colour, self.picture.matrix)
        pixels.draw_filled(self._y, start, end, y)
        half = tuple((x // 2, row // 2) for x, row in (start, end))
        for plane, value in ((self._u, u), (self._v, v)):
            pixels.draw_filled(plane, half[0], half[1], value)

    def write(self, text: str, place: tuple[int, int], size: float) -> None:
        y, _, _ = code(_INK, self.picture.matrix)
        pixels.draw_text(self._y, text, place, size, y)
