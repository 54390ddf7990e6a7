"""From frame and box to a square crop, and the map back.

A crop shows a rectangle of the frame, stretched to a square: width and height scale apart (published code). It is sampled at exact float
positions, and what lies outside the frame gets a fill colour. Coordinates are those of `boxes`: a pixel's centre is at +0.5.
"""

from __future__ import annotations

import math

from fear.geometry.window import Window
from fear.media import pixels
from fear.media.image import Colour, Image, Picture
from fear.media.planes import LazyPicture

_MARGIN = 2  # pixels around a window that bilinear resampling may touch


def crop(frame: Picture, window: Window, fill: Colour, out: Image | None = None) -> Image:
    """Resamples a window of the frame, bilinear.

    Args:
        frame: (H, W, 3), or planes, of which the part around the window alone is converted.
        window: What to show, and the side S of the crop; it may lie partly or wholly outside the frame.
        fill: Colour of what lies outside.
        out: (S, S, 3), contiguous; it is written and returned where it is given.

    Returns:
        (S, S, 3)
    """
    part, window = _part_around(frame, window)
    return pixels.cut(part, window, fill, out)


def _part_around(frame: Picture, window: Window) -> tuple[Image, Window]:
    """The part of a frame that the window and its margin show, and the window in that part's coordinates.

    Arrays are cut, too: so their crops equal those of other pictures to the last bit, since OpenCV rounds places by their distance from the
    corner.
    """
    height, width, _ = frame.shape
    left, top = max(math.floor(window.x) - _MARGIN, 0), max(math.floor(window.y) - _MARGIN, 0)
    right = min(math.ceil(window.x + window.width) + _MARGIN, width)
    bottom = min(math.ceil(window.y + window.height) + _MARGIN, height)
    if left >= right or top >= bottom:  # it lies outside, as it does of any part
        left, top, right, bottom = 0, 0, 1, 1
    part = frame.part(left, top, right, bottom) if isinstance(frame, LazyPicture) else frame[top:bottom, left:right]
    return part, window._replace(x=window.x - left, y=window.y - top)
