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

from fear.network import FearNetwork
from fear.training.data.batch import Batch
from fear.training.losses import iou_ltrb
from fear.training.sections import AnchorSection
from fear.training.stages.sub_crop import SubCrop
from fear.training.stages.teacher import Teacher
from fear.training.targets import make_targets

_RIGHT = 0.7  # least IoU of the teacher's best box with the true one
_LEAST_DISTANCE = 1e-3  # pixels; the logarithm of a distance needs one
_NEAR = 0.1  # difference of the logarithms up to which the error counts squared


class Anchor(NamedTuple):
    """A teacher, and how much its answers count."""

    teacher: Teacher
    options: AnchorSection

    def weigh(self, differences: dict[str, Tensor]) -> Tensor:
        """The weighted sum of `anchor_losses`."""
        return self.options.scores * differences["anchor_scores"] + self.options.boxes * differences["anchor_boxes"]


class TeacherAnswer(NamedTuple):
    """What the teacher answers for the search crops of a batch, and where it is right."""

    scores: Tensor
    """(B, 1, S, S), confidence from 0 to 1."""
    logs_ltrb: Tensor
    """(B, 4, S, S), logarithms of the distances from each cell to the sides of the box."""
    right: Tensor
    """(B,), bool: its best box overlaps the true one enough."""

    def of(self, part: SubCrop) -> TeacherAnswer:
        """The part of the answer that concerns a sub-crop."""
        return self._replace(scores=part.of(self.scores), logs_ltrb=part.of(self.logs_ltrb))


@torch.no_grad()
def ask(teacher: FearNetwork, batch: Batch) -> TeacherAnswer:
    """The teacher's answer for whole search crops, given the static template alone.

    Args:
        teacher: In evaluation mode, on the device of the batch.
        batch: Before its searches are cut to sub-crops.
    """
    found = teacher.match(batch.crops.search, teacher.encode_template(batch.crops.static_template))
    targets = make_targets(batch.boxes_xywh, batch.present, found.logits.shape[-1])
    overlaps = iou_ltrb(found.boxes_ltrb, targets.boxes_ltrb).flatten(1)  # (B, S·S)
    best = found.logits.flatten(1).argmax(dim=1, keepdim=True)
    right = batch.present & (overlaps.gather(1, best)[:, 0] > _RIGHT)
    return TeacherAnswer(found.logits.sigmoid(), found.boxes_ltrb.clamp_min(_LEAST_DISTANCE).log(), right)


def anchor_losses(answer: TeacherAnswer, logits: Tensor, boxes_ltrb: Tensor) -> dict[str, Tensor]:
    """Differences from the teacher, each a mean over the batch. A sample in which the teacher is wrong counts as zero.

    Args:
        answer: The teacher's, for the crops that the student saw.
        logits: (B, 1, S, S), the student's.
        boxes_ltrb: (B, 4, S, S), the student's, above zero.
    """
    right = answer.right.to(logits.dtype)
    missed = functional.binary_cross_entropy_with_logits(logits, answer.scores, reduction="none").flatten(1).mean(dim=1)  # (B,)
    entropy = -torch.special.xlogy(answer.scores, answer.scores) - torch.special.xlogy(1 - answer.scores, 1 - answer.scores)
    logs = boxes_ltrb.clamp_min(_LEAST_DISTANCE).log()
    far = functional.smooth_l1_loss(logs, answer.logs_ltrb, reduction="none", beta=_NEAR).mean(dim=1, keepdim=True)
    at_target = (far * answer.scores).flatten(1).sum(dim=1) / answer.scores.flatten(1).sum(dim=1).clamp_min(1e-3)  # (B,)
    return {
        "anchor_scores": ((missed - entropy.flatten(1).mean(dim=1)) * right).mean(),  # zero where both maps are equal
        "anchor_boxes": (at_target * right).mean(),
    }
