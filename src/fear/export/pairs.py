"""The crops that an export is compared and calibrated on; its caller cuts them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Crops = NDArray[np.uint8]


class Pair(NamedTuple):
    """A template crop and a search crop of the same target."""

    template: Crops
    """(1, 128, 128, 3)"""
    search: Crops
    """(1, 192, 192, 3), or of the smaller side for steady targets."""


class CropSet(NamedTuple):
    """All crops that an export needs."""

    compared: Sequence[Pair]
    """The exported network is compared with torch on these."""
    calibration: Sequence[Pair] = ()
    """int8 is calibrated on these."""

    @property
    def sides(self) -> list[int]:
        """Sides in pixels of the compared search crops, each once."""
        return sorted({pair.search.shape[1] for pair in self.compared})
