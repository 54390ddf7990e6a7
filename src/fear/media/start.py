"""Where in a source to begin: at a frame, or at a time."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from fear.errors import ConfigError

_DIGITS = 16  # of the number of a frame
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d*)?)")
_SECONDS = re.compile(r"(\d+\.\d*|\.\d+|\d+(?=s))s?")


class Start(NamedTuple):
    """The first frame that is wanted: both limits hold. Numbers and times of frames stay those of the source."""

    frame: int = 0
    """Number of the frame in its source."""
    seconds: float = 0.0
    """Time of the frame in its source."""

    def reached(self, frame: int, seconds: float) -> bool:
        """Whether a frame is wanted."""
        return frame >= self.frame and seconds >= self.seconds - 1e-6

    def __str__(self) -> str:
        return f"{self.seconds:g} s" if self.seconds > 0 else f"frame {self.frame}"


BEGINNING = Start()


def parse_start(value: str | float) -> Start:
    """Reads a place in a source.

    Args:
        value: An integer is the number of a frame. A decimal, a number with `s`, or a time such as `00:01:05` is in seconds.

    Raises:
        ConfigError: it is none of these.

    Example:
        >>> parse_start("120"), parse_start("2.5s")
        (Start(frame=120, seconds=0.0), Start(frame=0, seconds=2.5))
        >>> parse_start("00:01:05.5").seconds, parse_start("3s").seconds
        (65.5, 3.0)
    """
    if isinstance(value, int) and value >= 0:
        return Start(frame=value)
    if isinstance(value, float) and value >= 0 and math.isfinite(value):
        return Start(seconds=value)
    text = str(value).strip()
    if text.isdecimal() and text.isascii() and len(text) < _DIGITS:
        return Start(frame=int(text))
    if match := _SECONDS.fullmatch(text):
        return Start(seconds=float(match[1]))
    if match := _CLOCK.fullmatch(text):
        return Start(seconds=3600 * int(match[1] or 0) + 60 * int(match[2]) + float(match[3]))
    raise ConfigError(f"start: expected the number of a frame, such as 120, or a time, such as 2.5s or 00:01:05; got {value!r}")
