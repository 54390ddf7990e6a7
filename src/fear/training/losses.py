"""The losses of FEAR (section 3.5) and their sum.

Every one is a mean over the samples of a batch, so that two machines with half a batch each learn what one with the whole would. A sample
that has nothing to say, such as one without a positive cell, counts as zero, never as NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from fear.training.recipe import LossSection
from fear.training.targets import Targets


class Losses(NamedTuple):
    """The parts of one step, scalars."""

    triplet: Tensor
    regression: Tensor
    classification: Tensor

    def total(self, weights: LossSection) -> Tensor:
        """0.5 · triplet + regression + classification, with the paper's weights."""
        return weights.triplet * self.triplet + weights.regression * self.regression + weights.classification * self.classification


def triplet_loss(template: Tensor, search: Tensor, negative: Tensor, present: Tensor, margin: float = 1.0) -> Tensor:
    """`max(d(e_T, e_S) − d(e_T, e_N) + margin, 0)`, d the L2 distance of unit vectors.

    Args:
        template: e_T (B, C)
        search: e_S (B, C)
        negative: e_N (B, C)
        present: (B,), bool; a search without the target has nothing to pull closer.
        margin: 1 on unit vectors, whose distances go up to 2; our choice.
    """
    anchor, positive, other = (functional.normalize(embedding, dim=1) for embedding in (template, search, negative))
    each = (_distance(anchor, positive) - _distance(anchor, other) + margin).clamp_min(0)  # (B,)
    return torch.where(present, each, torch.zeros_like(each)).mean()


def regression_loss(boxes_ltrb: Tensor, targets: Targets) -> Tensor:
    """`1 − IoU`, mean over the positive cells of each sample.

    Args:
        boxes_ltrb: (B, 4, S, S), predicted distances, above zero.
        targets: True maps.
    """
    return _mean_where(1 - iou_ltrb(boxes_ltrb, targets.boxes_ltrb), targets.positive[:, 0])


def focal_loss(logits: Tensor, targets: Targets, gamma: float = 2.0) -> Tensor:
    """`−(1 − p_t)^γ log p_t`, summed over a sample's cells and divided by the number of its positive ones, as in Lin et al. (ICCV 2017).

    Args:
        logits: (B, 1, S, S)
        targets: True maps.
        gamma: How much sure cells are damped; 2 is Lin et al.'s.
    """
    signed = torch.where(targets.positive, logits, -logits)  # p_t = sigmoid(signed)
    each = (torch.sigmoid(-signed) ** gamma * functional.softplus(-signed)).flatten(1).sum(dim=1)  # (B,)
    return (each / targets.positive.flatten(1).sum(dim=1).clamp_min(1)).mean()


def balanced_cross_entropy(logits: Tensor, targets: Targets) -> Tensor:
    """Half the mean over positive cells and half the mean over the others, sample by sample: the published code's loss.

    Args:
        logits: (B, 1, S, S)
        targets: True maps.
    """
    each = functional.binary_cross_entropy_with_logits(logits, targets.positive.to(logits.dtype), reduction="none")
    return 0.5 * _mean_where(each, targets.positive) + 0.5 * _mean_where(each, ~targets.positive)


def iou_ltrb(a: Tensor, b: Tensor) -> Tensor:
    """IoU of boxes that are given as distances from one place, (B, 4, S, S) each → (B, S, S); the place may lie outside."""
    nearer = torch.minimum(a, b)  # the shared box reaches to the nearer of both sides
    shared = (nearer[:, 0] + nearer[:, 2]).clamp_min(0) * (nearer[:, 1] + nearer[:, 3]).clamp_min(0)
    area_a, area_b = ((box[:, 0] + box[:, 2]) * (box[:, 1] + box[:, 3]) for box in (a, b))
    return shared / (area_a + area_b - shared).clamp_min(1e-6)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """L2 over channels, (B, C) → (B,); its gradient is finite where both are equal."""
    return ((a - b).square().sum(dim=1) + 1e-12).sqrt()


def _mean_where(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the masked cells of each sample, zero where it has none; then over samples: (B, …) → scalar."""
    chosen = torch.where(mask, values, torch.zeros_like(values)).flatten(1).sum(dim=1)  # (B,)
    return (chosen / mask.flatten(1).sum(dim=1).clamp_min(1)).mean()
