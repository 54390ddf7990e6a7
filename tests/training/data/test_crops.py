from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fear.geometry.window import Window
from fear.training.data.batch import collate
from fear.training.data.crops import PictureBank, Pictures
from fear.training.data.sampler import NOWHERE, View


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
    bank = PictureBank(files, torch.device("cpu"), canvas=256)
    for path in files:
        assert bank.size(path) == pictures.size(path)
        for window in WINDOWS:
            view = View(path, window, flip, NOWHERE)
            truth = pictures.cut(view).astype(np.float64)
            got = bank.cut(collate([bank.plan(view)]))
            assert got.shape == (1, 3, 64, 64)
            assert np.abs(got[0].permute(1, 2, 0).numpy() - truth).mean() < 1.0
            assert np.abs(got[0].permute(1, 2, 0).numpy() - truth).max() < 12  # OpenCV's positions are 1/32 pixel


def test_reduced_pictures_show_the_same_part(files: list[Path]) -> None:
    whole, reduced = (PictureBank(files[:1], torch.device("cpu"), canvas=canvas) for canvas in (256, 80))
    view = View(files[0], WINDOWS[0], False, NOWHERE)
    crops = [bank.cut(collate([bank.plan(view)])).mean(dim=(2, 3)) for bank in (whole, reduced)]
    torch.testing.assert_close(crops[0], crops[1], atol=4, rtol=0)
