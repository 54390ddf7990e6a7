"""From frame and box to a square crop, and the map back.

A crop shows a rectangle of the frame, stretched to a square: width and height scale apart (published code). One affine warp samples
it at exact float positions, or one resize where these are whole pixels; what lies outside the frame gets a fill colour. Coordinates are
those of `boxes`: a pixel's centre is at +0.5.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fear.boxes import Box
from fear.config import NetworkConfig, TrackerConfig
from fear.errors import FrameError
from fear.pixels import Yuv420, whole

Image = NDArray[np.uint8]
"""A picture, RGB, (H, W, 3)."""

Colour = tuple[float, float, float]


_MARGIN = 2  # pixels around a window that bilinear resampling may touch
_LARGE = 96  # pixels; to the window of a smaller target half a pixel matters


class Window(NamedTuple):
    """The rectangle of the frame that a crop shows; frame pixels, float."""

    x: float
    y: float
    width: float
    height: float

    def on_pixels(self) -> Window:
        """The nearest window of whole pixels; inside a frame it is resampled in a third of the time. Small windows stay as they are."""
        if min(self.width, self.height) < _LARGE:
            return self
        x, y = round(self.x), round(self.y)
        return Window(x, y, round(self.x + self.width) - x, round(self.y + self.height) - y)

    def whole_within(self, frame: Image) -> bool:
        """Whether it consists of whole pixels of that frame."""
        whole = all(float(value).is_integer() for value in self)
        return whole and min(self.x, self.y) >= 0 and self.x + self.width <= frame.shape[1] and self.y + self.height <= frame.shape[0]

    def to_frame(self, box_xywh: Box, size: int) -> Box:
        """A box of the crop, whose side is `size` pixels, as a box of the frame."""
        x, y, w, h = box_xywh
        across, down = self.width / size, self.height / size
        return self.x + x * across, self.y + y * down, w * across, h * down

    def to_crop(self, box_xywh: Box, size: int) -> Box:
        """A box of the frame as a box of the crop, whose side is `size` pixels."""
        x, y, w, h = box_xywh
        across, down = size / self.width, size / self.height
        return (x - self.x) * across, (y - self.y) * down, w * across, h * down


def window_around(box_xywh: Box, context: float) -> Window:
    """The box with `context` times its size added on every side.

    Example:
        >>> window_around((10, 10, 20, 20), context=2.0)
        Window(x=-30.0, y=-30.0, width=100.0, height=100.0)
    """
    x, y, w, h = box_xywh
    return Window(x - context * w, y - context * h, w * (1 + 2 * context), h * (1 + 2 * context))


def template_window(box_xywh: Box, rules: TrackerConfig) -> Window:
    """What the template crop shows."""
    return window_around(box_xywh, rules.template_context)


def search_side(rules: TrackerConfig, network: NetworkConfig, calm: bool = False) -> int:
    """Side of the search crop in pixels; that of calm targets may be smaller."""
    side = min(rules.search_size, network.search_size)
    if not calm or rules.calm_search_size is None:
        return side
    return min(side, max(rules.calm_search_size, network.least_search_size))


def search_window(box_xywh: Box, rules: TrackerConfig, network: NetworkConfig, calm: bool = False) -> Window:
    """What the search crop shows: the middle of the whole context, at the scale that the network is used to."""
    x, y, width, height = window_around(box_xywh, rules.search_context)
    share = search_side(rules, network, calm) / network.search_size
    return Window(x + width * (1 - share) / 2, y + height * (1 - share) / 2, width * share, height * share)


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
    if window.whole_within(frame):
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


def mean_colour(frame: Image | Yuv420) -> Colour:
    """The mean of each channel: the fill for what lies outside the first frame (published code)."""
    red, green, blue, _ = cv2.mean(whole(frame))
    return red, green, blue


def require_frame(frame: Image | Yuv420, height: int | None = None, width: int | None = None) -> None:
    """Checks what a user hands over as a frame.

    Raises:
        FrameError: not a uint8 array of (H, W, 3), or not of the given height and width.
    """
    if not isinstance(frame, np.ndarray | Yuv420):
        raise FrameError(f"a frame is a uint8 RGB array of (H, W, 3); got {type(frame).__name__}")
    if isinstance(frame, np.ndarray) and (frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or frame.size == 0):
        raise FrameError(f"a frame is a uint8 RGB array of (H, W, 3); got {frame.dtype} of {frame.shape}")
    if height is not None and frame.shape[:2] != (height, width):
        raise FrameError(f"all frames have the size of the first, {width}×{height}; got {frame.shape[1]}×{frame.shape[0]}")
