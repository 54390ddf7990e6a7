from __future__ import annotations

from types import SimpleNamespace

import torch

from fear.training.stages.rotation import rotate


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
