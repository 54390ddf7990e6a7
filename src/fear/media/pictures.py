"""Pictures in files as a source: folders, patterns of names, single pictures, and animated ones that FFmpeg cannot read."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from fear.errors import DatasetError, VideoError
from fear.media import pixels
from fear.media.image import IMAGE_SUFFIXES, Image, list_images, natural_order, read_image, scaled
from fear.media.source import FOLDER_RATE, Frame, SourceReport
from fear.media.start import BEGINNING

_DEFAULT_DURATION = 0.1  # seconds; what browsers take where an animation asks for next to none
_NUMBER = re.compile(r"%0?(\d*)d")


class _Stills:
    """What all sources made of picture files have in common."""

    live = False
    start = BEGINNING
    sound = None
    pixel_aspect = Fraction(1)
    rate: Fraction
    count: int | None

    def __init__(self) -> None:
        self.report = SourceReport()

    def _require_reached(self, reached: bool) -> None:
        if not reached:
            raise VideoError(f"expected a start before the end of the pictures, got {self.start}; there are {self.count}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass


class Pictures(_Stills):
    """Picture files, one after another, scaled to the size of the first. A damaged one is a lost picture.

    Args:
        paths: In the order in which they are shown.
        rate: Frames per second.
    """

    def __init__(self, paths: Sequence[Path], rate: Fraction | None = None) -> None:
        super().__init__()
        self._paths = paths
        self.count: int | None = len(paths)
        self.rate = rate or FOLDER_RATE

    def __iter__(self) -> Iterator[Frame]:
        wanted = [index for index in range(len(self._paths)) if self.start.reached(index, float(index / self.rate))]
        self._require_reached(bool(wanted))
        size: tuple[int, int] | None = None
        failure: DatasetError | None = None
        for index in wanted:
            path = self._paths[index]
            try:
                image = read_image(path)
            except DatasetError as error:
                self.report.lost_pictures += 1
                failure = failure or error
                continue
            size = size or (image.shape[0], image.shape[1])
            if image.shape[:2] != size:
                image = scaled(image, size)
                self.report.scaled_pictures += 1
            yield Frame(index, float(index / self.rate), image)
        if size is None and failure is not None:
            raise VideoError(str(failure)) from failure


class AnimatedPicture(_Stills):
    """An animated WebP, which FFmpeg cannot read; it is held in memory as a whole.

    Args:
        path: The file.

    Raises:
        VideoError: damaged, or not such a file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        animation = pixels.decode_animation(np.fromfile(path, np.uint8))
        if animation is None:
            raise VideoError(f"{path}: expected an animated picture, got a damaged or foreign file")
        self._images: list[Image] = animation[0]
        durations = [duration / 1000 if duration > 10 else _DEFAULT_DURATION for duration in animation[1]]
        times = np.concatenate(([0.0], np.cumsum(durations)))
        self.count: int | None = len(self._images)
        self.rate = Fraction(len(self._images) / float(times[-1])).limit_denominator(1000)
        self._times = [float(time) for time in times[:-1]]

    def __iter__(self) -> Iterator[Frame]:
        frames = [Frame(index, time, image) for index, (time, image) in enumerate(zip(self._times, self._images, strict=True))]
        wanted = [frame for frame in frames if self.start.reached(frame.index, frame.time)]
        self._require_reached(bool(wanted))
        yield from wanted


def open_folder(path: Path, rate: Fraction | None = None) -> Pictures:
    """The pictures of a folder in natural order.

    Raises:
        VideoError: there are none.
    """
    paths = list_images(path)
    if not paths:
        raise VideoError(f"{path}: expected a folder of images, found none in it")
    return Pictures(paths, rate)


def open_picture(path: Path, rate: Fraction | None = None) -> Pictures | AnimatedPicture | None:
    """A picture file; None for other files, and for animated ones that FFmpeg reads."""
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        return None
    with path.open("rb") as file:
        head = file.read(64)
    if head[:4] == b"RIFF" and b"ANIM" in head:
        return AnimatedPicture(path)
    animated = head[:8] == b"\x89PNG\r\n\x1a\n" and b"acTL" in path.read_bytes()[:4096]
    return None if animated or not pixels.is_picture(path) else Pictures((path,), rate)


def open_pattern(pattern: Path, rate: Fraction | None = None) -> Pictures | None:
    """The pictures whose names match `img_%04d.png` or a pattern of the shell such as `img_00[0-4]*.png`, in natural order.

    Returns:
        None where the name is no pattern.

    Raises:
        VideoError: no picture matches.
    """
    matches = _matcher(pattern.name)
    if matches is None:
        return None
    found = [path for path in pattern.parent.iterdir() if matches(path.name)] if pattern.parent.is_dir() else []
    if not found:
        raise VideoError(f"{pattern}: expected pictures with such names, found none")
    return Pictures(sorted(found, key=lambda path: natural_order(path.name)), rate)


def _matcher(name: str) -> Callable[[str], bool] | None:
    """Tells whether a file's name fits a pattern."""
    number = _NUMBER.search(name)
    if number is not None:
        digits = rf"\d{{{number[1]},}}" if number[1] else r"\d+"
        expression = re.compile(re.escape(name[: number.start()]) + digits + re.escape(name[number.end() :]))
    elif any(sign in name for sign in "*?["):
        expression = re.compile(fnmatch.translate(name))
    else:
        return None
    return lambda other: expression.fullmatch(other) is not None and Path(other).suffix.lower() in IMAGE_SUFFIXES
