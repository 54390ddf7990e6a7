"""The stage that learns with the losses of FEAR."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from fear.datasets.clip import Clip
from fear.network import FearNetwork, Prediction
from fear.training.data.batch import Batch
from fear.training.losses import Losses, balanced_cross_entropy, focal_loss, regression_loss, triplet_loss
from fear.training.recipe import LossSection, StageSection
from fear.training.stages.stage import Stage
from fear.training.targets import Targets, make_targets


def observe(
    network: FearNetwork, static: Tensor, dynamic: Tensor, search: Tensor, negative: Tensor
) -> tuple[Tensor, Prediction, Prediction]:
    """What the losses of FEAR look at: crops (B, 3, side, side) → e_T (B, C), the search's prediction, the negative crop's."""
    template = network.merge(*network.encode_template(torch.cat((static, dynamic))).chunk(2))
    both = network.match(torch.cat((search, negative)), torch.cat((template, template)))
    halves = [part.chunk(2) for part in both]
    found, beside = (Prediction(*parts) for parts in zip(*halves, strict=True))
    return template.mean(dim=(2, 3)), found, beside


class TrackStage(Stage):
    """The losses of FEAR: triplet, regression, classification (section 3.5).

    Args:
        network: The one to train.
        stage: Optimiser and lengths.
        validation: Sequences to track after every epoch.
        options: Weights and variants of the losses.
    """

    def __init__(self, network: FearNetwork, stage: StageSection, validation: list[Clip], options: LossSection) -> None:
        super().__init__(network, stage, validation)
        self._options = options

    def training_step(self, batch: Batch) -> Tensor:
        """The sum of all losses."""
        if batch.dynamic is None or batch.negative is None:
            raise TypeError("the losses of FEAR need all four crops")
        crops = batch.static, batch.dynamic, batch.search, batch.negative
        template, found, negative = observe(self.network, *crops)
        losses = self.losses(batch, template, found, negative)
        parts = losses._asdict()
        total = losses.total(self._options)
        if self._options.negative > 0:
            parts["negative"] = functional.softplus(negative.logits).mean()  # cross-entropy where nothing is the target
            total = total + self._options.negative * parts["negative"]
        self.report({"loss": total, **parts, "w": self.network.dynamic_weight}, len(batch.present))
        return total

    def losses(self, batch: Batch, template: Tensor, found: Prediction, negative: Prediction) -> Losses:
        """The three losses of the paper."""
        options = self._options
        targets: Targets = make_targets(batch.boxes_xywh, batch.present, found.logits.shape[-1], options.region)
        return Losses(
            triplet_loss(template, found.embedding, negative.embedding, batch.present, options.margin),
            regression_loss(found.boxes_ltrb, targets),
            balanced_cross_entropy(found.logits, targets) if options.balanced else focal_loss(found.logits, targets, options.gamma),
        )
