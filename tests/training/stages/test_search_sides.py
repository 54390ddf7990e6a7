from __future__ import annotations

import torch

from fear.training.stages.search_sides import cut_searches, target_cells
from training.labelled import BOXES, PRESENT, batch


def test_the_target_stays_near_the_middle_of_a_part() -> None:
    for seed in range(20):
        smaller, part = cut_searches(batch(), 128, seed)
        assert smaller.crops.search.shape == (3, 3, 128, 128)
        assert smaller.crops.negative is not None
        assert smaller.crops.negative.shape == (3, 3, 128, 128)
        for k, (top, left) in enumerate(part.corners):
            assert torch.equal(smaller.crops.search[k], batch().crops.search[k, :, top : top + 128, left : left + 128])
        moved = BOXES - torch.tensor([(left, top, 0, 0) for top, left in part.corners])
        assert torch.equal(smaller.boxes_xywh, moved)
        centres = smaller.boxes_xywh[1, :2] + smaller.boxes_xywh[1, 2:] / 2
        assert (centres - 64).abs().max() <= 24 + 1e-3  # half a cell, and one aside


def test_target_cells() -> None:
    maps = target_cells(BOXES, PRESENT, 12)
    assert maps.sum(dim=(1, 2, 3)).tolist() == [1, 1, 0]
    assert maps[0, 0, 4, 3] == 1  # centre (55, 62)
