"""One sequence of a data set: frames on disk and the true boxes, for training and evaluation alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fear.crop import Image
from fear.errors import DatasetError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, slots=True)
class Sequence:
    """A video with one labelled target.

    Attributes:
        name: Unique in its data set.
        frames: Picture files in order.
        boxes_xywh: (F, 4), 0-based pixels; NaN where the target is absent.
        attributes: What makes it hard, in the data set's own words, where it tells.
    """

    name: str
    frames: tuple[Path, ...]
    boxes_xywh: NDArray[np.float64]
    attributes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.boxes_xywh.shape != (len(self.frames), 4):
            raise DatasetError(f"{self.name}: expected one box for each of {len(self.frames)} frames, got boxes of {self.boxes_xywh.shape}")

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def visible(self) -> NDArray[np.bool_]:
        """(F,), where the target has a box."""
        return np.asarray(np.isfinite(self.boxes_xywh).all(axis=1))

    def cut(self, frames: int | None) -> Sequence:
        """The first frames of this sequence; all where None."""
        return self if frames is None else Sequence(self.name, self.frames[:frames], self.boxes_xywh[:frames], self.attributes)


def read_image(path: Path) -> Image:
    """A picture file as (H, W, 3) uint8 RGB; grey is spread over the channels, transparency dropped, 16 bits cut to 8.

    Raises:
        DatasetError: missing or damaged.
    """
    data = np.fromfile(path, np.uint8) if path.is_file() else None
    image = None if data is None or data.size == 0 else cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise DatasetError(f"{path}: expected a picture, " + ("found no such file" if data is None else "got a damaged or foreign file"))
    return image  # type: ignore[return-value]


def list_images(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder in name order."""
    return tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")))


def read_boxes(path: Path) -> NDArray[np.float64]:
    """A text file with one `x,y,w,h` line a frame; commas, tabs or spaces; `nan` where the target is absent → (F, 4).

    Raises:
        DatasetError: missing, or a line without four numbers; the message names the line.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: expected a file of boxes, found nothing there")
    boxes = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values = [float(value) for value in line.replace(",", " ").split()]
        except ValueError as error:
            raise DatasetError(f"{path}, line {number}: expected x,y,w,h, got {line!r}") from error
        if len(values) != 4:
            raise DatasetError(f"{path}, line {number}: expected four numbers, got {len(values)}: {line!r}")
        boxes.append(values)
    return np.array(boxes, np.float64).reshape(-1, 4)


def read_flags(path: Path, count: int) -> NDArray[np.bool_]:
    """A text file of zeros and ones, one a frame, apart by commas or lines → (F,).

    Raises:
        DatasetError: other values, or another number of them.
    """
    values = path.read_text(encoding="utf-8").replace(",", " ").split()
    if len(values) != count or not set(values) <= {"0", "1"}:
        raise DatasetError(f"{path}: expected {count} flags 0 or 1, got {len(values)}: {', '.join(values[:6])} …")
    return np.array([value == "1" for value in values])


def first_box_only(boxes_xywh: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The truth of a test set, which tells the first box alone, with NaN for the other frames; other truth as it is."""
    if len(boxes_xywh) != 1 or count <= 1:
        return boxes_xywh
    return np.concatenate((boxes_xywh, np.full((count - 1, 4), np.nan)))


def choose(names: Iterable[str], wanted: Iterable[str] | None, root: Path) -> list[str]:
    """The wanted of the sequences that are there, all where None.

    Raises:
        DatasetError: one that is not there.
    """
    there = list(names)
    if wanted is None:
        return there
    missing = sorted(set(wanted) - set(there))
    if missing:
        raise DatasetError(f"{root}: no sequence {', '.join(missing)}; there are {', '.join(there[:8])}{' …' if len(there) > 8 else ''}")
    return [name for name in there if name in set(wanted)]


Reader = Callable[[Path, Iterable[str] | None], list[Sequence]]
"""(root, names of sequences or None for all) → sequences."""
