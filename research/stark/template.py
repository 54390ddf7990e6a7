"""The dual template of a track as STARK uses it: concatenated, or renewed by a learned head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch

from fear.config import TrackerConfig
from fear.media.image import Image, Picture
from fear.runtime.protocol import Crops, Floats, Maps
from fear.runtime.pytorch import TorchNetwork
from fear.tracking.template import DualTemplate, Features
from fear.tracking.tracker import MultiTracker
from research.stark.network import StarkNetwork, UpdateHead

ACCEPTED = 0.5
"""Confidence from which the head lets a frame become the dynamic template, as in STARK."""


class StarkTemplate(DualTemplate):
    """See `DualTemplate`, with STARK's differences.

    Args:
        static: (1, C, T, T), features of the first frame's crop.
        dynamic_weight: w, where templates are not concatenated.
        rules: How often the dynamic template is renewed, if at all.
        concatenate: Both templates stand one above the other.
        head: Chooses the frame of a renewal; None: the similarity does.
    """

    def __init__(self, static: Features, dynamic_weight: float, rules: TrackerConfig, concatenate: bool, head: UpdateHead | None) -> None:
        self._concatenate, self._head = concatenate, head
        self._seen: Features | None = None
        super().__init__(static, dynamic_weight, rules.update_interval, rules.dynamic_template)

    def _use(self, dynamic: Features) -> None:
        super()._use(dynamic)
        if self._concatenate:
            self.features = np.concatenate((self._static, dynamic), axis=2)
            self._embedding = self.features.mean(axis=(0, 2, 3))

    def similarity(self, embedding: Features) -> float:
        """See `DualTemplate.similarity`; the head judges the same embedding later."""
        self._seen = embedding
        return super().similarity(embedding)

    def observe(self, similarity: float, cut: Callable[[], Image] | None, embed: Callable[[Image], Features]) -> bool:
        """See `DualTemplate.observe`; with a head, its confidence takes the place of the similarity."""
        if self._head is None or self._seen is None:
            return super().observe(similarity, cut, embed)
        with torch.inference_mode():
            logit = self._head(torch.from_numpy(self._embedding)[None], torch.from_numpy(self._seen)[None])
        confidence = float(logit.sigmoid())
        return super().observe(confidence, cut if confidence > ACCEPTED else None, embed)


class StarkRuntime(TorchNetwork):
    """A `StarkNetwork` on torch. Where it is given one template instead of two, this one stands for both."""

    def __init__(self, network: StarkNetwork) -> None:
        super().__init__(network)
        self._concatenate, self._rows = network.concatenate, network.config.template_cells

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        """See `Network.match`."""
        alone = self._concatenate and template_features.shape[2] == self._rows
        return super().match(search_crops, np.concatenate((template_features,) * 2, axis=2) if alone else template_features)


class StarkTracker(MultiTracker):
    """A tracker of single targets with the templates of a `StarkNetwork`.

    Args:
        network: Tells how templates are used.
        config: Rules around it.
    """

    def __init__(self, network: StarkNetwork, config: TrackerConfig | None = None) -> None:
        super().__init__(StarkRuntime(network), config=config)
        self._concatenate = network.concatenate
        self._head = None if network.update_head is None else network.update_head.eval()

    def init(self, frame: Picture, boxes_xywh: Sequence[Iterable[Any]]) -> None:
        """See `MultiTracker.init`."""
        super().init(frame, boxes_xywh)
        for target in self._targets:
            static, weight = target.template.features, self.network.dynamic_weight
            target.template = StarkTemplate(static, weight, self.config, self._concatenate, self._head)
