"""Follows one target through a video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fear.config import TrackerConfig
from fear.geometry.boxes import parse_box
from fear.runtime.protocol import Network
from fear.tracking.track import Track
from fear.tracking.tracker import Tracker


def track(
    source: str | Path | int,
    box_xywh: Iterable[Any],
    model: str | Path | Network = "fear-xs",
    *,
    runtime: str = "auto",
    device: str = "cpu",
    threads: int | None = None,
    config: TrackerConfig | None = None,
) -> Iterator[tuple[int, Track]]:
    """Follows one target through a video.

    Args:
        source: A video file, a folder of images, a camera's number, or a stream's URL.
        box_xywh: The target in frame 0, in pixels.
        model: As for `Tracker`.
        runtime: Likewise.
        device: Likewise.
        threads: Likewise.
        config: Likewise.

    Yields:
        Number of the frame and the track. Frame 0 is the given box, with score and similarity 1.

    Raises:
        VideoError: the source cannot be opened, or breaks off; frames before that were yielded.
    """
    from fear.media.reader import open_source  # PyAV is not needed to track frames

    tracker = Tracker(model, runtime=runtime, device=device, threads=threads, config=config)
    box = parse_box(box_xywh)
    with open_source(source) as frames:
        for frame in frames:
            if frame.index == 0:
                tracker.init(frame.picture, box)
                yield 0, Track(box, 1.0, 1.0, False)
            else:
                yield frame.index, tracker.update(frame.picture)
