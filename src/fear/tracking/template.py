"""The dual template, and the rule that renews it.

The network sees one template: a weighted sum of the static template's features (first frame, never changed) and the dynamic one's (a
recent crop). The merge costs nothing per frame. Which crop becomes the dynamic template needs no learned score: of the frames since the
last renewal it is the one whose found object looked most like the target by cosine similarity (FEAR, section 3.2).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fear.media.image import Image

Features = NDArray[np.float32]


def cosine_similarity(a: Features, b: Features) -> float:
    """Of two vectors, −1 to 1; 0 where one of them is zero."""
    length = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    return float(np.dot(a, b)) / length if length > 0 else 0.0


def merge_templates(static: Features, dynamic: Features, weight: float) -> Features:
    """Returns `(1 − w)·static + w·dynamic`, the template that the network compares with; (N, C, T, T) each."""
    merged: Features = (1 - weight) * static + weight * dynamic
    return merged


class DualTemplate:
    """Static and dynamic template of one target.

    Args:
        static: (1, C, T, T), features of the first frame's crop.
        dynamic_weight: w, the share of the dynamic template; the network has learned it.
        interval: Frames between renewals.
        enabled: False keeps the first frame's template for good.
    """

    def __init__(self, static: Features, dynamic_weight: float, interval: int, enabled: bool = True) -> None:
        self._static = static
        self._dynamic_weight = dynamic_weight
        self._interval = interval
        self._renews = enabled and dynamic_weight != 0  # with w = 0 a renewal changes nothing
        self._frames = 0
        self._best_similarity = -np.inf
        self._best_crop: Image | None = None
        self._use(static)

    def _use(self, dynamic: Features) -> None:
        self.features: Features = merge_templates(self._static, dynamic, self._dynamic_weight)
        """(1, C, T, T): what the network compares with."""
        self._embedding: Features = self.features.mean(axis=(0, 2, 3))  # e_T (C,)

    def similarity(self, embedding: Features) -> float:
        """Cosine similarity of the target and what was found, −1 to 1.

        Args:
            embedding: (C,), the network's weighted average of the search features.
        """
        return cosine_similarity(self._embedding, embedding)

    def observe(self, similarity: float, cut: Callable[[], Image] | None, embed: Callable[[Image], Features]) -> bool:
        """Counts one tracked frame and, at the end of an interval, renews the dynamic template.

        Args:
            similarity: Cosine similarity of what was found in this frame and the target, −1 to 1.
            cut: Makes the template crop of this frame; called only where it may be needed. None: the target is lost, no candidate.
            embed: The network's template features of a crop; called only for a renewal.

        Returns:
            Whether the template was renewed by this frame.
        """
        if not self._renews:
            return False
        self._frames += 1
        if cut is not None and similarity > self._best_similarity:
            # the crop and not the frame is kept: it is small, and the caller may reuse the frame's memory
            self._best_similarity, self._best_crop = similarity, cut()
        if self._frames < self._interval:
            return False
        crop, self._best_crop, self._best_similarity, self._frames = self._best_crop, None, -np.inf, 0
        if crop is None:
            return False
        self._use(embed(crop))
        return True
