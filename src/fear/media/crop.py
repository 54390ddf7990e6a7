"""From frame and box to a square crop, and the map back.

A crop shows a rectangle of the frame, stretched to a square: width and height scale apart (published code). One affine warp samples
it at exact float positions, or one resize where these are whole pixels; what lies outside the frame gets a fill colour. Coordinates are
those of `boxes`: a pixel's centre is at +0.5.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from fear.geometry.window import Window
from fear.media.image import Colour, Image
from fear.media.planes import Yuv420

_MARGIN = 2  # pixels around a window that bilinear resampling may touch


def crop(frame: Image | Yuv420, window: Window, size: int, fill: Colour, out: Image | None = None) -> Image:
    """Resamples a window of the frame, bilinear.

    Args:
        frame: (H, W, 3), or planes, of which the part around the window alone is converted.
        window: What to show; it may lie partly or wholly outside the frame.
        size: Side of the crop in pixels.
        fill: Colour of what lies outside.
        out: (size, size, 3), written and returned where given; it must be contiguous.

    Returns:
        (size, size, 3)
    """
    if isinstance(frame, Yuv420):
        frame, window = _part_around(frame, window)
    if window.whole_within(*frame.shape[:2]):
        x, y, width, height = map(int, window)
        return cv2.resize(frame[y : y + height, x : x + width], (size, size), dst=out, interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
    across, down = window.width / size, window.height / size
    # crop pixel u has its centre at u + 0.5; the frame pixel that it shows is counted from its own centre, hence both halves
    crop_to_frame = np.array(((across, 0.0, window.x + across / 2 - 0.5), (0.0, down, window.y + down / 2 - 0.5)))
    return cv2.warpAffine(  # type: ignore[return-value]
        frame,
        crop_to_frame,
        (size, size),
        dst=out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )


def _part_around(frame: Yuv420, window: Window) -> tuple[Image, Window]:
    """The part of a frame that the window and its margin show, and the window in that part's coordinates."""
    height, width, _ = frame.shape
    left, top = max(math.floor(window.x) - _MARGIN, 0), max(math.floor(window.y) - _MARGIN, 0)
    right = min(math.ceil(window.x + window.width) + _MARGIN, width)
    bottom = min(math.ceil(window.y + window.height) + _MARGIN, height)
    if left >= right or top >= bottom:  # it lies outside, as it does of any part
        left, top, right, bottom = 0, 0, 1, 1
    return frame.part(left, top, right, bottom), window._replace(x=window.x - left, y=window.y - top)
