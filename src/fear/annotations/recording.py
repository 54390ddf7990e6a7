"""One tracking run: source → tracker → annotated video and box file. Reading, tracking and writing the video overlap."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from fear.annotations.boxfile import BoxFile
from fear.annotations.draw import draw_tracks
from fear.errors import ConfigError
from fear.geometry.boxes import Box
from fear.media.reader import Frame, Source
from fear.media.threads import ReadAhead, WriteBehind
from fear.media.writer import VideoWriter
from fear.runtime.protocol import Crops, Floats, Maps, Network
from fear.tracking.track import Track
from fear.tracking.tracker import MultiTracker


@dataclass
class Summary:
    """What a run did; but for `seconds` it grows with every frame."""

    frames: int = 0
    """Frames that were read and written, the first included."""
    seconds: float = 0.0
    """From the first frame's reading to the closing of the files; known when the run has ended."""
    update_seconds: float = 0.0
    """In `update`: crop, network, decoding of its maps."""
    network_seconds: float = 0.0
    """Of these, in the network; never more than they are."""
    lost: list[int] = field(default_factory=list)
    """Lost frames of each target."""
    dropped: int = 0
    """Frames of a live source that came while others were tracked, and were left out."""

    @property
    def fps(self) -> float:
        """Frames per second end to end: reading, tracking, drawing, writing."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0


class TimedNetwork:
    """A network with a clock."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.config, self.dynamic_weight = network.config, network.dynamic_weight
        self.seconds = 0.0

    def encode_template(self, template_crops: Crops) -> Floats:
        """See `Network.encode_template`."""
        start = time.perf_counter()
        features = self._network.encode_template(template_crops)
        self.seconds += time.perf_counter() - start
        return features

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        """See `Network.match`."""
        start = time.perf_counter()
        maps = self._network.match(search_crops, template_features)
        self.seconds += time.perf_counter() - start
        return maps


def network_threads() -> int:
    """Threads that leave a core to reading and writing; on two cores a run is half as fast again with one thread as with two."""
    return max(1, (os.cpu_count() or 1) - 1)


def follow(
    source: Source,
    boxes_xywh: Sequence[Box],
    tracker: MultiTracker,
    summary: Summary,
    *,
    output: Path | None = None,
    box_path: Path | None = None,
    max_frames: int | None = None,
    drop_late: bool = False,
    on_frame: Callable[[Summary], None] = lambda _: None,
) -> None:
    """Follows targets through a source; whatever ends it, what was tracked until then lies whole in the files.

    Args:
        source: Opened; it is not closed here.
        boxes_xywh: The targets in the first frame.
        tracker: Its network should be a `TimedNetwork`; then the summary tells the network's time.
        summary: Kept up to date.
        output: Annotated video.
        box_path: Box file.
        max_frames: Stop after so many.
        drop_late: Frames that come while an earlier one is tracked are left out, so that a live picture does not lag behind.
        on_frame: Called after each frame.

    Raises:
        FearError: as source, tracker, writer and box file say.
    """
    if output is not None and output.suffix.lower() not in (".mp4", ".m4v", ".mov"):
        raise ConfigError(f"{output}: expected a video file .mp4 to write, got {output.suffix or 'no suffix'}")
    given = [Track(box, 1.0, 1.0, False) for box in boxes_xywh]
    summary.lost = [0] * len(boxes_xywh)
    clock = tracker.network if isinstance(tracker.network, TimedNetwork) else None
    start = time.perf_counter()
    try:
        with ExitStack() as stack:
            writer = None
            boxes = None
            frames = stack.enter_context(ReadAhead(source, drop_late))
            for frame in islice(frames, max_frames):
                if frame.index == 0:
                    tracker.init(frame.picture, boxes_xywh)
                    tracks = given
                    # only now: a run that fails at its first frame leaves older files as they were
                    if output is not None:
                        writer = stack.enter_context(WriteBehind(_drawing(stack.enter_context(VideoWriter(output, source.rate)))))
                    boxes = stack.enter_context(BoxFile(box_path, len(given))) if box_path is not None else None
                else:
                    began, in_network = time.perf_counter(), clock.seconds if clock else 0.0
                    tracks = tracker.update(frame.picture)
                    summary.update_seconds += time.perf_counter() - began
                    summary.network_seconds += clock.seconds - in_network if clock else 0.0
                if boxes is not None:
                    boxes.write(frame.index, frame.time, tracks)
                if writer is not None:
                    writer.put((frame, tracks))
                summary.frames += 1
                summary.dropped = frames.dropped
                summary.lost = [count + track.lost for count, track in zip(summary.lost, tracks, strict=True)]
                on_frame(summary)
    finally:
        summary.seconds = time.perf_counter() - start  # the encoder's last frames are out only now


def _drawing(writer: VideoWriter) -> Callable[[tuple[Frame, Sequence[Track]]], None]:
    """Draws tracks on a frame and writes it."""

    def write(item: tuple[Frame, Sequence[Track]]) -> None:
        frame, tracks = item
        writer.write(draw_tracks(frame.image, tracks), frame.time)

    return write
