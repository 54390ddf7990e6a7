"""The rectangle of a frame that a crop shows, and the two maps between them."""

from __future__ import annotations

from typing import NamedTuple

from fear.geometry.boxes import Box

_LARGE = 96  # pixels; in the window of a smaller target half a pixel matters


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

    def whole_within(self, height: int, width: int) -> bool:
        """Whether it consists of whole pixels of a frame of this height and width."""
        whole = all(float(value).is_integer() for value in self)
        return whole and min(self.x, self.y) >= 0 and self.x + self.width <= width and self.y + self.height <= height

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
