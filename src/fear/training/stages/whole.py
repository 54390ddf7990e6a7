"""The stage `whole`: the student learns end to end what the teacher answers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from fear.config import STRIDE
from fear.training.data.batch import Batch
from fear.training.stages.distillation import Distillation
from fear.training.stages.layers import Activations, HeadMaps, MatchedLayers, activations, relative_error
from fear.training.stages.rotation import rotate
from fear.training.stages.sub_crop import border_weights, choose_side, choose_sub_crop, resize_weights

# weights of the errors, our choice: each part then contributes about as much to the loss in the middle of training
_FEATURES = 1.5
_HEAD_MAPS = 0.2
_LOGITS = 0.5
_SCORES = 2.0
_DISTANCES = 0.3
_BOXES = 3.0
_NEAR = 0.1  # logarithm of a distance up to which its error counts squared


class WholeStage(Distillation):
    """End to end: features, hints between the pieces of the backbone, maps inside of the heads, scores, boxes.

    The student may have fewer blocks than its teacher and only its strongest channels, and it may see a sub-crop of what the teacher sees.
    """

    def training_step(self, batch: Batch) -> Tensor:
        """The weighted sum of all errors."""
        template = batch.crops.static_template
        search = rotate(batch.crops.search, self._options.rotate, seed=self.global_step)
        with torch.no_grad():
            truth = activations(self._teacher.on(self.device), template, search)
            truth = truth._replace(heads=self.known_heads(truth.heads))
        search, truth, weights = self._sub_crop(search, truth)
        learned = activations(self.network, template, search)
        of_template, template_error = self._encoder_loss(learned.template, truth.template, self._matched_template, None)
        of_search, search_error = self._encoder_loss(learned.search, truth.search, self._matched, weights)
        of_heads, errors = head_losses(learned.heads, truth.heads, weights)
        loss = of_template + of_search + of_heads
        self.report({"loss": loss, "template": template_error, "search": search_error, **errors}, len(search))
        return loss

    def _encoder_loss(
        self, learned: list[Tensor], truth: list[Tensor], matched: MatchedLayers, weights: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The weighted sum of the errors of an encoder, and the error of its features."""
        error = relative_error(learned[-1], self.known_features(truth[-1]), weights)
        hints = [relative_error(learned[mine], truth[other], weights) for mine, other in matched[1:-1]]
        loss = _FEATURES * error
        return (loss + self._options.hints * torch.stack(hints).mean() if hints else loss), error

    def _sub_crop(self, search: Tensor, truth: Activations) -> tuple[Tensor, Activations, Tensor | None]:
        """What the student sees in this step, the teacher's answers for it, and how much each of its cells counts."""
        whole = search.shape[-1]
        side = choose_side(self._options.sub_crop_sides, whole, seed=self.global_step)
        if side == whole:
            return search, truth, None
        part = choose_sub_crop(truth.heads["score"].output.sigmoid(), side, seed=self.global_step)
        needed = {other for _, other in self._matched}
        seen = [part.of(maps) if place in needed else maps for place, maps in enumerate(truth.search)]
        heads = {name: HeadMaps(*map(part.of, maps)) for name, maps in truth.heads.items()}
        return part.of(search), truth._replace(search=seen, heads=heads), border_weights(side // STRIDE)


def head_losses(learned: dict[str, HeadMaps], truth: dict[str, HeadMaps], weights: Tensor | None) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum of the errors of both heads, and the errors by name.

    Args:
        learned: By `score` and `box`, of the student.
        truth: The same of the teacher.
        weights: (S, S), how much each cell counts; None: all count the same.
    """
    confidence = truth["score"].output.sigmoid()
    share = 1.0 if weights is None else resize_weights(weights, confidence)
    errors: dict[str, Tensor] = {}
    loss = torch.zeros((), device=confidence.device)
    for name, maps in learned.items():
        for y, y_truth in zip(maps[:-1], truth[name][:-1], strict=True):
            loss = loss + _HEAD_MAPS * relative_error(y, y_truth, weights)
        errors[name] = relative_error(maps.output, truth[name].output, weights)
    missed = functional.binary_cross_entropy_with_logits(learned["score"].output, confidence, reduction="none")
    errors["confidence"] = (missed * share).mean()
    far = functional.smooth_l1_loss(learned["box"].output, truth["box"].output, reduction="none", beta=_NEAR)
    at_target = confidence * share
    errors["box_at_target"] = (far * at_target).sum() / (4 * at_target.sum() + 1)
    loss = loss + _LOGITS * errors["score"] + _SCORES * errors["confidence"]
    return loss + _DISTANCES * errors["box"] + _BOXES * errors["box_at_target"], errors
