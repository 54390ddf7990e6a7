"""One tracking run: source → tracker → annotated video and box file.

Reading, tracking and writing the video overlap: each runs in a thread of its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Protocol

from fear.annotations.annotation import Facts
from fear.annotations.boxfile import BoxFile
from fear.annotations.draw import draw_tracks
from fear.errors import ConfigError
from fear.geometry.boxes import Box
from fear.media.reader import Frame, Source
from fear.media.threads import ReadAhead, WriteBehind
from fear.media.writer import VideoWriter
from fear.runtime.protocol import Crops, Floats, Maps, Network
from fear.tracking.loop import Step, follow
from fear.tracking.protocol import Timed
from fear.tracking.tracker import MultiTracker


@dataclass
class Summary:
    """Run statistics. Every field except `seconds` is updated for each frame."""

    frames: int = 0
    """Frames that were read and written, the first included."""
    seconds: float = 0.0
    """From the reading of the first frame to the closing of the files; known when the run has ended."""
    update_seconds: float = 0.0
    """In `update`: crop, network, decoding of its maps."""
    network_seconds: float = 0.0
    """Of these, in the network."""
    lost: dict[int, int] = field(default_factory=dict)
    """Number of lost frames of each target, by its id."""
    dropped: int = 0
    """Frames of a live source that came while others were tracked, and were left out."""
    written: list[Path] = field(default_factory=list)
    """The files that were begun."""
    _network: Network | None = None
    _network_before: float = 0.0

    @property
    def fps(self) -> float:
        """Frames per second end to end: reading, tracking, drawing, writing."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    def start_updates(self, network: Network) -> None:
        """From here on, what the tracker and this network take is counted."""
        self._network = network
        self._network_before = network.seconds if isinstance(network, TimedNetwork) else 0.0
        self.update_seconds = 0.0

    def add_update(self, seconds: float) -> None:
        """Counts a call of the tracker."""
        self.update_seconds += seconds
        if isinstance(self._network, TimedNetwork):
            self.network_seconds = self._network.seconds - self._network_before

    def count(self, step: Step, dropped: int) -> None:
        """Counts a frame."""
        self.frames += 1
        self.dropped = dropped
        for track in step.tracks:
            self.lost[track.id] = self.lost.get(track.id, 0) + track.lost


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


def encoder_threads() -> int:
    """Threads of the encoder beside the network's; on two cores a run is 5 % faster with one than with the three that x264 takes."""
    return max(1, (os.cpu_count() or 1) // 2)


class Viewer(Protocol):
    """A person at a run, who may choose the targets, watch, correct them, and end it."""

    @property
    def waited(self) -> float:
        """Seconds for which the run waited for the person."""

    @property
    def ended(self) -> bool:
        """Whether the person has ended the run."""

    def choose(self, frames: Iterator[Frame], boxes_xywh: Sequence[Box]) -> tuple[Frame, list[Box]]:
        """The frame with which the run begins, and the targets in it; frames before it are taken from `frames`."""

    def watch(self, step: Step, tracker: MultiTracker) -> Step:
        """Shows a step; returns it, with other boxes where the person corrected the tracker."""


@dataclass(frozen=True)
class Recording:
    """What a run writes, and where it ends."""

    video: Path | None = None
    """Annotated video, `.mp4`."""
    boxes: Path | None = None
    """Box file."""
    max_frames: int | None = None
    """The run stops after so many frames."""
    sound: bool = True
    """The annotated video keeps the sound of the source, where it has any."""
    drop_late: bool = False
    """Frames that come while an earlier one is tracked are left out, so that a live picture does not lag behind."""

    def __post_init__(self) -> None:
        if self.video is not None and self.video.suffix.lower() not in (".mp4", ".m4v", ".mov"):
            raise ConfigError(f"{self.video}: expected a video file .mp4 to write, got {self.video.suffix or 'no suffix'}")


def record(
    source: Source,
    boxes_xywh: Sequence[Box],
    tracker: MultiTracker,
    recording: Recording,
    summary: Summary,
    on_step: Callable[[Step], None] = lambda step: None,
    viewer: Viewer | None = None,
) -> None:
    """Follows targets through a source and writes files. Whatever ends it, what was tracked until then lies whole in the files.

    Args:
        source: Opened; it is not closed here.
        boxes_xywh: The targets in the first frame; none where a viewer chooses them.
        tracker: Where its network is a `TimedNetwork`, the summary tells the time of the network.
        recording: Files to write.
        summary: Is kept up to date.
        on_step: Called when a frame was tracked and handed to the writers.
        viewer: A person who chooses and watches.

    Raises:
        FearError: as source, tracker, writer and box file say.
    """
    start = time.perf_counter()
    timed = Timed(tracker, summary.add_update)
    try:
        with ExitStack() as stack:
            frames = stack.enter_context(ReadAhead(source, recording.drop_late))
            rest, ignored = iter(frames), 0
            if viewer is not None:
                first, boxes_xywh = viewer.choose(rest, boxes_xywh)
                rest, ignored = chain([first], rest), frames.dropped  # what a camera showed while the person was choosing
            steps = follow(timed, rest, boxes_xywh)
            if viewer is not None:
                steps = _watched(steps, viewer, tracker)
            write = None
            for step in islice(steps, recording.max_frames):
                if write is None:
                    # only now: a run that fails at its first frame leaves older files as they were
                    write = _open(stack, recording, source, step, summary.written)
                    summary.start_updates(tracker.network)
                write(step)
                summary.count(step, frames.dropped - ignored)
                on_step(step)
    finally:
        waited = viewer.waited if viewer is not None else 0.0
        summary.seconds = time.perf_counter() - start - waited  # the encoder's last frames are out only now


def _watched(steps: Iterator[Step], viewer: Viewer, tracker: MultiTracker) -> Iterator[Step]:
    """The steps as a person sees and corrects them, until the person ends the run."""
    for step in steps:
        yield viewer.watch(step, tracker)
        if viewer.ended:
            return


def _open(stack: ExitStack, recording: Recording, source: Source, first: Step, written: list[Path]) -> Callable[[Step], None]:
    """Opens the files and notes their names; returns what writes a step into all of them."""
    video = None
    if recording.video is not None:  # it keeps an older file until its first frame, so a box file that cannot be opened loses nothing
        written.append(recording.video)
        sound = source.sound if recording.sound else None
        writer = stack.enter_context(
            VideoWriter(recording.video, source.rate, pixel_aspect=source.pixel_aspect, sound=sound, threads=encoder_threads())
        )
        video = stack.enter_context(
            WriteBehind[Step](lambda step: writer.write(draw_tracks(step.frame.shown, step.tracks), step.frame.time))
        )
    boxes = None
    if recording.boxes is not None:
        height, width = first.frame.picture.shape[:2]
        boxes = stack.enter_context(BoxFile(recording.boxes, len(first.tracks), Facts("", width, height, rate=float(source.rate))))
    written += boxes.paths if boxes is not None else []

    def write(step: Step) -> None:
        if boxes is not None:
            boxes.write(step.index, step.frame.time, step.tracks)
        if video is not None:
            video.put(step)

    return write
