"""A network that answers what a test tells it to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fear.config import FEAR_XS, STRIDE, NetworkConfig
from fear.runtime.protocol import Crops, Floats, Maps


class ScriptedNetwork:
    """A network that sees what it is told to.

    Args:
        answer: number of the search, 0 in the frame in which the target is given → score, distances left, top, right, bottom from the
            cell's place, cell (row, column) of all that the network can see.
        dynamic_weight: w.
        similarity: number of the search → cosine similarity with the first template.
    """

    def __init__(
        self,
        answer: Callable[[int], tuple[float, tuple[float, float, float, float], tuple[int, int]]] = lambda k: (
            0.9,
            (24, 24, 24, 24),
            (8, 8),
        ),
        dynamic_weight: float = 0.0,
        similarity: Callable[[int], float] = lambda k: 1.0,
        config: NetworkConfig = FEAR_XS,
    ) -> None:
        self.config, self.dynamic_weight = config, dynamic_weight
        self.answer, self.similarity = answer, similarity
        self.embedded: list[Crops] = []
        self.searched: list[Crops] = []
        self.templates: list[Floats] = []

    def encode_template(self, template_crops: Crops) -> Floats:
        self.embedded.append(template_crops.copy())
        features = np.zeros((1, self.config.width, 8, 8), np.float32)
        features[:, 0] = 1
        features[:, 1] = len(self.embedded) - 1  # tells the templates apart: 0 is the static one
        return features

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        self.searched.append(search_crops.copy())
        self.templates.append(template_features.copy())
        call, batch, cells = len(self.searched) - 1, len(search_crops), search_crops.shape[1] // STRIDE
        score, ltrb, place = self.answer(call)
        # crops may show the middle only: what lies beyond is found at the border, what falls between two cells at the one before it
        hidden = (self.config.search_size - search_crops.shape[1]) // 2
        row, column = (min(max((cell * STRIDE - hidden) // STRIDE, 0), cells - 1) for cell in place)
        off = hidden % STRIDE
        left, top, right, bottom = ltrb
        ltrb = left - off, top - off, right + off, bottom + off
        scores = np.full((batch, 1, cells, cells), 0.01, np.float32)
        scores[:, 0, row, column] = score
        boxes = np.ones((batch, 4, cells, cells), np.float32)
        boxes[:, :, row, column] = ltrb
        cosine = self.similarity(call)
        embedding = np.zeros((batch, self.config.width), np.float32)
        embedding[:, 0], embedding[:, 2] = cosine, np.sqrt(1 - cosine**2)
        return Maps(scores, boxes, embedding)
