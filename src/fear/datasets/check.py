"""Looks at every picture and box of a data set, before a training run of days trips over one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from fear.datasets.clip import Clip
from fear.errors import DatasetError
from fear.geometry.boxes import clip_box
from fear.media.image import read_image


@dataclass
class Findings:
    """What a check counted."""

    sequences: int = 0
    frames: int = 0
    absent: int = 0
    """Frames without the target."""
    faults: list[str] = field(default_factory=list)
    """One line each: broken pictures, boxes without area or wholly outside their picture."""


def check(sequences: Iterable[Clip], on_sequence: Callable[[], None] = lambda: None) -> Findings:
    """Reads every picture and looks at every box.

    Args:
        sequences: As a reader gives them.
        on_sequence: Called after each.
    """
    findings = Findings()
    for sequence in sequences:
        findings.sequences += 1
        findings.frames += len(sequence)
        findings.absent += int(np.count_nonzero(~sequence.visible))
        for index, (path, visible) in enumerate(zip(sequence.frames, sequence.visible, strict=True)):
            try:
                height, width = read_image(path).shape[:2]
            except DatasetError as error:
                findings.faults.append(str(error))
                continue
            x, y, w, h = sequence.boxes_xywh[index].tolist()
            if visible and (w <= 0 or h <= 0):
                findings.faults.append(f"{path}: expected a box with an area, got {w:g}×{h:g}")
            elif visible and 0 in clip_box((x, y, w, h), height, width)[2:]:
                findings.faults.append(f"{path}: expected a box in the picture of {width}×{height}, got {x:g},{y:g},{w:g},{h:g}")
        on_sequence()
    return findings
