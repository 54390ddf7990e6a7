"""What a tracker asks of a network, whichever runtime computes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fear.config import NetworkConfig
from fear.errors import WeightsError

Crops = NDArray[np.uint8]
Floats = NDArray[np.float32]

QUANTISED = "match-int8"
"""Name of the quantised graph beside `match`, in the folders that have one."""


class Maps(NamedTuple):
    """The network's answer to N search crops; S is the number of cells along a side of a crop, one for 16 pixels."""

    scores: Floats
    """(N, 1, S, S), confidence 0 to 1."""
    boxes_ltrb: Floats
    """(N, 4, S, S), distances left, top, right, bottom from each cell's place, in search pixels."""
    search_embeddings: Floats
    """(N, C), confidence-weighted averages of the search features."""


def require_finite(maps: Maps) -> Maps:
    """Returns the maps.

    Raises:
        WeightsError: They hold NaN or infinity.
    """
    if not all(np.isfinite(part).all() for part in maps):
        raise WeightsError(
            "expected finite numbers from the network, got NaN or infinity; its weights are damaged or too large for its precision: "
            "take an undamaged copy, or an export in fp32"
        )
    return maps


def require_template_shapes(config: NetworkConfig, crop: Sequence[object], features: Sequence[object], source: Path) -> None:
    """Checks the graph that encodes templates against the configuration that came with it.

    Args:
        config: Of the network.
        crop: Shape of the graph's input.
        features: Shape of its output.
        source: Where the graph lies, for the message.

    Raises:
        WeightsError: The graph belongs to another network.
    """
    side = config.template_size
    expected, found = ([1, side, side, 3], [1, *config.template_shape]), (list(crop), list(features))
    if found != expected:
        raise WeightsError(f"{source}: expected a graph from {expected[0]} to {expected[1]} of config.json, got {found[0]} to {found[1]}")


class Network(Protocol):
    """A FEAR network on some runtime. It holds no state of a track, and several threads may use it at once."""

    @property
    def config(self) -> NetworkConfig:
        """The configuration of the network."""

    @property
    def dynamic_weight(self) -> float:
        """Weight w of the dual template: the share of the dynamic template, 0 to 1."""

    def encode_template(self, template_crops: Crops) -> Floats:
        """Returns the features of a template crop: uint8 RGB (1, 128, 128, 3) → (1, C, 8, 8)."""

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        """Finds templates in search crops: uint8 RGB (N, 16·S, 16·S, 3) and (N, C, 8, 8)."""
