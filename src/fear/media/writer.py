"""H.264 in MP4 as browsers play it, with the time stamps of the source."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np

from fear.errors import VideoError
from fear.media.image import Image
from fear.media.reader import FOLDER_RATE, reason


class VideoWriter:
    """Writes H.264 in MP4 as browsers play it.

    The encoder is set up with the first frame. Its colours are at half resolution, so that a picture of odd width or height gets its last
    column or row twice.

    Args:
        path: An `.mp4` file.
        rate: Mean frames per second, a hint for players; each frame's own time is what counts.
        quality: FFmpeg's constant rate factor; smaller is better and larger.
    """

    TIME_BASE = Fraction(1, 90000)  # the clock of broadcast video: 24, 25, 29.97, 30 and 60 frames per second fall on whole ticks

    def __init__(self, path: str | Path, rate: Fraction | float = FOLDER_RATE, quality: int = 21) -> None:
        self.path = Path(path)
        self._rate = Fraction(rate).limit_denominator(100_000)
        # a key frame at least every two seconds: it begins a fragment, and viewers can jump there
        self._options = {"crf": str(quality), "preset": "superfast", "g": str(round(2 * self._rate))}
        self._size: tuple[int, int] | None = None
        self._last = -1
        if not self.path.parent.is_dir():
            raise VideoError(f"{path}: expected an existing folder to write into, found no {self.path.parent}")
        try:
            # fragments make a file that plays up to where it was interrupted
            self._container = av.open(
                str(path), "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
            )
        except (av.FFmpegError, ValueError, OSError) as error:
            raise VideoError(f"{path}: expected a place to write a video to ({reason(error)})") from error

    def write(self, image: Image, time: float) -> None:
        """Adds a frame.

        Args:
            image: (H, W, 3), RGB, all of one size.
            time: Seconds since the first frame; later than the frame before.

        Raises:
            VideoError: another size than the first frame's, or the disk is full.
        """
        height, width = image.shape[:2]
        if self._size is None:
            self._size = (height, width)
            self._stream = self._container.add_stream("libx264", rate=self._rate, options=self._options)
            self._stream.width, self._stream.height = width + width % 2, height + height % 2
            self._stream.pix_fmt = "yuv420p"
            self._stream.codec_context.time_base = self.TIME_BASE
        if (height, width) != self._size:
            raise VideoError(f"{self.path}: expected frames of {self._size[1]}×{self._size[0]}, got {width}×{height}")
        if height % 2 or width % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        # OpenCV converts colours in a twentieth of FFmpeg's time; both by BT.601 with limited range, as players expect by default
        planes = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2YUV_I420)
        frame = av.VideoFrame.from_ndarray(np.asarray(planes, np.uint8), format="yuv420p")
        frame.time_base = self.TIME_BASE
        frame.pts = self._last = max(self._last + 1, round(time / self.TIME_BASE))
        self._mux(frame)

    def _mux(self, frame: av.VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f"{self.path}: expected to write on ({reason(error)})") from error

    def close(self) -> None:
        """Finishes the file; a file without frames is removed."""
        if self._size is not None:
            self._mux(None)
        self._container.close()
        if self._size is None:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
