"""Search crops of every side that trackers cut, in stages `track`.

Each step takes one of the sides, and uses that part of every search crop which has the target near its centre, as in tracking. Parts lie on
whole cells, so that the maps of a teacher that saw the whole crop can be cut in the same way.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fear.config import STRIDE
from fear.training.data.batch import Batch
from fear.training.stages.sub_crop import SubCrop, choose_sub_crop


def target_cells(boxes_xywh: Tensor, present: Tensor, cells: int) -> Tensor:
    """A map of each crop that is 1 in the cell nearest to the target's centre, and 0 elsewhere.

    Args:
        boxes_xywh: (B, 4), in pixels of the crop.
        present: (B,), bool; the map of a crop without the target is 0 everywhere.
        cells: S, along one side of the map.

    Returns:
        (B, 1, S, S)
    """
    centres = ((boxes_xywh[:, :2] + boxes_xywh[:, 2:] / 2) / STRIDE).round().long().clamp(0, cells - 1)  # (B, 2), column and row
    maps = torch.zeros(len(boxes_xywh), 1, cells, cells, device=boxes_xywh.device)
    maps[torch.arange(len(boxes_xywh)), 0, centres[:, 1], centres[:, 0]] = present.to(maps.dtype)
    return maps


def cut_searches(batch: Batch, side: int, seed: int) -> tuple[Batch, SubCrop]:
    """The batch with smaller search and negative crops, and the part of the search crops that is left.

    Args:
        batch: With a negative crop.
        side: Of the smaller crops, in pixels; a multiple of the stride.
        seed: The same seed cuts the same parts.
    """
    crops = batch.crops
    if crops.negative is None:
        raise TypeError("expected a batch with negative crops")
    cells = crops.search.shape[-1] // STRIDE
    part = choose_sub_crop(target_cells(batch.boxes_xywh, batch.present, cells), side, seed)
    anywhere = choose_sub_crop(torch.zeros(len(crops.search), 1, cells, cells), side, seed + 1)
    corners = torch.tensor([(left, top, 0, 0) for top, left in part.corners], device=batch.boxes_xywh.device)  # (B, 4)
    smaller = crops._replace(search=part.of(crops.search), negative=anywhere.of(crops.negative))
    return batch._replace(crops=smaller, boxes_xywh=batch.boxes_xywh - corners), part
