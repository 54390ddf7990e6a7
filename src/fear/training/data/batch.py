"""A sample on its way from the sampler to the losses. Its four crops have names at every station."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

C = TypeVar("C")
D = TypeVar("D")


class SampleCrops(NamedTuple, Generic[C]):
    """The crops of a sample, or of a batch of samples, in whatever form they have at a station."""

    static_template: C
    """From the first frame."""
    search: C
    dynamic_template: C | None = None
    """From a frame between both. Distillation needs neither this crop nor the next one; they are None there."""
    negative: C | None = None
    """A search crop without the target."""

    def map(self, change: Callable[[C], D]) -> SampleCrops[D]:
        """Every crop changed; a crop that is None stays None."""
        return SampleCrops(
            change(self.static_template),
            change(self.search),
            None if self.dynamic_template is None else change(self.dynamic_template),
            None if self.negative is None else change(self.negative),
        )


class PlannedCrop(NamedTuple):
    """A crop that the device cuts from the pictures in its memory; of a batch, every field has a first dimension B."""

    picture: Tensor
    """(), number of the picture."""
    window: Tensor
    """(4,), x, y, width, height in pixels of the picture's file."""
    side: Tensor
    """(), of the crop, in pixels."""
    flip: Tensor
    """(), bool: left and right change places."""


class Prepared(NamedTuple):
    """A sample, or a batch of samples, as the loader hands it over."""

    crops: SampleCrops[Tensor] | SampleCrops[PlannedCrop]
    """Crops that were cut are uint8, (side, side, 3); a batch has (B, side, side, 3)."""
    box_xywh: Tensor
    """(4,), in pixels of the search crop; zeros where the target is absent."""
    present: Tensor
    """(), bool: the search shows the target, and its box is known."""


class Batch(NamedTuple):
    """B samples on the device, as the network sees them."""

    crops: SampleCrops[Tensor]
    """(B, 3, side, side), float, 0 to 255; templates of 128 pixels, searches and negative crops of one side."""
    boxes_xywh: Tensor
    """(B, 4), in pixels of the search crop; zeros where the target is absent."""
    present: Tensor
    """(B,), bool: the search shows the target, and its box is known."""


def collate(samples: Sequence[Any]) -> Any:
    """Stacks the tensors of samples field by field; a field that is None stays None.

    Args:
        samples: Equal named tuples of tensors, of None, and of such named tuples.
    """
    first = samples[0]
    if first is None:
        return None
    if isinstance(first, Tensor):
        return torch.stack(list(samples))
    return type(first)(*(collate(field) for field in zip(*samples, strict=True)))
