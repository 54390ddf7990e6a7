"""Pictures as arrays: what a frame is, and how picture files are read."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fear.errors import DatasetError, FrameError
from fear.media import pixels
from fear.media.planes import LazyPicture, whole

Image = NDArray[np.uint8]
"""A picture, RGB, (H, W, 3)."""

Colour = tuple[float, float, float]

Picture = Image | LazyPicture
"""A frame: an array, or a decoder's planes, of which only what is looked at is converted."""

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


def read_image(path: Path) -> Image:
    """A picture file as (H, W, 3) uint8 RGB; grey is spread over the channels, transparency dropped, 16 bits cut to 8.

    Raises:
        DatasetError: missing or damaged.
    """
    data = np.fromfile(path, np.uint8) if path.is_file() else None
    image = None if data is None else pixels.decode(data)
    if image is None:
        raise DatasetError(f"{path}: expected a picture, " + ("found no such file" if data is None else "got a damaged or foreign file"))
    return image


def list_images(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder in the natural order of their names."""
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and Path(entry.name).suffix.lower() in IMAGE_SUFFIXES and entry.is_file()
        ]
    return tuple(folder / name for name in sorted(names, key=natural_order))


def scaled(image: Image, size: tuple[int, int]) -> Image:
    """The picture in another size, (height, width)."""
    return pixels.shrink(image, *size)


def natural_order(name: str) -> tuple[list[str | int], str]:
    """A key that sorts names with numbers as people count: `frame_2` before `frame_10`."""
    parts = re.split(r"([0-9]+)", name)  # words and numbers take turns, so that each is compared with its kind
    return [int(part) if number % 2 else part for number, part in enumerate(parts)], name


def mean_colour(frame: Picture) -> Colour:
    """The mean of each channel: the fill for what lies outside the first frame (published code)."""
    return pixels.mean(whole(frame))


def require_frame(frame: Picture, height: int | None = None, width: int | None = None) -> None:
    """Checks what a user hands over as a frame.

    Raises:
        FrameError: not a uint8 array of (H, W, 3), or not of the given height and width.
    """
    if not isinstance(frame, np.ndarray | LazyPicture):
        raise FrameError(f"a frame is a uint8 RGB array of (H, W, 3); got {type(frame).__name__}")
    if isinstance(frame, np.ndarray) and (frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or frame.size == 0):
        raise FrameError(f"a frame is a uint8 RGB array of (H, W, 3); got {frame.dtype} of {frame.shape}")
    if height is not None and frame.shape[:2] != (height, width):
        raise FrameError(f"all frames have the size of the first, {width}×{height}; got {frame.shape[1]}×{frame.shape[0]}")
