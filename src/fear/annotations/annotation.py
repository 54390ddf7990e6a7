"""Annotations: the boxes of a clip's targets as all file formats share them, whoever drew or tracked them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from fear.errors import DatasetError
from fear.geometry.boxes import Box

LABEL = "object"
"""Class of a target that has none; formats with classes cannot do without."""

_LARGEST = 1e8
"""Frames, pixels and frames per second; larger numbers are mistakes, and loops over them would never end."""


class Annotation(NamedTuple):
    """One target in one frame."""

    frame: int
    """Counted from 0."""
    target: int
    """Number of the target, from 0."""
    box_xywh: Box
    """In pixels; (0, 0) is the upper left corner of the first pixel."""
    score: float = 1.0
    similarity: float = 1.0
    lost: bool = False
    """The target is not there, and the box says only where it was last seen."""
    visibility: float = 1.0
    """Share of the target that can be seen, 0 to 1. Formats that only know "occluded" give 0 or 1."""
    time: float | None = None
    """Seconds since the first frame, where the file says it."""

    @property
    def occluded(self) -> bool:
        """What formats with a flag instead of a share say."""
        return self.visibility < 0.5


class Target(NamedTuple):
    """What is known of a target apart from its boxes."""

    name: str = ""
    label: str = ""
    """Its class; empty where there is none."""


@dataclass(frozen=True)
class Facts:
    """The video or folder that boxes belong to, as far as a file or a person says.

    Attributes:
        name: Of the video.
        width: Of its frames, in pixels.
        height: Of its frames, in pixels.
        frames: Their number.
        rate: Frames per second.
    """

    name: str = ""
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    rate: float | None = None

    def merged(self, other: Facts) -> Facts:
        """These facts, and what the other one knows besides."""
        return Facts(
            self.name or other.name,
            self.width or other.width,
            self.height or other.height,
            self.frames or other.frames,
            self.rate or other.rate,
        )

    def require_size(self, place: object, format: str) -> tuple[int, int]:
        """Width and height of the frames.

        Args:
            place: The file, for the message.
            format: The format that needs them, for the message.

        Raises:
            DatasetError: They are not known.
        """
        if self.width is None or self.height is None:
            raise DatasetError(f"{place}: expected the size of the frames, which {format} needs; give --video VIDEO or --size WIDTHxHEIGHT")
        return self.width, self.height


UNKNOWN = Facts()


@dataclass(frozen=True)
class Annotations:
    """All boxes of a clip.

    Attributes:
        boxes: In the order of frames, then targets.
        targets: By number; targets without a name and a class may be missing.
        facts: About the video.
        remarks: What a reader had to leave out or assume, one line each.
    """

    boxes: tuple[Annotation, ...]
    targets: dict[int, Target] = field(default_factory=dict)
    facts: Facts = UNKNOWN
    remarks: tuple[str, ...] = ()

    def require_usable(self) -> None:
        """Checks what a file said.

        Raises:
            ValueError: A number is none, is infinite or absurdly large, or a text cannot be written.
        """
        facts = self.facts
        for name, value in (("width", facts.width), ("height", facts.height), ("frames", facts.frames), ("rate", facts.rate)):
            if value is not None and not (isinstance(value, int | float) and 0 <= value <= _LARGEST):
                raise ValueError(f"{name}: expected a number from 0 to {_LARGEST:g}, got {value!r}")
        for one in self.boxes:
            values = (one.score, one.similarity, one.time)
            if not 0 <= one.frame <= _LARGEST or any(value is not None and math.isinf(value) for value in values):
                raise ValueError(f"expected finite numbers and frames up to {_LARGEST:g}, got {one}")
        for text in (facts.name, *(part for target in self.targets.values() for part in (target.name, target.label))):
            text.encode("utf-8")
            if any(ord(letter) < ord(" ") and letter not in "\t\n\r" for letter in text):
                raise ValueError(f"expected text without control characters, got {text!r}")

    @property
    def numbers(self) -> list[int]:
        """The targets that have boxes."""
        return sorted({one.target for one in self.boxes})

    @property
    def length(self) -> int:
        """Number of frames: that of the video where it is known, otherwise up to the last box."""
        return max(self.facts.frames or 0, 1 + max((one.frame for one in self.boxes), default=-1))

    def label(self, target: int) -> str:
        """The class of a target; `object` where it has none."""
        return self.targets.get(target, Target()).label or LABEL

    def by_target(self) -> dict[int, list[Annotation]]:
        """The boxes of each target, in the order of frames."""
        found: dict[int, list[Annotation]] = {number: [] for number in self.numbers}
        for one in self.boxes:
            found[one.target].append(one)
        return found


def ordered(place: object, boxes: Iterable[Annotation], remedy: str = "") -> tuple[Annotation, ...]:
    """Checks boxes and sorts them by frame, then target.

    Args:
        place: The file, for the message.
        boxes: In any order.
        remedy: What to add to the message where a target has two boxes in one frame.

    Raises:
        DatasetError: A number of a frame or target is negative, a box is not finite or has a negative side, or a target has two boxes in
        one
            frame.
    """
    found = sorted(boxes, key=lambda one: (one.frame, one.target))
    for before, one in zip([None, *found], found, strict=False):
        what = f"target {one.target} in frame {one.frame}"
        if one.frame < 0 or one.target < 0:
            raise DatasetError(f"{place}: expected numbers of frames and targets that are not negative, got {what}")
        if not all(map(math.isfinite, one.box_xywh)) or min(one.box_xywh[2:]) < 0:
            raise DatasetError(f"{place}, {what}: expected a finite box x,y,w,h with sides that are not negative, got {one.box_xywh}")
        if before is not None and before[:2] == one[:2]:
            raise DatasetError(f"{place}: expected one box for each target in a frame, got several for {what}{remedy}")
    return tuple(found)


def plain(value: float, digits: int = 6) -> str:
    """A number as text: the shortest one that gives it back, without more digits than wanted."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
