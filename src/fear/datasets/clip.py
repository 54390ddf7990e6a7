"""One clip of a data set: its frames and the true boxes of one target, for training and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fear.datasets.frames import FrameReference, read_frames
from fear.errors import DatasetError
from fear.media.reader import Frame


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip with one labelled target. Iterating over it reads its frames one by one.

    Attributes:
        name: Unique in its data set.
        frames: F references to frames, in order; `fear.datasets.frames.read_frame` reads one of them.
        boxes_xywh: (F, 4), 0-based pixels; NaN where the target is absent.
        attributes: What makes the clip hard, in the words of the data set, where it says so.
    """

    name: str
    frames: tuple[FrameReference, ...]
    boxes_xywh: NDArray[np.float64]
    attributes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.boxes_xywh.shape != (len(self.frames), 4):
            raise DatasetError(f"{self.name}: expected one box for each of {len(self.frames)} frames, got boxes of {self.boxes_xywh.shape}")

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[Frame]:
        return read_frames(self.frames)

    @property
    def visible(self) -> NDArray[np.bool_]:
        """(F,), where the target has a box."""
        return np.asarray(np.isfinite(self.boxes_xywh).all(axis=1))

    def from_first_box(self) -> Clip:
        """The clip without the frames before its target appears.

        Raises:
            DatasetError: no frame has a box.
        """
        shown = np.flatnonzero(self.visible)
        if not len(shown):
            raise DatasetError(f"{self.name}: expected a box in at least one of {len(self)} frames, got none")
        return self.part(slice(int(shown[0]), None))

    def cut(self, frames: int | None) -> Clip:
        """The first frames of this clip; the whole clip where None."""
        return self if frames is None else self.part(slice(frames))

    def part(self, frames: slice) -> Clip:
        """Some frames of this clip, such as those from the tenth on, `slice(10, None)`, or all backwards, `slice(None, None, -1)`."""
        return replace(self, frames=self.frames[frames], boxes_xywh=self.boxes_xywh[frames])


Reader = Callable[[Path, Iterable[str] | None], list[Clip]]
"""Reads clips of a data set, given its root and the names of the wanted clips, or None for all of them."""
