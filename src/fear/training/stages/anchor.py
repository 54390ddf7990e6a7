"""The teacher's answers beside the labels, wherever the teacher is right.

A few thousand labelled samples teach what the teacher does wrong, but they could make the student forget what distillation taught. So the
student also keeps to the teacher's maps, in those samples whose true box the teacher finds. The teacher sees the whole search crop, the
student perhaps a sub-crop of it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from fear.errors import ConfigError
from fear.network import FearNetwork, Prediction
from fear.training.data.batch import Batch
from fear.training.losses import iou_ltrb
from fear.training.sections import AnchorSection
from fear.training.stages.layers import relative_error
from fear.training.stages.sub_crop import SubCrop, border_weights
from fear.training.stages.teacher import Teacher
from fear.training.start import load_network
from fear.training.targets import make_targets

_RIGHT = 0.7  # least IoU of the teacher's best box with the true one
_LEAST_DISTANCE = 1e-3  # pixels; the logarithm of a distance needs one
_NEAR = 0.1  # difference of the logarithms up to which the error counts squared


class Anchor(NamedTuple):
    """A teacher, and how much its answers count."""

    teacher: Teacher
    options: AnchorSection

    def is_static(self, step: int) -> bool:
        """Whether the student has the static template alone in this step, as the teacher has it. The same step answers the same."""
        drawn = torch.rand((), generator=torch.Generator().manual_seed(step))
        return float(drawn) < self.options.static

    def weigh(self, differences: dict[str, Tensor], static: bool) -> Tensor:
        """The weighted sum of `anchor_losses`. Without the template of the teacher, scores and boxes are compared only if all steps do."""
        options = self.options
        compared = static or options.static == 0
        weights = {"anchor_features": options.features}
        weights |= {"anchor_scores": options.scores, "anchor_boxes": options.boxes} if compared else {}
        return torch.stack([weights.get(name, 0.0) * difference for name, difference in differences.items()]).sum()

    def label_weights(self, answer: TeacherAnswer, static: bool) -> Tensor:
        """(B,): how much the labels of each sample count."""
        compared = static or self.options.static == 0
        return torch.where(answer.right, self.options.labels if compared else 1.0, 1.0)


def make_anchor(options: AnchorSection, width: int) -> Anchor:
    """Loads the teacher.

    Args:
        options: Names the teacher.
        width: Channels of the student's features.

    Raises:
        ConfigError: Features are to be compared, and the teacher's have another number of channels.
        WeightsError: There is no such teacher.
    """
    network = load_network(options.teacher)
    if options.features > 0 and network.config.width != width:
        raise ConfigError(
            f"anchor.features: expected 0 for a teacher of another width ({options.teacher} has {network.config.width} channels, "
            f"the student {width}), got {options.features}"
        )
    return Anchor(Teacher(network), options)


class TeacherAnswer(NamedTuple):
    """What the teacher answers for the search crops of a batch, and where it is right."""

    scores: Tensor
    """(B, 1, S, S), confidence from 0 to 1."""
    logs_ltrb: Tensor
    """(B, 4, S, S), logarithms of the distances from each cell to the sides of the box."""
    features: Tensor
    """(B, C, S, S), of the search crops."""
    template: Tensor
    """(B, C, T, T), features of the static template crops."""
    right: Tensor
    """(B,), bool: its best box overlaps the true one enough."""
    whole_cells: int
    """S of the whole search crop, of which the maps may show a part."""

    def of(self, part: SubCrop) -> TeacherAnswer:
        """The part of the answer that concerns a sub-crop."""
        return self._replace(scores=part.of(self.scores), logs_ltrb=part.of(self.logs_ltrb), features=part.of(self.features))


@torch.no_grad()
def ask(teacher: FearNetwork, batch: Batch) -> TeacherAnswer:
    """The teacher's answer for whole search crops, given the static template alone.

    Args:
        teacher: In evaluation mode, on the device of the batch.
        batch: Before its searches are cut to sub-crops.
    """
    features, template = teacher.encode_search(batch.crops.search), teacher.encode_template(batch.crops.static_template)
    found = teacher.compare(features, template)
    targets = make_targets(batch.boxes_xywh, batch.present, found.logits.shape[-1])
    overlaps = iou_ltrb(found.boxes_ltrb, targets.boxes_ltrb).flatten(1)  # (B, S·S)
    best = found.logits.flatten(1).argmax(dim=1, keepdim=True)
    right = batch.present & (overlaps.gather(1, best)[:, 0] > _RIGHT)
    logs = found.boxes_ltrb.clamp_min(_LEAST_DISTANCE).log()
    return TeacherAnswer(found.logits.sigmoid(), logs, features, template, right, features.shape[-1])


def anchor_losses(answer: TeacherAnswer, search: Prediction, features: Tensor, template: Tensor) -> dict[str, Tensor]:
    """Differences from the teacher, each a mean over the batch.

    Scores and boxes of a sample in which the teacher is wrong count as zero. Features are right anyway: they only describe the picture.

    Args:
        answer: The teacher's, for the crops that the student saw.
        search: The student's, for those crops.
        features: (B, C, S, S), the student's, of the search crops; they are left out where the teacher's have another number of channels.
        template: (B, C, T, T), the student's, of the static template crops.
    """
    right = answer.right.to(features.dtype)
    missed = functional.binary_cross_entropy_with_logits(search.logits, answer.scores, reduction="none").flatten(1).mean(dim=1)  # (B,)
    entropy = -torch.special.xlogy(answer.scores, answer.scores) - torch.special.xlogy(1 - answer.scores, 1 - answer.scores)
    logs = search.boxes_ltrb.clamp_min(_LEAST_DISTANCE).log()
    far = functional.smooth_l1_loss(logs, answer.logs_ltrb, reduction="none", beta=_NEAR).mean(dim=1, keepdim=True)
    at_target = (far * answer.scores).flatten(1).sum(dim=1) / answer.scores.flatten(1).sum(dim=1).clamp_min(1e-3)  # (B,)
    differences = {
        "anchor_scores": ((missed - entropy.flatten(1).mean(dim=1)) * right).mean(),  # zero where both maps are equal
        "anchor_boxes": (at_target * right).mean(),
    }
    if features.shape[1] == answer.features.shape[1]:  # a teacher of another width has other features
        cells = features.shape[-1]
        weights = border_weights(cells) if cells < answer.whole_cells else None
        differences["anchor_features"] = relative_error(features, answer.features, weights) + relative_error(template, answer.template)
    return differences
