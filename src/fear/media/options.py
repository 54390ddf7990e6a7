"""Refuses misspelt options of FFmpeg, which FFmpeg ignores and PyAV does not report.

PyAV has no list of the options. But each option's name stands in FFmpeg's libraries, which PyAV's wheels bring along. A name that stands
in none of them is no option of this FFmpeg.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path

import av

from fear.errors import VideoError

_PARTS = ("avformat", "avcodec", "avdevice", "avutil", "swscale")
"""Libraries of FFmpeg that know options of sources."""


def require_options(names: Iterable[str]) -> None:
    """Refuses names of options that FFmpeg cannot know. Does nothing where PyAV uses an FFmpeg of the system.

    Raises:
        VideoError: A name is unknown.
    """
    names = list(names)
    if not names:
        return
    libraries = list(_libraries())
    for name in names:
        if libraries and not any(_holds(library, name) for library in libraries):
            raise VideoError(f"options: expected names that FFmpeg knows, got {name!r}, which no part of the FFmpeg in use has")


def _libraries() -> Iterator[Path]:
    """The files of FFmpeg beside PyAV; none where it uses those of the system."""
    package = Path(av.__file__).parent
    for folder in (package.with_name("av.libs"), package / ".dylibs"):  # wheels for Linux and Windows, and for macOS
        if folder.is_dir():
            yield from (file for file in folder.iterdir() if any(part in file.name for part in _PARTS))


def _holds(library: Path, name: str) -> bool:
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(name.encode() + b"\0") >= 0
