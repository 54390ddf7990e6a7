"""The stage that learns with the losses of FEAR."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from fear.datasets.clip import Clip
from fear.network import FearNetwork, Prediction
from fear.training.data.batch import Batch, SampleCrops
from fear.training.losses import Losses, balanced_cross_entropy, focal_loss, regression_loss, stranger_loss, triplet_loss
from fear.training.sections import LossSection, SamplingSection, StageSection
from fear.training.stages.anchor import Anchor, anchor_losses, ask
from fear.training.stages.rotation import quarter_turns
from fear.training.stages.search_sides import cut_searches
from fear.training.stages.stage import Stage
from fear.training.stages.sub_crop import choose_side
from fear.training.targets import Targets, make_targets


class Seen(NamedTuple):
    """What the network says of the four crops of a batch."""

    template: Tensor
    """(B, C), e_T: the mean of the merged template features."""
    search: Prediction
    negative: Prediction
    """Of the negative crops."""
    strangers: Prediction | None
    """Of the search crops with the template of another sample, where that was asked for."""
    search_features: Tensor
    """(B, C, S, S)"""
    template_features: Tensor
    """(B, C, T, T), of the static template crops."""


def predict(network: FearNetwork, crops: SampleCrops[Tensor], static_only: bool = False, strangers: bool = False) -> Seen:
    """Runs the network on the four crops of every sample.

    Args:
        network: In training or evaluation mode.
        crops: Four of each sample.
        static_only: Leave out the dynamic template.
        strangers: Compare each search crop with the template of the next sample of the batch, too.

    Raises:
        TypeError: a batch for distillation, which has two crops.
    """
    if crops.dynamic_template is None or crops.negative is None:
        raise TypeError("the losses of FEAR need all four crops")
    if static_only:
        static = dynamic = network.encode_template(crops.static_template)
    else:
        static, dynamic = network.encode_template(torch.cat((crops.static_template, crops.dynamic_template))).chunk(2)
    template = network.merge(static, dynamic)
    features = network.encode_search(torch.cat((crops.search, crops.negative)))
    templates = torch.cat((template, template))
    searched = features.chunk(2)[0]
    if strangers:
        features, templates = torch.cat((features, searched)), torch.cat((templates, template.roll(1, 0)))
    found = network.compare(features, templates)
    search, negative, *other = (Prediction(*parts) for parts in zip(*(maps.split(len(template)) for maps in found), strict=True))
    return Seen(template.mean(dim=(2, 3)), search, negative, other[0] if other else None, searched, static)


def targets_of(batch: Batch, found: Prediction) -> Targets:
    """The true maps of a batch, as large as those that the network found."""
    return make_targets(batch.boxes_xywh, batch.present, found.logits.shape[-1])


class TrackStage(Stage):
    """The losses of FEAR: triplet, regression, classification (section 3.5 of the paper).

    Args:
        network: The one to train.
        stage: Optimiser and lengths.
        validation: Clips that are tracked after every epoch.
        options: Variants of the losses.
        sampling: Sides of the search crops, and how many of them are turned. None: crops stay whole and upright.
        anchor: A teacher whose answers stand beside the labels; None: labels alone.
    """

    def __init__(
        self,
        network: FearNetwork,
        stage: StageSection,
        validation: list[Clip],
        options: LossSection,
        sampling: SamplingSection | None = None,
        anchor: Anchor | None = None,
    ) -> None:
        super().__init__(network, stage, validation)
        self._options, self._sampling, self._anchor = options, sampling or SamplingSection(), anchor

    def training_step(self, batch: Batch) -> Tensor:
        """The sum of all losses."""
        anchor, sampling = self._anchor, self._sampling
        batch = quarter_turns(batch, sampling.turned, seed=self.global_step)
        answer = None if anchor is None else ask(anchor.teacher.on(self.device), batch)
        whole = batch.crops.search.shape[-1]
        side = choose_side(sampling.search_sides, whole, seed=self.global_step)
        if side < whole:
            batch, part = cut_searches(batch, side, seed=self.global_step)
            answer = None if answer is None else answer.of(part)
        static = anchor is not None and anchor.is_static(self.global_step)
        seen = predict(self.network, batch.crops, static, strangers=self._options.strangers > 0)
        weights = None if anchor is None or answer is None else anchor.label_weights(answer, static)
        losses = self.losses(batch, seen, weights)
        parts, total = losses._asdict(), losses.total()
        if self._options.negative > 0:
            parts["negative"] = functional.softplus(seen.negative.logits).mean()  # cross-entropy where no cell is the target
            total = total + self._options.negative * parts["negative"]
        if seen.strangers is not None:
            parts["strangers"] = stranger_loss(seen.strangers.logits, targets_of(batch, seen.strangers))
            total = total + self._options.strangers * parts["strangers"]
        if anchor is not None and answer is not None:
            differences = anchor_losses(answer, seen.search, seen.search_features, seen.template_features)
            parts |= differences
            total = total + anchor.weigh(differences, static)
        self.report({"loss": total, **parts, "w": self.network.dynamic_weight}, len(batch.present))
        return total

    def losses(self, batch: Batch, seen: Seen, weights: Tensor | None = None) -> Losses:
        """The three losses of the paper. The samples count by their weights (B,)."""
        targets = targets_of(batch, seen.search)
        classification = balanced_cross_entropy if self._options.balanced else focal_loss
        return Losses(
            triplet_loss(seen.template, seen.search.embedding, seen.negative.embedding, batch.present, weights),
            regression_loss(seen.search.boxes_ltrb, targets, weights),
            classification(seen.search.logits, targets, weights),
        )
