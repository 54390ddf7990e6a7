"""From a decoder's pictures to frames: upright, of one size, as planes where these can be used as they are."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorRange, ColorTrc, Interpolation, VideoReformatter

from fear.media.image import Image, scaled
from fear.media.matrices import Matrix
from fear.media.orientation import UPRIGHT, Orientation, orientation_of
from fear.media.planes import Yuv420, whole
from fear.media.source import SourceReport
from fear.media.tone import tone_mapped

_MATRICES = {1: Matrix.BT709, 5: Matrix.BT601, 6: Matrix.BT601}
_UNTOLD = 2
"""FFmpeg's numbers for how colours are coded; what says nothing is taken for standard definition, as FFmpeg does."""

_WORTH_THREADS = 1280 * 720
"""Pixels from which on a conversion is faster on several threads than it takes to wake them."""

_KEPT = threading.local()

_HIGH_DYNAMIC_RANGE = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)


class Shown(NamedTuple):
    """A picture for trackers, and how people see it where that differs."""

    picture: Image | Yuv420
    tone_mapped: Callable[[], Image] | None


class Converter:
    """Makes frames of pictures; all get the size of the first.

    Args:
        report: Gets the number of pictures that were scaled.
    """

    def __init__(self, report: SourceReport) -> None:
        self._report = report
        self._reformatter = VideoReformatter()  # kept, since setting one up takes longer than a small picture
        self._size: tuple[int, int] | None = None
        self.orientation = UPRIGHT
        """Of the first picture."""
        self._rotation: float | None = None  # degrees, of the latest picture
        self._latest = UPRIGHT

    def __call__(self, picture: av.VideoFrame) -> Shown:
        """The frame of one picture."""
        orientation = self._orientation_of(picture)
        pixels = _turned(_pixels(picture, self._reformatter), orientation)
        if self._size is None:
            self._size, self.orientation = pixels.shape[:2], orientation
        if pixels.shape[:2] != self._size:
            pixels = scaled(whole(pixels), self._size)
            self._report.scaled_pictures += 1
        if picture.color_trc not in _HIGH_DYNAMIC_RANGE:
            return Shown(pixels, None)
        return Shown(pixels, partial(_for_people, picture, orientation, self._size))

    def _orientation_of(self, picture: av.VideoFrame) -> Orientation:
        """The orientation; the display matrix is read at the first picture, and where the rotation changes.

        A picture whose side data were looked at holds itself (PyAV 18), and so stays in memory until Python collects cycles.
        """
        if picture.rotation != self._rotation:
            self._rotation, self._latest = picture.rotation, orientation_of(picture)
        return self._latest


def _pixels(picture: av.VideoFrame, reformatter: VideoReformatter) -> Image | Yuv420:
    """Planes, not copied, where parts of them can be converted: three levels from FFmpeg's RGB at most. Else FFmpeg's RGB."""
    even = picture.width % 2 == 0 and picture.height % 2 == 0
    known = picture.colorspace in _MATRICES or picture.colorspace == _UNTOLD
    if picture.format.name == "yuv420p" and even and known and picture.color_range != ColorRange.JPEG:
        y, u, v = (np.frombuffer(memoryview(p), np.uint8).reshape(p.height, p.line_size)[:, : p.width] for p in picture.planes)
        matrix = _MATRICES.get(picture.colorspace, Matrix.BT601)
        return Yuv420(y, u, v, matrix, partial(_rgb, picture) if matrix == Matrix.BT709 else None)
    threads = 1 if picture.width * picture.height < _WORTH_THREADS else 0  # 0: as many as there are cores
    return np.asarray(reformatter.reformat(picture, format="rgb24", threads=threads).to_ndarray(), np.uint8)


def _rgb(picture: av.VideoFrame) -> Image:
    """The same as `pixels.rgb_of_planes` makes of its planes, without copying these first.

    Frames are converted in any thread, so that each thread keeps a reformatter of its own.
    """
    if not hasattr(_KEPT, "reformatter"):
        _KEPT.reformatter = VideoReformatter()
    rgb = _KEPT.reformatter.reformat(picture, format="rgb24", interpolation=Interpolation.POINT, threads=1)
    return np.asarray(rgb.to_ndarray(), np.uint8)


def _turned(pixels: Image | Yuv420, orientation: Orientation) -> Image | Yuv420:
    if orientation == UPRIGHT:
        return pixels
    return np.ascontiguousarray(orientation.apply(whole(pixels)))


def _for_people(picture: av.VideoFrame, orientation: Orientation, size: tuple[int, int]) -> Image:
    image = orientation.apply(tone_mapped(picture))
    return image if image.shape[:2] == size else scaled(image, size)
