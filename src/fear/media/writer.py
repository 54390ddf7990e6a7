"""H.264 in MP4 as players expect it: from time 0 on, with the time stamps of the source, colour tags, shape of the pixels, and sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.video.stream import VideoStream

from fear.errors import VideoError
from fear.media.colours import change_matrix
from fear.media.image import Image, require_frame
from fear.media.matrices import Matrix, usual_matrix
from fear.media.output import OutputFile
from fear.media.pixels import planes_of_rgb
from fear.media.planes import Yuv420
from fear.media.sound import Sound, SoundTrack
from fear.media.source import FOLDER_RATE, LARGEST_RATE, reason

_LIMITED_RANGE = 1  # FFmpeg's number

ENCODER = {"preset": "ultrafast", "x264-params": "cabac=1:no-deblock=0"}
"""Half of the time of x264's `superfast` for a file of the same size and similarity (research/measure/encoding): its fastest preset, with
the two tools that save most. It has no B-frames, so that a video begins at time 0 in every player."""


_LARGEST_TIME, _WORST_QUALITY = 1e9, 51
"""Seconds, and FFmpeg's constant rate factor; what is beyond them is a mistake."""


class VideoWriter:
    """Writes H.264 in MP4 as browsers play it. A context manager that closes the file, also when an error ends the block.

    The encoder is set up with the first frame. Its colours are at half resolution, so that a picture of odd width or height gets its last
    column or row twice. A run that is interrupted leaves a video that can be played up to there.

    Args:
        path: An `.mp4` file.
        rate: Mean frames per second. Players take it for a hint; the time of each frame counts.
        quality: FFmpeg's constant rate factor, 0 to 51. Smaller values give better pictures and larger files.
        pixel_aspect: Width of a pixel divided by its height.
        sound: The sound of the source (`source.sound`), to be carried along.
        threads: Threads of the encoder; 0 leaves the choice to it.

    Raises:
        VideoError: The folder does not exist, or the file cannot be written.

    Examples:
        >>> import fear, numpy, pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "clip.mp4"
        ...     with fear.VideoWriter(path, rate=25) as writer:
        ...         for number in range(5):
        ...             writer.write(numpy.zeros((120, 160, 3), numpy.uint8), time=number / 25)
        ...     with fear.open_source(path) as source:
        ...         [round(frame.time, 2) for frame in source]
        [0.0, 0.04, 0.08, 0.12, 0.16]
    """

    TIME_BASE = Fraction(1, 90000)  # the clock of broadcast video: 24, 25, 29.97, 30 and 60 frames per second fall on whole ticks

    def __init__(
        self,
        path: str | Path,
        rate: Fraction | float = FOLDER_RATE,
        quality: int = 21,
        *,
        pixel_aspect: Fraction = Fraction(1),
        sound: Sound | None = None,
        threads: int = 0,
    ) -> None:
        self.path = Path(path)
        if not 0 < rate < LARGEST_RATE:
            raise VideoError(f"{path}: expected a rate above 0 and below {LARGEST_RATE:g} frames per second, got {rate}")
        if not 0 <= quality <= _WORST_QUALITY:
            raise VideoError(f"{path}: expected a quality from 0 to {_WORST_QUALITY}, got {quality}")
        self._rate = Fraction(rate).limit_denominator(100_000)
        # a key frame at least every two seconds: it begins a fragment, and viewers can jump there
        self._options = {**ENCODER, "crf": str(quality), "g": str(max(1, round(2 * self._rate)))}
        self._pixel_aspect, self._sound, self._threads = pixel_aspect, sound, threads
        self._track: SoundTrack | None = None
        self._size: tuple[int, int] | None = None
        self._start, self._last = 0.0, -1
        if not self.path.parent.is_dir():
            raise VideoError(f"{path}: expected an existing folder to write into, found no {self.path.parent}")
        try:
            self._file = OutputFile(self.path)
        except OSError as error:
            raise VideoError(f"{path}: expected a place to write a video to ({reason(error)})") from error
        self._closed = False

    def write(self, picture: Image | Yuv420, time: float) -> None:
        """Adds a frame.

        Args:
            picture: (H, W, 3), RGB or planes, all of one size.
            time: Seconds, later than the frame before; the first frame's time becomes 0.

        Raises:
            VideoError: another size than the first frame's, no usable time, the file is closed, or the disk is full.
            FrameError: no such picture.
        """
        if self._closed:
            raise VideoError(f"{self.path}: expected frames before the video was closed")
        require_frame(picture)
        if not abs(time) < _LARGEST_TIME:
            raise VideoError(f"{self.path}: expected a time in seconds, got {time}")
        height, width = picture.shape[:2]
        if self._size is None:
            self._begin(height, width, time)
        elif (height, width) != self._size:
            raise VideoError(f"{self.path}: expected frames of {self._size[1]}×{self._size[0]}, got {width}×{height}")
        frame = _frame(picture, self._matrix)
        frame.time_base = self.TIME_BASE
        frame.pts = self._last = max(self._last + 1, round((time - self._start) / self.TIME_BASE))
        self._mux(frame)

    def _begin(self, height: int, width: int, time: float) -> None:
        self._file.start()
        # fragments make a file that plays up to where it was interrupted
        options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
        self._container = av.open(self._file, "w", format="mp4", options=options)
        self._size, self._start = (height, width), time
        self._stream: VideoStream = self._container.add_stream("libx264", rate=self._rate, options=self._options)
        self._stream.width, self._stream.height = width + width % 2, height + height % 2
        self._stream.pix_fmt = "yuv420p"
        self._matrix = usual_matrix(height)
        codec = self._stream.codec_context
        codec.time_base, codec.thread_count = self.TIME_BASE, self._threads
        codec.colorspace = codec.color_primaries = codec.color_trc = self._matrix
        codec.color_range = _LIMITED_RANGE
        if self._pixel_aspect != 1:
            codec.sample_aspect_ratio = self._pixel_aspect
        if self._sound is not None:
            self._track = SoundTrack.of(self._sound, self._container, time)

    def _mux(self, frame: av.VideoFrame | None) -> None:
        try:
            if self._track is not None:
                self._track.write_until(self._last * float(self.TIME_BASE) + (0 if frame else 1 / float(self._rate)), end=frame is None)
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f"{self.path}: expected to write on ({reason(error)})") from error
        self._require_written()

    def _require_written(self) -> None:
        if self._file.error is not None:
            raise VideoError(f"{self.path}: expected to write on ({reason(self._file.error)})") from self._file.error

    def close(self) -> None:
        """Finishes the file. Without a frame, a new file is removed and an older one stays as it was. A second call does nothing.

        Raises:
            VideoError: What came last cannot be written.
        """
        if self._closed:
            return
        self._closed, told = True, self._file.error is not None
        try:
            if self._size is not None and not told:
                self._mux(None)
        finally:
            if self._track is not None:
                self._track.close()
            if self._size is not None:
                self._container.close()
            self._file.close()
            if self._size is None and self._file.is_new:
                self.path.unlink(missing_ok=True)
        if not told:  # else the frame that could not be written has told it
            self._require_written()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _frame(picture: Image | Yuv420, matrix: Matrix) -> av.VideoFrame:
    """A picture as the encoder takes it, of even size."""
    if isinstance(picture, Yuv420):
        packed = picture.packed()
        change_matrix(packed, picture.matrix, matrix)
    else:
        height, width = picture.shape[:2]
        if height % 2 or width % 2:
            picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        packed = Yuv420(*planes_of_rgb(picture, matrix)).packed()
    return av.VideoFrame.from_ndarray(packed, format="yuv420p")
