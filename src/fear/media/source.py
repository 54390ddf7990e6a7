"""What a source of frames is: the frames, the properties that a run needs, and the report of what had to be repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from av.error import ExitError

from fear.media.image import Image
from fear.media.planes import Yuv420, whole
from fear.media.start import Start

if TYPE_CHECKING:
    from fear.media.sound import Sound

FOLDER_RATE = Fraction(30)
"""Frames per second of pictures that have no time of their own, such as those of a folder."""
LARGEST_RATE = 1e6  # frames per second; a larger number is a mistake


@dataclass(frozen=True)
class Frame:
    """One picture of a source."""

    index: int
    """Number of the picture in the source, counted from 0. A picture that was lost or left out keeps its number: there may be gaps."""
    time: float
    """Seconds since the first frame; it grows from frame to frame."""
    picture: Image | Yuv420
    """What a tracker looks at: RGB, or a decoder's planes, of which only parts are converted."""
    tone_mapped: Callable[[], Image] | None = None
    """Set for high dynamic range: makes the picture that people can look at."""

    @property
    def shown(self) -> Image | Yuv420:
        """What people look at: planes where these can be used as they are."""
        return self.picture if self.tone_mapped is None else self.image

    @cached_property
    def image(self) -> Image:
        """(H, W, 3), uint8, RGB, for people to look at; an array of its own."""
        return whole(self.picture) if self.tone_mapped is None else self.tone_mapped()


@dataclass
class SourceReport:
    """What was wrong with a source and how it was treated. The counts grow while frames are read."""

    lost_pictures: int = 0
    """Pictures that were too damaged to be decoded."""
    damaged_pictures: int = 0
    """Pictures that are shown although the decoder had to guess parts of them."""
    repaired_times: int = 0
    """Time stamps that were missing, stood still, ran backwards or jumped, and were replaced."""
    reconnects: int = 0
    """How often a stream was cut and came back."""
    scaled_pictures: int = 0
    """Pictures of another size than the first, which were scaled to it."""
    ended: str = ""
    """How a live source ended where nobody stopped it; empty otherwise."""

    def lines(self) -> list[str]:
        """One sentence for each kind of repair that was needed."""
        told = (
            (self.lost_pictures, "picture", "lost, because the source is damaged"),
            (self.damaged_pictures, "picture", "with damaged parts"),
            (self.repaired_times, "time stamp", "repaired"),
            (self.reconnects, "interruption", "of the stream, after which it came back"),
            (self.scaled_pictures, "picture", "of another size, scaled to the size of the first"),
        )
        lines = [f"{number} {thing}{'s' * (number != 1)} {what}" for number, thing, what in told if number]
        return [*lines, self.ended] if self.ended else lines


class Source(Protocol):
    """Frames in order; a context manager that releases what it holds."""

    start: Start
    """Where to begin; earlier frames are read and left out."""

    @property
    def count(self) -> int | None:
        """Number of frames that the source announces, for progress only: it may be wrong."""

    @property
    def rate(self) -> Fraction:
        """Mean frames per second."""

    @property
    def live(self) -> bool:
        """Whether it goes on until somebody stops it."""

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel divided by its height."""

    @property
    def sound(self) -> Sound | None:
        """The sound that belongs to the frames; known from the first frame on."""

    @property
    def report(self) -> SourceReport:
        """What had to be repaired until now."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def reason(error: Exception) -> str:
    """What FFmpeg or the system says about an error, one line."""
    if isinstance(error, ExitError):  # how FFmpeg says that our limit of time ended the call
        return "no data came in time"
    return str(getattr(error, "strerror", None) or error).partition("\n")[0]
