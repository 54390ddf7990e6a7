"""The losses of FEAR (section 3.5) and their sum.

Every one is zero, and never NaN, where there is nothing to learn from.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from fear.training.targets import Targets

WEIGHTS = (0.5, 1.0, 1.0)
"""Of triplet, regression, classification (paper)."""


class Losses(NamedTuple):
    """The parts of one step, scalars."""

    triplet: Tensor
    regression: Tensor
    classification: Tensor

    @property
    def total(self) -> Tensor:
        """0.5 · triplet + regression + classification."""
        return torch.stack(tuple(weight * part for weight, part in zip(WEIGHTS, self, strict=True))).sum()


def triplet_loss(template: Tensor, search: Tensor, negative: Tensor, present: Tensor, margin: float = 1.0) -> Tensor:
    """`max(d(e_T, e_S) − d(e_T, e_N) + margin, 0)`, d the L2 distance of unit vectors; mean over searches with the target.

    Args:
        template: e_T (B, C)
        search: e_S (B, C)
        negative: e_N (B, C)
        present: (B,), bool; a search without the target has nothing to pull closer.
        margin: 1 on unit vectors, whose distances go up to 2; our choice.
    """
    anchor, positive, other = (functional.normalize(embedding, dim=1) for embedding in (template, search, negative))
    each = (_distance(anchor, positive) - _distance(anchor, other) + margin).clamp_min(0)  # (B,)
    return _mean_where(each, present)


def regression_loss(boxes_ltrb: Tensor, targets: Targets) -> Tensor:
    """`1 − IoU`, mean over positive cells.

    Args:
        boxes_ltrb: (B, 4, S, S), predicted distances, above zero.
        targets: True maps.
    """
    return _mean_where(1 - iou_ltrb(boxes_ltrb, targets.boxes_ltrb), targets.positive[:, 0])


def focal_loss(logits: Tensor, targets: Targets, gamma: float = 2.0) -> Tensor:
    """`−(1 − p_t)^γ log p_t`, mean over cells; γ = 2 is Lin et al.'s (ICCV 2017).

    Args:
        logits: (B, 1, S, S)
        targets: True maps.
        gamma: How much sure cells are damped.
    """
    signed = torch.where(targets.positive, logits, -logits)  # p_t = sigmoid(signed)
    return (torch.sigmoid(-signed) ** gamma * functional.softplus(-signed)).mean()


def balanced_cross_entropy(logits: Tensor, targets: Targets) -> Tensor:
    """Half the mean over positive cells and half the mean over the others: the published code's loss.

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
    """Mean over the masked; zero, with a zero gradient, where there are none."""
    return torch.where(mask, values, torch.zeros_like(values)).sum() / mask.sum().clamp_min(1)
