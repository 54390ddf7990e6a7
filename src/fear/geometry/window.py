"""The rectangle of a frame that a crop shows, and the maps between both.

A crop is a square; a window may be any rectangle, so width and height scale apart (published code).
"""

from __future__ import annotations

from typing import NamedTuple

from fear.geometry.boxes import Box

_LARGE = 96  # pixels; in the window of a smaller target half a pixel matters


class Window(NamedTuple):
    """What a crop shows, and how large the crop is."""

    x: float
    """Left border in pixels of the frame, as the next three."""
    y: float
    width: float
    height: float
    side: int
    """Side of the crop in pixels."""

    def on_pixels(self) -> Window:
        """The nearest window of whole pixels, which is resampled in a third of the time; a small window stays as it is."""
        if min(self.width, self.height) < _LARGE:
            return self
        x, y = round(self.x), round(self.y)
        return Window(x, y, round(self.x + self.width) - x, round(self.y + self.height) - y, self.side)

    def whole_within(self, height: int, width: int) -> bool:
        """Whether the window consists of whole pixels of a frame of this height and width."""
        rectangle = self.x, self.y, self.width, self.height
        whole = all(float(value).is_integer() for value in rectangle)
        return whole and min(self.x, self.y) >= 0 and self.x + self.width <= width and self.y + self.height <= height

    def to_frame(self, box_xywh: Box) -> Box:
        """Maps a box of the crop to the frame."""
        x, y, w, h = box_xywh
        across, down = self.width / self.side, self.height / self.side
        return self.x + x * across, self.y + y * down, w * across, h * down

    def to_crop(self, box_xywh: Box) -> Box:
        """Maps a box of the frame to the crop."""
        x, y, w, h = box_xywh
        across, down = self.side / self.width, self.side / self.height
        return (x - self.x) * across, (y - self.y) * down, w * across, h * down


def window_around(box_xywh: Box, context: float, side: int) -> Window:
    """The window that adds `context` times the size of a box on every side.

    Example:
        >>> window_around((10, 10, 20, 20), context=2.0, side=256)
        Window(x=-30.0, y=-30.0, width=100.0, height=100.0, side=256)
    """
    x, y, w, h = box_xywh
    return Window(x - context * w, y - context * h, w * (1 + 2 * context), h * (1 + 2 * context), side)
