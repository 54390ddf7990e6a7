from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fear.training.stages.sub_crop import SubCrop, border_weights, choose_side, choose_sub_crop, resize_weights

PART = SubCrop(corners=((32, 16), (0, 48)), side=128, whole=192)


def test_a_part_is_the_same_place_in_every_map() -> None:
    rows, columns = torch.meshgrid(torch.arange(192.0), torch.arange(192.0), indexing="ij")
    crops = torch.stack((rows, columns)).expand(2, -1, -1, -1)  # each pixel holds its place
    for stride in (1, 2, 8, 16):
        maps = crops[..., ::stride, ::stride]
        seen = PART.of(maps)
        assert seen.shape == (2, 2, 128 // stride, 128 // stride)
        assert seen[:, :, 0, 0].tolist() == [[32.0, 16.0], [0.0, 48.0]]
        assert seen[:, :, -1, -1].tolist() == [[160.0 - stride, 144.0 - stride], [128.0 - stride, 176.0 - stride]]


def scores(*peaks: tuple[int, int] | None) -> Tensor:
    """(B, 1, 12, 12) with one sure cell each, or none."""
    maps = torch.full((len(peaks), 1, 12, 12), 0.01)
    for one, peak in zip(maps, peaks, strict=True):
        if peak is not None:
            one[0, peak[0], peak[1]] = 0.9
    return maps


@pytest.mark.parametrize("side", [96, 128, 144, 160, 192])
def test_the_target_is_near_the_middle_of_its_part(side: int) -> None:
    room = 192 - side
    asides = set()
    for seed in range(20):
        part = choose_sub_crop(scores((6, 5), (0, 11)), side, seed)
        assert part == choose_sub_crop(scores((6, 5), (0, 11)), side, seed)
        (top, left), corner = part.corners
        assert corner == (0, room) or side == 192 or (corner[0] <= 16 and corner[1] >= room - 16)
        assert all(0 <= place <= room and place % 16 == 0 for place in (top, left))
        asides.add((6 * 16 - top - side // 2, 5 * 16 - left - side // 2))
    if side <= 128:  # with room to move
        assert len(asides) > 4
        assert max(abs(aside) for pair in asides for aside in pair) <= 24


def test_without_a_target_any_part_will_do() -> None:
    corners = {choose_sub_crop(scores(None), 128, seed).corners[0] for seed in range(60)}
    assert len(corners) > 15
    assert {place for corner in corners for place in corner} == {0, 16, 32, 48, 64}


def test_weights_of_cells() -> None:
    weights = border_weights(6)
    assert weights[0].tolist() == [0.0625, 0.1875, 0.25, 0.25, 0.1875, 0.0625]
    assert weights[2:4, 2:4].eq(1).all()
    fine = resize_weights(weights, torch.zeros(1, 1, 24, 24))
    assert fine.shape == (24, 24)
    assert float(fine.mean()) == pytest.approx(1)
    assert torch.equal(fine[::4, ::4] / fine[8, 8], weights)


def test_one_side_is_chosen_in_each_step() -> None:
    assert choose_side((), 192, seed=0) == 192
    assert choose_side((256,), 192, seed=0) == 192
    chosen = [choose_side((128, 160, 192), 192, seed) for seed in range(60)]
    assert chosen == [choose_side((128, 160, 192), 192, seed) for seed in range(60)]
    assert set(chosen) == {128, 160, 192}
