"""Samples in batches, from a recipe's data sets to crops on the device."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Batch(NamedTuple):
    """B samples on the device, as the network sees them."""

    static: Tensor
    """(B, 3, 128, 128), float, 0 to 255."""
    search: Tensor
    """(B, 3, 256, 256)"""
    dynamic: Tensor | None
    """(B, 3, 128, 128); distillation does not need it, nor the next."""
    negative: Tensor | None
    """(B, 3, 256, 256), without the target."""
    boxes_xywh: Tensor
    """(B, 4), in pixels of the search crop."""
    present: Tensor
    """(B,), bool: the search shows the target, and its box is known."""


class Cut(NamedTuple):
    """One sample, cut from its pictures."""

    crops: tuple[Tensor, ...]
    """Static, search, and where they are needed dynamic and negative; uint8, (side, side, 3)."""
    box_xywh: Tensor
    """(4,), zeros where absent."""
    present: Tensor


class Plan(NamedTuple):
    """One sample, to be cut on the device that holds the pictures."""

    numbers: Tensor
    """(K,), of the pictures of the crops."""
    windows: Tensor
    """(K, 4)"""
    flips: Tensor
    """(K,)"""
    box_xywh: Tensor
    present: Tensor
