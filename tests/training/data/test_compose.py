from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from fear.config import FEAR_XS
from fear.datasets import read
from fear.datasets.clip import Clip
from fear.errors import DatasetError
from fear.training.data import compose as module
from fear.training.data.compose import ComposedSampler
from fear.training.data.crops import Pictures
from fear.training.data.cutouts import Cutouts, Paste, lose_detail, read_cutouts
from fear.training.data.sampler import Pool, Sample, View
from fear.training.sections import ComposeSection, SamplingSection

HEIGHT, WIDTH = 240, 320


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three discs with masks: two red balls of one kind, and a blue plate; a pixel of 30 around each is grey."""
    root = tmp_path_factory.mktemp("objects")
    (root / "masks").mkdir()
    entries = []
    for k, (kind, colour) in enumerate((("ball", (0, 0, 255)), ("ball", (0, 0, 200)), ("plate", (255, 0, 0)))):
        picture, mask = np.full((80, 100, 3), 128, np.uint8), np.zeros((80, 100), np.uint8)
        for image, fill in ((picture, colour), (mask, 255)):
            cv2.ellipse(image, (50, 40), (30, 20), 0, 0, 360, fill, -1)
        cv2.imwrite(str(root / f"{k}.png"), picture)
        cv2.imwrite(str(root / "masks" / f"{k}.png"), mask)
        box = [20, 20, 61, 41]
        entries.append({"file": f"{k}.png", "boxes": [box], "masks": [f"masks/{k}.png"], "kinds": [kind]})
    (root / "sources.json").write_text(json.dumps(entries))
    return root


@pytest.fixture
def background(tmp_path: Path) -> Clip:
    cv2.imwrite(str(tmp_path / "b.png"), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    return Clip("background", (tmp_path / "b.png",) * 30, np.tile((100.0, 80, 60, 40), (30, 1)))


def composed(objects: Path, clip: Clip, **shares: float) -> ComposedSampler:
    none = {"neighbours": 0.0, "occluded": 0.0, "pasted": 0.0, "small": 0.0}
    options = ComposeSection.model_validate({"objects": objects} | none | shares)
    cutouts = Cutouts(read_cutouts(objects))
    return ComposedSampler([Pool([clip], 1)], FEAR_XS, SamplingSection(), 0, lambda path: (HEIGHT, WIDTH), cutouts, options)


def views(sample: Sample) -> tuple[View, ...]:
    return sample.static_template, sample.dynamic_template, sample.search, sample.negative


def test_kinds_become_attributes(objects: Path) -> None:
    assert [clip.attributes for clip in read("images", objects, None) if clip.visible[0]] == [("ball",), ("ball",), ("plate",)]


def test_a_composed_sample_is_a_function_of_seed_epoch_and_number(objects: Path, background: Clip) -> None:
    shares = {"neighbours": 0.5, "occluded": 0.5, "pasted": 0.5, "small": 0.5}
    first, again = (composed(objects, background, **shares) for _ in range(2))
    backwards = {k: str(again.sample(2, k)) for k in reversed(range(20))}
    assert [str(first.sample(2, k)) for k in range(20)] == [backwards[k] for k in range(20)]


def test_without_shares_samples_are_those_of_the_plain_sampler(objects: Path, background: Clip) -> None:
    sample = composed(objects, background).sample(0, 0)
    assert all(view.pastes == () and view.detail == 1 for view in views(sample))


def test_a_pasted_target_lies_where_its_box_says(objects: Path, background: Clip) -> None:
    draw, pictures = composed(objects, background, pasted=1.0), Pictures(keep=True, cutouts=Cutouts(read_cutouts(objects)))
    for number in range(12):
        sample = draw.sample(0, number)
        for view in (sample.static_template, sample.search):
            side = view.window.side
            crop = pictures.cut(view).astype(int)
            plain = pictures.cut(view._replace(pastes=())).astype(int)
            rows, columns = np.nonzero(np.abs(crop - plain).max(axis=2) > 40)
            x, y, w, h = view.box_xywh
            assert columns.min() == pytest.approx(max(x, 0), abs=2.5)
            assert columns.max() + 1 == pytest.approx(min(x + w, side), abs=2.5)
            assert rows.min() == pytest.approx(max(y, 0), abs=2.5)
            assert rows.max() + 1 == pytest.approx(min(y + h, side), abs=2.5)


def test_neighbours_leave_the_target_free_and_are_of_its_kind(objects: Path, background: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAME_KIND", 1.0)
    draw = composed(objects, background, pasted=1.0, neighbours=1.0)
    for number in range(40):
        sample = draw.sample(0, number)
        _target, *others = sample.search.pastes
        assert 1 <= len(others) <= 3
        x, y, w, h = sample.search.box_xywh
        for other in others:
            left, top, width, height = other.box_xywh
            shared = max(0.0, min(x + w, left + width) - max(x, left)) * max(0.0, min(y + h, top + height) - max(y, top))
            assert shared / (w * h) < 0.15
            assert sample.kind != "ball" or other.number in (0, 1)


def test_occluders_cover_a_part(objects: Path, background: Clip) -> None:
    draw, seen = composed(objects, background, occluded=1.0), 0
    for number in range(40):
        search = draw.sample(0, number).search
        for paste in search.pastes:
            (x, y, w, h), (left, top, width, height) = search.box_xywh, paste.box_xywh
            shared = max(0.0, min(x + w, left + width) - max(x, left)) * max(0.0, min(y + h, top + height) - max(y, top))
            assert 0.1 <= shared / (w * h) <= 0.6
            seen += 1
    assert seen > 30


def test_small_targets_have_that_many_pixels(objects: Path, background: Clip) -> None:
    draw = composed(objects, background, small=1.0)
    for number in range(20):
        sample = draw.sample(0, number)
        pixels = [view.detail * math.sqrt(view.box_xywh[2] * view.box_xywh[3]) for view in views(sample)[:3]]
        assert min(pixels) == pytest.approx(max(pixels))
        assert 6 <= pixels[0] <= 20


def test_lost_detail_keeps_place_and_size() -> None:
    image = np.zeros((128, 128, 3), np.uint8)
    image[32:64, 64:96] = 255
    blurred = lose_detail(image, 0.25)
    assert blurred.shape == image.shape
    weights = blurred[:, :, 0] / blurred[:, :, 0].sum()
    line = np.arange(128) + 0.5
    assert (weights.sum(axis=1) * line).sum() == pytest.approx(48, abs=0.1)
    assert (weights.sum(axis=0) * line).sum() == pytest.approx(80, abs=0.1)
    assert blurred.std() < image.std()
    assert lose_detail(image, 1.0) is image


def test_pasting_outside_of_the_crop_changes_nothing(objects: Path) -> None:
    image = np.full((64, 64, 3), 50, np.uint8)
    pasted = Cutouts(read_cutouts(objects)).paste(image, (Paste(0, (200.0, 10, 20, 20), False, (1, 1, 1)),))
    assert np.array_equal(pasted, image)


def test_pastes_have_no_frame_of_their_background(objects: Path) -> None:
    image = np.full((64, 64, 3), 50, np.uint8)
    pasted = Cutouts(read_cutouts(objects)).paste(image, (Paste(0, (10.0, 12, 30, 20), True, (1, 1, 1)),))
    assert pasted[22, 25].tolist() == pytest.approx([255, 0, 0], abs=3)
    assert pasted[13, 11].tolist() == pytest.approx([50, 50, 50], abs=3)  # a corner of the box, outside of the ellipse


def test_a_folder_without_masks(tmp_path: Path) -> None:
    (tmp_path / "sources.json").write_text(json.dumps([{"file": "a.png", "boxes": [[0, 0, 40, 40]]}]))
    with pytest.raises(DatasetError, match="expected objects with masks, found none"):
        read_cutouts(tmp_path)
