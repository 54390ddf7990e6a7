"""The losses of FEAR (arXiv 2112.07957, section 3.5) and their sum.

Each loss is a mean over the samples of a batch, so two machines with half a batch each learn what one machine learns from the whole one. A
sample to which a loss does not apply, such as one without a positive cell, counts as zero, never as NaN. Each loss takes `weights` (B,), by
which the samples are multiplied before the mean; None counts all of them as 1.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from fear.training.targets import Targets

TRIPLET_WEIGHT, REGRESSION_WEIGHT, CLASSIFICATION_WEIGHT = 0.5, 1.0, 1.0
"""Weights of the losses in their sum (paper)."""
MARGIN = 1.0
"""Margin of the triplet loss on unit vectors, whose distances go up to 2; our choice."""
FOCUS = 2.0
"""Exponent γ of the focal loss (Lin et al., ICCV 2017)."""


class Losses(NamedTuple):
    """The losses of one step, scalars."""

    triplet: Tensor
    regression: Tensor
    classification: Tensor

    def total(self) -> Tensor:
        """0.5 · triplet + regression + classification (paper)."""
        return TRIPLET_WEIGHT * self.triplet + REGRESSION_WEIGHT * self.regression + CLASSIFICATION_WEIGHT * self.classification


def triplet_loss(template: Tensor, search: Tensor, negative: Tensor, present: Tensor, weights: Tensor | None = None) -> Tensor:
    """`max(d(e_T, e_S) − d(e_T, e_N) + margin, 0)`, d the L2 distance of unit vectors.

    Args:
        template: e_T (B, C)
        search: e_S (B, C)
        negative: e_N (B, C)
        present: (B,), bool; False for a search without the target, which counts as zero.
        weights: (B,), of the samples.
    """
    anchor, positive, other = (functional.normalize(embedding, dim=1) for embedding in (template, search, negative))
    each = (_distance(anchor, positive) - _distance(anchor, other) + MARGIN).clamp_min(0)  # (B,)
    return _mean(torch.where(present, each, torch.zeros_like(each)), weights)


def regression_loss(boxes_ltrb: Tensor, targets: Targets, weights: Tensor | None = None) -> Tensor:
    """`1 − IoU`, mean over the positive cells of each sample.

    Args:
        boxes_ltrb: (B, 4, S, S), predicted distances, above zero.
        targets: True maps.
        weights: (B,), of the samples.
    """
    return _mean(_where(1 - iou_ltrb(boxes_ltrb, targets.boxes_ltrb), targets.positive[:, 0]), weights)


def focal_loss(logits: Tensor, targets: Targets, weights: Tensor | None = None) -> Tensor:
    """`−(1 − p_t)^γ log p_t`, summed over the cells of a sample and divided by the number of its positive cells (Lin et al., ICCV 2017).

    Args:
        logits: (B, 1, S, S)
        targets: True maps.
        weights: (B,), of the samples.
    """
    signed = torch.where(targets.positive, logits, -logits)  # p_t = sigmoid(signed)
    each = (torch.sigmoid(-signed) ** FOCUS * functional.softplus(-signed)).flatten(1).sum(dim=1)  # (B,)
    return _mean(each / targets.positive.flatten(1).sum(dim=1).clamp_min(1), weights)


def balanced_cross_entropy(logits: Tensor, targets: Targets, weights: Tensor | None = None) -> Tensor:
    """Half the mean over the positive cells of a sample plus half the mean over its other cells (published code).

    Args:
        logits: (B, 1, S, S)
        targets: True maps.
        weights: (B,), of the samples.
    """
    each = functional.binary_cross_entropy_with_logits(logits, targets.positive.to(logits.dtype), reduction="none")
    return _mean(0.5 * _where(each, targets.positive) + 0.5 * _where(each, ~targets.positive), weights)


def iou_ltrb(a: Tensor, b: Tensor) -> Tensor:
    """IoU of boxes that are given as distances from one place: twice (B, 4, S, S) → (B, S, S). The place may lie outside of a box."""
    nearer = torch.minimum(a, b)  # the intersection ends at the nearer side of both boxes
    shared = (nearer[:, 0] + nearer[:, 2]).clamp_min(0) * (nearer[:, 1] + nearer[:, 3]).clamp_min(0)
    area_a, area_b = ((box[:, 0] + box[:, 2]) * (box[:, 1] + box[:, 3]) for box in (a, b))
    return shared / (area_a + area_b - shared).clamp_min(1e-6)


def stranger_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Cross-entropy at a target that the template does not show, `softplus` of the logits at its cells: no cell is the one searched for.

    A batch compares the search of each sample with the template of another one. Such pairs teach to tell one object from another, as the
    negative pairs of DaSiamRPN do (arXiv 1808.06048).

    Args:
        logits: (B, 1, S, S), of searches with the templates of other samples.
        targets: True maps of the searches; a sample without its target counts as zero.
    """
    return _mean(_where(functional.softplus(logits), targets.positive), None)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """L2 distance over channels, (B, C) → (B,). Its gradient is finite where both vectors are equal."""
    return ((a - b).square().sum(dim=1) + 1e-12).sqrt()


def _where(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the masked cells of each sample, zero where it has none: (B, …) → (B,)."""
    chosen = torch.where(mask, values, torch.zeros_like(values)).flatten(1).sum(dim=1)
    return chosen / mask.flatten(1).sum(dim=1).clamp_min(1)


def _mean(each: Tensor, weights: Tensor | None) -> Tensor:
    """Mean over the samples, (B,) → scalar."""
    return each.mean() if weights is None else (each * weights).mean()
