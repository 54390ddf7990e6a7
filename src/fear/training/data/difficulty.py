"""Clips on which the present weights fail are drawn more often.

Before a run begins, the weights that it starts from follow every labelled clip from its first box. The share of a clip in the samples grows
as its mean overlap falls. The weights of the clips are kept in the run's folder, so that a resumed run draws the same samples.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from fear.parsing import parse_json
from fear.tracking.protocol import BoxTracker
from fear.training.data.sampler import Pool
from fear.training.stages.validation import mean_overlap

_LEAST = 0.25  # weight of a clip that is followed without any error; a clip that is lost at once has 1.25
EVERY = 2
"""Only each second frame is shown, which takes half the time."""


def difficulty_weights(pools: Sequence[Pool], tracker: BoxTracker, every: int = EVERY) -> dict[str, float]:
    """Weights of the clips by name, without stills and clips whose first frame has no box.

    Args:
        pools: Data sets.
        tracker: With the weights that the run starts from.
        every: Frames from one that is shown to the next.
    """
    clips = [clip for pool in pools for clip in pool.clips if len(clip) > every and clip.visible[0]]
    return {clip.name: _LEAST + 1 - mean_overlap(tracker, clip.part(slice(None, None, every))) for clip in clips}


def keep_weights(weights: dict[str, float], table: Path) -> None:
    """Writes the weights, whole or not at all."""
    unfinished = table.with_name(f".{table.name}")
    unfinished.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(table)


def kept_weights(table: Path) -> dict[str, float] | None:
    """The weights that were written before; None where there are none."""
    if not table.is_file():
        return None
    weights: dict[str, float] = parse_json(table.read_text(encoding="utf-8"))
    return weights
