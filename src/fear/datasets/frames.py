"""References to frames, and how their pictures are read.

A clip refers to its frames by plain data, so that a data set can be listed, cut, sampled and sent to other processes before anything is
decoded: a picture file by its path, a frame of a video by the video's path and the frame's number.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fear.errors import DatasetError
from fear.media.image import Image, Picture, read_image
from fear.media.planes import whole
from fear.media.reader import FOLDER_RATE, Frame, open_source

CACHE_BYTES = 1 << 30
"""Decoded videos that one process keeps in memory at most, 1 GiB: about 3,000 frames of 640 × 360."""


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One frame of a video file."""

    video: Path
    index: int
    """Counted from 0, in the order in which the frames are shown."""

    def __str__(self) -> str:
        return f"{self.video}, frame {self.index}"


FrameReference = Path | VideoFrame
"""A picture file, or one frame of a video."""


def read_frame(reference: FrameReference) -> Image:
    """Reads the picture of a frame, in any order.

    A video is decoded once and kept; the videos that were used least recently leave the memory when `CACHE_BYTES` are exceeded.

    Returns:
        (H, W, 3), uint8, RGB; an array that the caller may change.

    Raises:
        DatasetError: The picture is missing or damaged, the video has fewer frames, or one video alone exceeds `CACHE_BYTES`.
        VideoError: The video is missing or damaged.
    """
    if isinstance(reference, Path):
        return read_image(reference)
    pictures = _VIDEOS.get(reference.video)
    if not 0 <= reference.index < len(pictures):
        raise DatasetError(f"{reference.video}: expected at least {reference.index + 1} frames, got {len(pictures)}")
    return whole(pictures[reference.index])


def read_frames(references: Sequence[FrameReference]) -> Iterator[Frame]:
    """Reads frames one after the other.

    The first frames of a video are decoded as they are asked for, so that memory does not grow with the length of the video. Frames in any
    other order are read by `read_frame`.

    Yields:
        Frames that are numbered from 0, with RGB pictures and, since a data set has no clock, 30 frames per second.

    Raises:
        DatasetError: As for `read_frame`.
        VideoError: As for `read_frame`.
    """
    for index, picture in enumerate(_from_the_start(references) or map(read_frame, references)):
        yield Frame(index, float(index / FOLDER_RATE), picture)


def video_frames(video: Path, expected: int) -> tuple[VideoFrame, ...]:
    """References to all frames of a video.

    The header of a video may count frames that are never shown. It is believed where it agrees with what is expected; otherwise the frames
    are counted by decoding, which takes about a second for a thousand frames.

    Args:
        video: The file.
        expected: The number of frames that other files of the data set suggest.

    Raises:
        VideoError: The video is missing or damaged.
    """
    with open_source(video) as source:
        count = expected if source.count == expected else sum(1 for _ in source)
    return tuple(VideoFrame(video, index) for index in range(count))


def _from_the_start(references: Sequence[FrameReference]) -> Iterator[Image] | None:
    """The pictures of a video's first frames, where that is what the references are; otherwise None."""
    first = references[0] if references else None
    if not isinstance(first, VideoFrame) or any(one != VideoFrame(first.video, k) for k, one in enumerate(references)):
        return None
    return _decode(first.video, len(references))


def _decode(video: Path, count: int) -> Iterator[Image]:
    decoded = 0
    with open_source(video) as source:
        for frame in source:
            yield frame.image
            decoded += 1
            if decoded == count:
                return
    raise DatasetError(f"{video}: expected at least {count} frames, got {decoded}")


class _Videos:
    """Decoded videos by path; the least recently used leave first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, list[Picture]] = OrderedDict()
        self._bytes: dict[Path, int] = {}
        self._lock = threading.Lock()

    def get(self, video: Path) -> list[Picture]:
        with self._lock:  # threads that ask for the same video wait for one decoding
            if video not in self._kept:
                self._kept[video], self._bytes[video] = self._read(video)
            self._kept.move_to_end(video)
            while sum(self._bytes.values()) > CACHE_BYTES:
                oldest, _ = self._kept.popitem(last=False)
                del self._bytes[oldest]
            return self._kept[video]

    @staticmethod
    def _read(video: Path) -> tuple[list[Picture], int]:
        """The pictures as the decoder gives them, which is half the size of RGB for most videos; and their bytes."""
        pictures: list[Picture] = []
        size = 0
        with open_source(video) as source:
            for frame in source:
                pictures.append(frame.picture)
                size += _bytes(frame.picture)
                if size > CACHE_BYTES:
                    raise DatasetError(
                        f"{video}: expected a video of at most {CACHE_BYTES >> 20} MiB decoded, since its frames are needed in any order, "
                        f"got more after {len(pictures)} frames; turn it into pictures with `fear data unpack`"
                    )
        return pictures, size


def _bytes(picture: Picture) -> int:
    """Memory of a picture: three bytes a pixel as RGB, one and a half as planes with a quarter of the colours."""
    pixels = picture.shape[0] * picture.shape[1]
    return int(pixels * 3 if isinstance(picture, np.ndarray) else pixels * 3 // 2)


_VIDEOS = _Videos()
