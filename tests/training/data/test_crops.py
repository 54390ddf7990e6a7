from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fear.geometry.window import Window
from fear.training.data.crops import PictureBank, Pictures
from fear.training.data.photometric import PhotometricChange
from fear.training.data.sampler import NOWHERE, View
from fear.training.recipe import Photometric


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    generator = np.random.default_rng(0)
    paths = []
    for k, (height, width) in enumerate([(120, 160), (200, 90)]):
        coarse = generator.integers(0, 256, (height // 10, width // 10, 3), np.uint8)
        paths.append(tmp_path / f"{k}.png")
        cv2.imwrite(str(paths[-1]), cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
    return paths


WINDOWS = [Window(20.5, 30.25, 60, 50, 64), Window(-40, -20, 150, 140, 64), Window(70, 90, 100, 160, 64), Window(500, 500, 20, 20, 64)]


@pytest.mark.parametrize("flip", [False, True])
def test_bank_and_files_give_the_same_crops(files: list[Path], flip: bool) -> None:
    pictures = Pictures(keep=False)
    bank = PictureBank(files, 256, torch.device("cpu"))
    for path in files:
        assert bank.size(path) == pictures.size(path)
        for window in WINDOWS:
            truth = pictures.cut(View(path, window, flip, NOWHERE)).astype(np.float64)
            got = bank.cut(torch.tensor([bank.index[path]]), torch.tensor([window[:4]]), torch.tensor([flip]), 64)
            assert got.shape == (1, 3, 64, 64)
            assert np.abs(got[0].permute(1, 2, 0).numpy() - truth).mean() < 1.0
            assert np.abs(got[0].permute(1, 2, 0).numpy() - truth).max() < 12  # OpenCV's positions are 1/32 pixel


def test_reduced_pictures_show_the_same_part(files: list[Path]) -> None:
    whole, reduced = (PictureBank(files[:1], canvas, torch.device("cpu")) for canvas in (256, 80))
    crops = [
        bank.cut(torch.tensor([0]), torch.tensor([WINDOWS[0][:4]]), torch.tensor([False]), 64).mean(dim=(2, 3)) for bank in (whole, reduced)
    ]
    torch.testing.assert_close(crops[0], crops[1], atol=4, rtol=0)


# ---------------------------------------------------------------------------------------------------------------- photometric
ALWAYS = Photometric(joint=1, each=1, grey=0, blur=1, motion=1, noise=1)
NEVER = Photometric(joint=0, each=0, grey=0, blur=0, motion=0, noise=0)


def groups() -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randint(0, 256, (3, 3, side, side), generator=generator).float() for side in (32, 64))


def test_the_same_seed_makes_the_same_changes() -> None:
    change, state = PhotometricChange(ALWAYS), torch.random.get_rng_state()
    first, again, other = change(groups(), 1), change(groups(), 1), change(groups(), 2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    assert torch.equal(torch.random.get_rng_state(), state)  # nobody else's random numbers change


def test_values_stay_in_range_and_inputs_untouched() -> None:
    before = groups()
    after = PhotometricChange(ALWAYS)(before, 0)
    assert all(a.shape == b.shape and a.min() >= 0 and a.max() <= 255 for a, b in zip(after, before, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(before, groups(), strict=True))


def test_nothing_happens_where_nothing_is_asked() -> None:
    for before, after in zip(groups(), PhotometricChange(NEVER)(groups(), 0), strict=True):
        torch.testing.assert_close(before, after, atol=1e-3, rtol=0)


def test_joint_changes_are_the_same_for_all_crops_of_a_sample() -> None:
    """Constant crops of one colour keep one colour, sample by sample, when only joint changes are made."""
    template, search = torch.full((4, 3, 16, 16), 100.0), torch.full((4, 3, 32, 32), 100.0)
    joint = PhotometricChange(NEVER.model_copy(update={"joint": 1.0}))
    first, second = joint((template, search), 3)
    torch.testing.assert_close(first.mean(dim=(2, 3)), second.mean(dim=(2, 3)))
    assert len({round(float(value), 2) for value in first.mean(dim=(1, 2, 3))}) == 4  # and differ from sample to sample
