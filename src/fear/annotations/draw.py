"""Boxes and scores on frames."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from fear.media.image import Image
from fear.tracking.track import Track

# one colour a target, RGB, apart in hue and light enough on dark footage
PALETTE = ((46, 204, 113), (52, 152, 219), (241, 196, 15), (231, 76, 160), (155, 89, 255), (26, 214, 214), (255, 140, 60), (190, 220, 90))
_LOST = (235, 64, 52)
_SUBPIXEL = 4  # OpenCV draws at 1/16 pixel


def draw_tracks(image: Image, tracks: Sequence[Track]) -> Image:
    """Draws a box and a score for every target on a copy of a frame. A lost target is drawn in red and marked "lost".

    Args:
        image: The frame, (H, W, 3), uint8, RGB. It is not changed.
        tracks: One track for each target. With several tracks, each box also shows the id of its target.

    Returns:
        The copy, (H, W, 3), uint8, RGB.

    Examples:
        >>> import fear, numpy
        >>> frame = numpy.zeros((120, 160, 3), numpy.uint8)
        >>> drawn = fear.draw_tracks(frame, [fear.Track((40.0, 30.0, 20.0, 20.0), score=0.97, similarity=0.9, lost=False)])
        >>> drawn.shape, bool(drawn.any()), bool(frame.any())
        ((120, 160, 3), True, False)
    """
    canvas = image.copy()
    thickness = max(1, round(min(image.shape[:2]) / 240))
    for track in tracks:
        colour = _LOST if track.lost else PALETTE[track.id % len(PALETTE)]
        x, y, w, h = track.box_xywh
        scale = 1 << _SUBPIXEL
        # +0.5 pixel in our coordinates is a pixel's centre, which OpenCV counts as 0
        corners = [tuple(round((value - 0.5) * scale) for value in corner) for corner in ((x, y), (x + w, y + h))]
        cv2.rectangle(canvas, corners[0], corners[1], colour, thickness, cv2.LINE_AA, _SUBPIXEL)
        label = "lost" if track.lost else f"{track.score:.2f}"
        _write(canvas, label if len(tracks) == 1 else f"{track.id} {label}", (x, y, h), colour)
    return canvas


def _write(canvas: Image, text: str, box: tuple[float, float, float], colour: tuple[int, int, int]) -> None:
    """A dark text on a patch of the box's colour: above the box, or below it where there is no room."""
    x, y, h = box
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.45 * max(1.0, min(canvas.shape[:2]) / 360)
    thickness = max(1, round(size))
    (width, height), base = cv2.getTextSize(text, font, size, thickness)
    left = max(0, min(round(x), canvas.shape[1] - width - 4))
    bottom = round(y) if y >= height + base + 4 else min(round(y + h) + height + base + 4, canvas.shape[0])
    cv2.rectangle(canvas, (left, bottom - height - base - 4), (left + width + 4, bottom), colour, cv2.FILLED)
    cv2.putText(canvas, text, (left + 2, bottom - base - 1), font, size, (16, 16, 16), thickness, cv2.LINE_AA)
