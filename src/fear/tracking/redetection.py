"""Finding a lost target again: where to look, and when a candidate counts.

While a target is lost, its box stays where it was last sure. The local search goes on there, and further searches of each frame look over
the whole picture, nearest first. A candidate is looked at again in the next frames, each time in a search that is centred on it. It counts
when it convinced in all of them, and is dropped otherwise. Long-term trackers such as DaSiamRPN (ECCV 2018) widen their search while the
score is low; the rule that decides here is the cosine similarity of FEAR.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, cycle

import numpy as np

from fear.config import NetworkConfig, TrackerConfig
from fear.geometry.boxes import Box
from fear.geometry.context import search_window
from fear.geometry.window import Window

_STEP = 0.6  # distance of neighbouring windows, relative to their size; a target near a border is well inside the next window
_SCALES = (1.0, 1.5, 1.0, 1.5, 0.67)  # assumed size of the target relative to its last size, one value for each round over the picture
_MOST = 128  # most windows along one side of the picture, so that a tiny target does not cost seconds
_LARGEST_CHANGE = 2.5  # largest ratio of width or height between the last confident box and a candidate


class Redetection:
    """The search for one lost target.

    Args:
        box_xywh: Where the target was last sure, in pixels of the frame.
        height: Of the frame.
        width: Of the frame.
        rules: Of tracking.
        network: Side of the crops.
    """

    def __init__(self, box_xywh: Box, height: int, width: int, rules: TrackerConfig, network: NetworkConfig) -> None:
        self.box_xywh = box_xywh
        self._height, self._width, self._rules, self._network = height, width, rules, network
        self._places = self._all_places()
        self.candidate: Box | None = None
        self._convinced = 0

    def windows(self) -> list[Window]:
        """What this frame's searches show besides the local one; none while a candidate is looked at."""
        if self.candidate is not None:
            return []
        return [next(self._places) for _ in range(self._rules.redetection_work - 1)]  # the local search is one of them

    def is_plausible(self, box_xywh: Box) -> bool:
        """Whether a box has about the size of the target."""
        changes = (box_xywh[2] / self.box_xywh[2], box_xywh[3] / self.box_xywh[3])
        return all(1 / _LARGEST_CHANGE <= change <= _LARGEST_CHANGE for change in changes)

    def propose(self, box_xywh: Box) -> None:
        """Makes a box the candidate that the next frames check."""
        self.candidate, self._convinced = box_xywh, 0

    def confirm(self, box_xywh: Box) -> bool:
        """Counts one confirmation of the candidate, which is at this box now; returns whether the target counts as found."""
        self.candidate = box_xywh
        self._convinced += 1
        return self._convinced >= self._rules.found_frames

    def drop(self) -> None:
        """Forgets the candidate and its confirmations."""
        self.candidate, self._convinced = None, 0

    def _all_places(self) -> Iterator[Window]:
        """Windows over the whole picture without end, round after round, nearest to the last sure place first."""
        return chain.from_iterable(self._round(scale) for scale in cycle(_SCALES))

    def _round(self, scale: float) -> Iterator[Window]:
        x, y, w, h = self.box_xywh
        _, _, width, height, side = search_window((0.0, 0.0, w * scale, h * scale), self._rules, self._network, steady=True)
        across, down = _line(width, self._width, x + w / 2), _line(height, self._height, y + h / 2)
        distances = np.hypot((np.array(across)[:, None] - x - w / 2) / width, (np.array(down) - y - h / 2) / height)  # (columns, rows)
        for number in np.argsort(distances, axis=None, kind="stable").tolist():
            column, row = divmod(number, len(down))
            yield Window(across[column] - width / 2, down[row] - height / 2, width, height, side).on_pixels()


def _line(window: float, frame: int, place: float) -> list[float]:
    """Centres of windows that cover a frame along one side, or its part around a place where they would be too many."""
    room = max(frame - window * _STEP, 0.0)
    count = 1 + math.ceil(room / max(window * _STEP, frame * 1e-9))  # a window may be as small as a float can be
    if count == 1:
        return [frame / 2]
    nearest = (place - window * _STEP / 2) / room * (count - 1)
    first = min(max(round(nearest) - _MOST // 2, 0), max(count - _MOST, 0))
    return [window * _STEP / 2 + k * room / (count - 1) for k in range(first, min(first + _MOST, count))]
