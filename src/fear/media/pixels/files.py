"""Picture files without OpenCV: Pillow reads and writes them."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")


def decode(data: Bytes) -> Bytes | None:
    """See `with_opencv.decode`."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged tags, which do not matter here
            with Image.open(io.BytesIO(data.tobytes()), formats=_FORMATS) as picture:
                upright = ImageOps.exif_transpose(picture)
                if upright.mode.startswith("I;16"):
                    upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
                return np.array(upright.convert("RGB"))
    except Exception:  # Pillow's readers raise errors of many kinds for damaged files
        return None


def decode_animation(data: Bytes) -> tuple[list[Bytes], list[int]] | None:
    """See `with_opencv.decode_animation`."""
    from PIL import Image, ImageSequence

    images, durations = [], []
    try:
        with Image.open(io.BytesIO(data.tobytes()), formats=_FORMATS) as animation:
            for picture in ImageSequence.Iterator(animation):
                images.append(np.array(picture.convert("RGB")))
                durations.append(int(picture.info.get("duration", 0)))
    except Exception:  # as above
        return None
    return images, durations


def is_picture(path: Path) -> bool:
    """See `with_opencv.is_picture`."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_FORMATS):
                return True
    except Exception:  # as above
        return False


def encode(image: Bytes, suffix: str, quality: int = 95) -> bytes | None:
    """See `with_opencv.encode`."""
    from PIL import Image

    content = io.BytesIO()
    Image.init()
    kind = Image.EXTENSION.get(suffix.lower())
    if kind not in _FORMATS:
        return None
    try:
        Image.fromarray(image).save(content, kind, quality=quality)
    except (OSError, ValueError):  # a side that the format cannot hold
        return None
    return content.getvalue()
