"""One sequence of a data set: frames on disk and the true boxes, for training and evaluation alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fear.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Clip:
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

    def cut(self, frames: int | None) -> Clip:
        """The first frames of this sequence; all where None."""
        return self if frames is None else Clip(self.name, self.frames[:frames], self.boxes_xywh[:frames], self.attributes)


Reader = Callable[[Path, Iterable[str] | None], list[Clip]]
"""(root, names of sequences or None for all) → sequences."""
