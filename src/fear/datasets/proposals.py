"""Boxes for pictures that have none."""

from __future__ import annotations

import math

import numpy as np

from fear.geometry.boxes import Box

_LONGEST = 8.0  # width to height of an invented box, or the other way round: a fish that turns goes from 7:1 to 1:4


def invented_box(rng: np.random.Generator, height: int, width: int) -> Box:
    """A box somewhere in a picture without labels: 5 to 40 % of each side, not longer than 8:1."""
    w, h = (side * math.exp(rng.uniform(math.log(0.05), math.log(0.4))) for side in (width, height))
    area, ratio = w * h, min(max(w / h, 1 / _LONGEST), _LONGEST)
    w, h = min(math.sqrt(area * ratio), 0.8 * width), min(math.sqrt(area / ratio), 0.8 * height)
    w, h = min(w, _LONGEST * h), min(h, _LONGEST * w)  # once more: a narrow picture may have cut one of them
    return rng.uniform(0, width - w), rng.uniform(0, height - h), w, h
