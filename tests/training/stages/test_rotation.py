from __future__ import annotations

from types import SimpleNamespace

import torch

from fear.training.stages.rotation import quarter_turns, rotate


def test_the_same_seed_rotates_the_same_crops(small: SimpleNamespace) -> None:
    crops = small.batch(8).crops.search
    assert rotate(crops, 0.0, seed=0) is crops
    some = rotate(crops, 0.5, seed=3)
    changed = (some != crops).flatten(1).any(dim=1)
    assert 0 < int(changed.sum()) < 8
    assert torch.equal(some, rotate(crops, 0.5, seed=3))
    assert torch.equal(rotate(crops, 1.0, seed=3)[changed], some[changed])


def test_rotation_keeps_the_centre_and_its_colour(small: SimpleNamespace) -> None:
    crops = small.batch(8).crops.search
    rotated = rotate(crops, 1.0, seed=3)
    torch.testing.assert_close(rotated[..., 44:52, 44:52].mean(dim=(2, 3)), crops[..., 44:52, 44:52].mean(dim=(2, 3)), atol=4.0, rtol=0)
    assert rotated.min() >= 0
    assert rotated.max() <= 255


def test_boxes_turn_with_their_crops(small: SimpleNamespace) -> None:
    batch = small.batch(8)
    x, y, w, h = 10, 20, 30, 12
    search = torch.zeros_like(batch.crops.search)
    search[:, :, y : y + h, x : x + w] = 200
    batch = batch._replace(crops=batch.crops._replace(search=search), boxes_xywh=torch.tensor([[x, y, w, h]] * 8, dtype=torch.float32))
    turned = quarter_turns(batch, 1.0, seed=0)
    assert len({tuple(box) for box in turned.boxes_xywh.tolist()}) == 3  # one, two and three quarters
    for crop, box in zip(turned.crops.search, turned.boxes_xywh.int().tolist(), strict=True):
        left, top, width, height = box
        assert int((crop[0] > 0).sum()) == w * h
        assert (crop[:, top : top + height, left : left + width] == 200).all()
    assert torch.equal(quarter_turns(batch, 0.0, seed=0).crops.search, search)
