"""Pictures whose colours are computed only where somebody looks.

A decoder gives brightness and colour planes; a tracker looks at a few boxes of them. Turning whole frames into RGB costs half a millisecond
and more of a core for 720p, beside a decoder that needs all it can get, so frames travel as they come out of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fear.media import pixels
from fear.media.colours import split
from fear.media.matrices import Matrix

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class LazyPicture(ABC):
    """A picture whose RGB values are computed only where somebody looks.

    Args:
        height: In pixels.
        width: In pixels.
    """

    def __init__(self, height: int, width: int) -> None:
        self.shape: tuple[int, int, int] = (height, width, 3)
        """(H, W, 3), as of the same picture in RGB."""

    @abstractmethod
    def part(self, left: int, top: int, right: int, bottom: int) -> Bytes:
        """The RGB values between these borders, which lie within the picture: (bottom - top, right - left, 3), uint8.

        Each pixel is what it is in a conversion of the whole.
        """

    @abstractmethod
    def brightness(self, rows: slice, columns: slice) -> Floats:
        """Brightness where these rows and columns cross: (number of rows, number of columns), 0 to 255."""


class Bgr(LazyPicture):
    """A picture whose channels stand in the order blue, green, red, as OpenCV gives them.

    Args:
        image: (H, W, 3), uint8.
    """

    def __init__(self, image: Bytes) -> None:
        super().__init__(image.shape[0], image.shape[1])
        self._image = image

    def part(self, left: int, top: int, right: int, bottom: int) -> Bytes:
        """See `LazyPicture.part`."""
        return np.ascontiguousarray(self._image[top:bottom, left:right, ::-1])

    def brightness(self, rows: slice, columns: slice) -> Floats:
        """See `LazyPicture.brightness`."""
        return brightness(self._image, rows, columns)


class Yuv420(LazyPicture):
    """A frame as nearly all video holds it: brightness for every pixel, colours for every second one in both directions.

    Args:
        y: (H, W), both even.
        u: (H/2, W/2)
        v: (H/2, W/2)
        matrix: How the colours are coded; the range is limited.
        rgb: A faster way to the same picture in RGB, where there is one.
    """

    def __init__(self, y: Bytes, u: Bytes, v: Bytes, matrix: Matrix = Matrix.BT601, rgb: Callable[[], Bytes] | None = None) -> None:
        super().__init__(y.shape[0], y.shape[1])
        self._y, self._u, self._v = y, u, v
        self.matrix = matrix
        self._rgb = rgb

    def part(self, left: int, top: int, right: int, bottom: int) -> Bytes:
        """See `LazyPicture.part`."""
        if self._rgb is not None and (left, top, right, bottom) == (0, 0, self.shape[1], self.shape[0]):
            return self._rgb()
        x, y = left // 2, top // 2
        width, height = (right + 1) // 2 - x, (bottom + 1) // 2 - y  # of the colours
        brightness = self._y[2 * y : 2 * (y + height), 2 * x : 2 * (x + width)]
        u, v = (plane[y : y + height, x : x + width] for plane in (self._u, self._v))
        rgb = pixels.rgb_of_planes(brightness, u, v, self.matrix)
        return rgb[top - 2 * y : bottom - 2 * y, left - 2 * x : right - 2 * x]

    def brightness(self, rows: slice, columns: slice) -> Floats:
        """See `LazyPicture.brightness`; the plane's own values, whatever their range."""
        return self._y[rows, columns].astype(np.float32)

    def packed(self) -> Bytes:
        """A copy of the three planes behind each other, (3·H/2, W), as encoders take them."""
        height, width, _ = self.shape
        packed = np.empty((height * 3 // 2, width), np.uint8)
        for part, plane in zip(split(packed), (self._y, self._u, self._v), strict=True):
            part[:] = plane
        return packed


def whole(picture: Bytes | LazyPicture) -> Bytes:
    """All of it in RGB, (H, W, 3)."""
    return picture if isinstance(picture, np.ndarray) else picture.part(0, 0, picture.shape[1], picture.shape[0])


def brightness(picture: Bytes | LazyPicture, rows: slice, columns: slice) -> Floats:
    """Brightness where these rows and columns of a picture cross, see `LazyPicture.brightness`."""
    if isinstance(picture, LazyPicture):
        return picture.brightness(rows, columns)
    mean: Floats = picture[rows, columns].mean(axis=2, dtype=np.float32)
    return mean
