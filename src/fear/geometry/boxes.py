"""The only box arithmetic of the package.

A box is `xywh`: left, top, width, height, in pixels of the frame; the left and upper borders of the frame are at 0, so that a box over
the whole frame is `(0, 0, W, H)`. Everything is float: a tracked object does not stand on whole pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fear.errors import BoxError

Box = tuple[float, float, float, float]
"""One box, xywh."""


def parse_box(box_xywh: Iterable[Any]) -> Box:
    """Checks what a user calls a box.

    Example:
        >>> parse_box([10, 20, 30, 40])
        (10.0, 20.0, 30.0, 40.0)

    Raises:
        BoxError: not four finite numbers, or no area.
    """
    try:
        values = tuple(float(value) for value in box_xywh)
    except (TypeError, ValueError, OverflowError) as error:
        raise BoxError(f"a box is four numbers x, y, width, height; got {box_xywh!r}") from error
    if len(values) != 4:
        raise BoxError(f"a box is four numbers x, y, width, height; got {len(values)}: {values}")
    if not all(map(math.isfinite, values)):
        raise BoxError(f"a box is four finite numbers; got {values}")
    if values[2] <= 0 or values[3] <= 0:
        raise BoxError(f"width and height of a box are above zero; got {values}")
    return values


def require_pixels(box_xywh: Box, height: int, width: int) -> None:
    """Raises BoxError where a box holds less than a pixel and looks like shares of the frame, 0 to 1."""
    x, y, w, h = box_xywh
    if min(x, y) >= 0 and max(box_xywh) <= 1 and w * h < 1:
        pixels = ",".join(f"{share * side:g}" for share, side in zip(box_xywh, (width, height) * 2, strict=True))
        raise BoxError(
            f"a box is in pixels; got {box_xywh}, which looks like shares of the frame, of {width}×{height} pixels: "
            f"multiply by width and height, which gives {pixels}"
        )


def doubt(box_xywh: Box, height: int, width: int) -> str:
    """What a box was perhaps meant to be, in one sentence; empty where nothing is odd about it.

    Args:
        box_xywh: A box that can be used.
        height: Of the frame.
        width: Of the frame.

    Example:
        >>> doubt((200.0, 100.0, 300.0, 170.0), height=180, width=320)[:61]
        'the box 200,100,300,170 reaches beyond the frame, of 320×180 '
        >>> doubt((200.0, 100.0, 100.0, 70.0), height=180, width=320)
        ''
    """
    x, y, w, h = box_xywh
    numbers = ",".join(f"{value:g}" for value in box_xywh)
    if 0 <= x < w <= width and 0 <= y < h <= height and (x + w > width + 1 or y + h > height + 1):
        meant = ",".join(f"{value:g}" for value in (x, y, w - x, h - y))
        return (
            f"the box {numbers} reaches beyond the frame, of {width}×{height} pixels; "
            f"if these are left, top, right, bottom, give left, top, width, height: {meant}"
        )
    if min(x, y) >= 0 and max(box_xywh) <= 1:
        return f"the box {numbers} is one pixel; shares of the frame are multiplied by its width, {width}, and height, {height}"
    return ""


def require_overlap(box_xywh: Box, height: int, width: int) -> None:
    """Raises BoxError where no part of a box lies in a frame of this height and width."""
    x, y, w, h = box_xywh
    if x >= width or y >= height or x + w <= 0 or y + h <= 0:
        raise BoxError(f"the box must hold a part of the frame, which is {width}×{height} pixels; got {box_xywh}")


def clip_box(box_xywh: Box, height: int, width: int) -> Box:
    """The part of a box that lies in the frame; a box that has left it becomes an empty one at the nearest border.

    Example:
        >>> clip_box((-10.0, 5.0, 30.0, 20.0), height=100, width=200)
        (0.0, 5.0, 20.0, 20.0)
    """
    x, y, w, h = box_xywh
    left, right = min(max(x, 0.0), width), min(max(x + w, 0.0), width)
    top, bottom = min(max(y, 0.0), height), min(max(y + h, 0.0), height)
    return left, top, right - left, bottom - top


def iou(a_xywh: ArrayLike, b_xywh: ArrayLike) -> NDArray[np.float64]:
    """Intersection over union of boxes, broadcast over leading axes.

    Args:
        a_xywh: (…, 4)
        b_xywh: (…, 4)

    Returns:
        (…), from 0 to 1; 0 where both boxes are empty; NaN where a box is NaN.
    """
    a, b = np.asarray(a_xywh, np.float64), np.asarray(b_xywh, np.float64)
    a_end, b_end = a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:]
    sides = np.maximum(np.minimum(a_end, b_end) - np.maximum(a[..., :2], b[..., :2]), 0)
    shared = sides[..., 0] * sides[..., 1]
    union = a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - shared
    overlap: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(union), where=union != 0)
    return overlap
