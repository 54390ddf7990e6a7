"""Checks every picture and every box of a data set, so that a fault does not end a long training run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from fear.datasets.clip import Clip
from fear.datasets.frames import read_frame
from fear.errors import FearError
from fear.geometry.boxes import clip_box


@dataclass
class Findings:
    """What a check counted."""

    sequences: int = 0
    frames: int = 0
    absent: int = 0
    """Frames without the target."""
    faults: list[str] = field(default_factory=list)
    """One line for each damaged picture, and for each box that has no area or lies outside its picture."""


def check(clips: Iterable[Clip], on_clip: Callable[[], None] = lambda: None) -> Findings:
    """Reads every picture and checks every box.

    Args:
        clips: As a reader returns them.
        on_clip: Is called after each clip.
    """
    findings = Findings()
    for clip in clips:
        findings.sequences += 1
        findings.frames += len(clip)
        findings.absent += int(np.count_nonzero(~clip.visible))
        findings.faults += [fault for index in range(len(clip)) if (fault := _fault(clip, index))]
        on_clip()
    return findings


def _fault(clip: Clip, index: int) -> str | None:
    """What is wrong with a frame; None where nothing is."""
    reference = clip.frames[index]
    try:
        height, width = read_frame(reference).shape[:2]
    except FearError as error:
        return str(error)
    if not clip.visible[index]:
        return None
    x, y, w, h = clip.boxes_xywh[index].tolist()
    if w <= 0 or h <= 0:
        return f"{reference}: expected a box with an area, got {w:g}×{h:g}"
    if 0 in clip_box((x, y, w, h), height, width)[2:]:
        return f"{reference}: expected a box in the picture of {width}×{height}, got {x:g},{y:g},{w:g},{h:g}"
    return None
