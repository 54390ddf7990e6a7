"""The loop: drives a tracker over frames. Everything that tracks a clip consumes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fear.config import TrackerConfig
from fear.geometry.boxes import Box, parse_box
from fear.media.reader import Frame, open_source
from fear.runtime.protocol import Network
from fear.tracking.protocol import BoxTracker, given_tracks
from fear.tracking.track import Track
from fear.tracking.tracker import MultiTracker


class Step(NamedTuple):
    """What the loop yields for each frame."""

    index: int  # type: ignore[assignment]  # `tuple` has a method of this name, which nobody calls here
    """Number of the frame in its source."""
    tracks: list[Track]
    """One for each target."""
    frame: Frame


def follow(tracker: BoxTracker, frames: Iterable[Frame], boxes_xywh: Sequence[Box]) -> Iterator[Step]:
    """Drives a tracker over frames.

    Args:
        tracker: Is started with the first frame.
        frames: Are read one by one, each when the step before it has been taken.
        boxes_xywh: The targets in the first frame, in pixels.

    Yields:
        A step for each frame. The tracks of the first one are the given boxes.

    Raises:
        FearError: as the tracker and the source of the frames say.
    """
    first = True
    for frame in frames:
        if first:
            tracker.init(frame.picture, boxes_xywh)
            yield Step(frame.index, given_tracks(boxes_xywh), frame)
            first = False
        else:
            yield Step(frame.index, tracker.update(frame.picture), frame)


def track(
    source: str | Path | int,
    box_xywh: Iterable[Any],
    model: str | Path | Network = "fear-xs",
    *,
    runtime: str = "auto",
    device: str = "cpu",
    threads: int | None = None,
    config: TrackerConfig | None = None,
    start: str | float = 0,
) -> Iterator[tuple[int, Track]]:
    """Follows one target through a video.

    Frames are read when the next track is asked for, so that memory does not grow with the length of the video.

    Args:
        source: A video file, a folder of images, the number of a camera, or the URL of a stream.
        box_xywh: The target in the first frame: left, top, width, height in pixels.
        model: A name such as `fear-xs`, a `.safetensors` checkpoint, an exported folder, or `published:DIR`; or a loaded network.
        runtime: `openvino`, `onnx` or `torch`. `auto` measures at the first use on a machine which one is the fastest; it may take an int8
            form of packaged weights where that is clearly faster.
        device: `cpu`, or what the runtime knows, such as `cuda`.
        threads: Threads of the network; None leaves their number to the runtime.
        config: Rules around the network.
        start: The first frame: an integer is its number; a decimal, or text such as `2.5s` or `00:01:05`, is in seconds.

    Yields:
        The number of the frame in the source and the track. The first one is the given box, with score and similarity 1.

    Examples:
        >>> import fear
        >>> for index, track in fear.track("clip.mp4", (420, 180, 64, 90)):  # doctest: +SKIP
        ...     print(index, track.box_xywh, track.score, track.lost)

    Raises:
        VideoError: The source cannot be opened, or breaks off; the frames before that were yielded.
        BoxError: The box is not four finite numbers with an area inside the first frame.
        WeightsError: There is no such model, or it is damaged.
        RuntimeMissingError: The runtime is not installed.
        ConfigError: An option has a value that is not known.
    """
    box = parse_box(box_xywh)
    tracker = MultiTracker(model, runtime=runtime, device=device, threads=threads, config=config)
    with open_source(source, start=start) as frames:
        for step in follow(tracker, frames, [box]):
            yield step.index, step.tracks[0]
