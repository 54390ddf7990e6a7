from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fear.config import FEAR_XS
from fear.datasets.clip import Clip
from fear.datasets.proposals import invented_box
from fear.errors import DatasetError
from fear.geometry.boxes import iou
from fear.training.data import sampler as module
from fear.training.data.crops import Pictures
from fear.training.data.sampler import Pool, Sample, Sampler, View
from fear.training.sections import SamplingSection

HEIGHT, WIDTH = 240, 320


def moving(name: str, frames: int = 200, absent: tuple[int, ...] = ()) -> Clip:
    """Frame k of the sequence is the file `k`; its box moves one pixel a frame."""
    boxes = np.array([(20 + k, 30, 40, 30) for k in range(frames)], np.float64)
    boxes[list(absent)] = np.nan
    return Clip(name, tuple(Path(f"{name}/{k}") for k in range(frames)), boxes)


def sampler(*pools: Pool, seed: int = 0, **options: object) -> Sampler:
    return Sampler(pools, FEAR_XS, SamplingSection.model_validate(options), seed, lambda path: (HEIGHT, WIDTH))


def number(view: View) -> int:
    return int(Path(str(view.frame)).name)


def targets(sample: Sample) -> tuple[View, View, View]:
    """The crops that show the target."""
    return sample.static_template, sample.dynamic_template, sample.search


# ---------------------------------------------------------------------------------------------------------------- which frames
def test_a_sample_is_a_function_of_seed_epoch_and_number() -> None:
    first, again = (sampler(Pool([moving("a"), moving("b")], 1)) for _ in range(2))
    backwards = {k: str(again.sample(3, k)) for k in reversed(range(20))}
    assert [str(first.sample(3, k)) for k in range(20)] == [backwards[k] for k in range(20)]
    other = sampler(Pool([moving("a"), moving("b")], 1), seed=1)
    assert len({str(s) for s in (first.sample(0, 0), first.sample(0, 1), first.sample(1, 0), other.sample(0, 0))}) == 4


def test_dynamic_template_lies_between_and_distance_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (module.FIRST_GROWTH, module.GROWTH, module.LARGEST_DISTANCE) == (15, 2, 150)  # published code
    monkeypatch.setattr(module, "GROWTH", 10)
    monkeypatch.setattr(module, "LARGEST_DISTANCE", 60)
    draw = sampler(Pool([moving("a", 400)], 1), distance=20)
    farthest = {}
    for epoch in (0, 14, 15, 17, 40):
        samples = [draw.sample(epoch, k) for k in range(300)]
        for s in samples:
            low, high = sorted((number(s.static_template), number(s.search)))
            assert low <= number(s.dynamic_template) <= high
        farthest[epoch] = max(abs(number(s.search) - number(s.static_template)) for s in samples)
    assert farthest == {0: 20, 14: 20, 15: 30, 17: 50, 40: 60}


def test_absent_frames_are_never_targets() -> None:
    draw = sampler(Pool([moving("a", 30, absent=tuple(range(5, 25)))], 1))
    seen = {number(view) for k in range(100) for view in targets(draw.sample(0, k))}
    assert seen <= {*range(5), *range(25, 30)}


def test_mix_by_weight() -> None:
    draw = sampler(Pool([moving("a")], 3), Pool([moving("b"), moving("c")], 1))
    names = [Path(str(draw.sample(0, k).static_template.frame)).parent.name for k in range(2000)]
    assert names.count("a") / 2000 == pytest.approx(0.75, abs=0.04)
    assert names.count("b") / 2000 == pytest.approx(0.125, abs=0.04)


def test_a_still_makes_a_sequence() -> None:
    still = Clip("still", (Path("s/0"),), np.array([[100.0, 80, 60, 50]]))
    sample = sampler(Pool([still], 1)).sample(0, 0)
    assert {view.frame for view in targets(sample)} == {Path("s/0")}
    assert sample.static_template.window != sample.dynamic_template.window


def test_sequences_without_boxes() -> None:
    blind = Clip("blind", (Path("n/0"), Path("n/1")), np.full((2, 4), np.nan))
    with pytest.raises(DatasetError, match="expected clips in every data set, with boxes"):
        sampler(Pool([blind], 1))
    sample = sampler(Pool([blind], 1), without_boxes=True).sample(0, 0)
    assert np.isnan(sample.search.box_xywh).all()


@given(st.integers(0, 10**6), st.integers(20, 2000), st.integers(20, 2000))
def test_invented_boxes_lie_in_the_picture(seed: int, height: int, width: int) -> None:
    x, y, w, h = invented_box(np.random.default_rng(seed), height, width)
    assert x >= 0
    assert y >= 0
    assert x + w <= width + 1e-6
    assert y + h <= height + 1e-6
    assert 1 / 8 - 1e-6 <= w / h <= 8 + 1e-6


# ------------------------------------------------------------------------------------------------------------- which windows
def test_shift_and_scale_stay_in_their_limits() -> None:
    draw = sampler(Pool([moving("a")], 1))
    for k in range(300):
        s = draw.sample(0, k)
        for view, size, shift, low, high, context in ((s.static_template, 128, 8, 0.95, 1.05, 1.5), (s.search, 192, 48, 0.65, 1.35, 3.75)):
            x, y, w, h = view.box_xywh
            assert abs(x + w / 2 - size / 2) <= shift + 1e-6
            assert abs(y + h / 2 - size / 2) <= shift + 1e-6
            assert size / context / high - 1e-6 <= w <= size / context / low + 1e-6
            assert w == pytest.approx(h)  # width and height are stretched apart, box by box


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.floats(20, 150), st.floats(20, 120), st.floats(8, 90), st.floats(8, 80))
def test_boxes_stay_exact(tmp_path_factory: pytest.TempPathFactory, seed: int, x: float, y: float, w: float, h: float) -> None:
    """A white rectangle on black is, in every crop, where the box says: its mean position and its area agree."""
    path = tmp_path_factory.mktemp("painted") / "0.png"
    scale = 4  # painted large, then reduced, so that edges between pixels have their grey
    canvas = np.zeros((HEIGHT * scale, WIDTH * scale), np.uint8)
    left, top, right, bottom = (round(v * scale) for v in (x, y, x + w, y + h))
    canvas[top:bottom, left:right] = 255
    box = (left / scale, top / scale, (right - left) / scale, (bottom - top) / scale)
    cv2.imwrite(str(path), cv2.cvtColor(cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR))
    pictures = Pictures(keep=True)
    sequence = Clip("painted", (path,), np.array([box]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SEARCH_SHIFT", 20.0)  # the whole target stays in the crop
        patch.setattr(module, "SEARCH_SCALE", (0.9, 1.35))
        sample = Sampler([Pool([sequence], 1)], FEAR_XS, SamplingSection(search_ratio=0.1), seed, pictures.size).sample(0, 0)
    for view in (sample.static_template, sample.search):
        size = view.window.side
        fill = float(pictures.cut(view._replace(window=view.window._replace(x=10_000.0))).mean())
        light = pictures.cut(view)[:, :, 0].astype(np.float64)
        share = np.where(light > fill, (light - fill) / (255 - fill), 0) if fill < 200 else light / 255
        bx, by, bw, bh = view.box_xywh
        rows, columns = np.nonzero(share > 0.5)
        tolerance = 0.75 + 1.5 * size / min(view.window.width, view.window.height)  # half a pixel of picture and crop
        assert columns.min() == pytest.approx(max(bx, 0), abs=tolerance)
        assert columns.max() + 1 == pytest.approx(min(bx + bw, size), abs=tolerance)
        assert rows.min() == pytest.approx(max(by, 0), abs=tolerance)
        assert rows.max() + 1 == pytest.approx(min(by + bh, size), abs=tolerance)


def test_negative_crops_hold_no_target() -> None:
    large = Clip("b", tuple(Path(f"b/{k}") for k in range(60)), np.tile((100.0, 100, 120, 80), (60, 1)))
    draw = sampler(Pool([moving("a", 60), large], 1))
    own = 0
    for k in range(200):
        sample = draw.sample(0, k)
        view = sample.negative
        assert np.isnan(view.box_xywh).all()
        if Path(str(view.frame)).parent == Path(str(sample.dynamic_template.frame)).parent:
            own += 1
            assert view.frame == sample.dynamic_template.frame
            assert iou((20.0 + number(view), 30, 40, 30), tuple(view.window[:4])) == 0
    assert 0 < own < 200  # beside the target where a crop fits, else from the other sequence


def test_negative_of_a_single_sequence_without_room() -> None:
    filling = Clip("one", (Path("one/0"),), np.array([[10.0, 10, 300, 220]]))
    sample = sampler(Pool([filling], 1)).sample(0, 0)
    assert sample.negative.window.x >= WIDTH  # beyond the picture, where nothing is


def test_searches_without_the_target() -> None:
    draw = sampler(Pool([moving("a"), moving("b")], 1), absent=0.3)
    absent = [np.isnan(draw.sample(0, k).search.box_xywh[0]) for k in range(1000)]
    assert np.mean(absent) == pytest.approx(0.3, abs=0.05)


def test_half_of_the_samples_are_mirrored_with_their_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = sampler(Pool([moving("a")], 1))
    assert np.mean([draw.sample(0, k).search.flip for k in range(1000)]) == pytest.approx(0.5, abs=0.05)

    def mirrored(share: float) -> Sample:
        monkeypatch.setattr(module, "MIRRORED", share)
        return draw.sample(0, 5)

    straight, flipped = mirrored(0.0), mirrored(1.0)
    assert not straight.search.flip
    assert flipped.search.flip
    x, _, w, _ = straight.search.box_xywh
    assert flipped.search.box_xywh[0] == pytest.approx(192 - x - w)
    assert flipped.search.window == straight.search.window


def test_shaken_templates_differ_and_leave_everything_else() -> None:
    plain, shaken = (sampler(Pool([moving("a")], 1), shaken=share).sample(0, 3) for share in (0.0, 1.0))
    assert plain.static_template == shaken.static_template
    assert plain.dynamic_template.frame == shaken.dynamic_template.frame
    assert plain.dynamic_template.window != shaken.dynamic_template.window


def test_hard_clips_are_drawn_more_often() -> None:
    draw = sampler(Pool([moving("a"), moving("b")], 1))
    draw.prefer({"a": 0.25, "b": 1.25})
    names = [Path(str(draw.sample(0, k).static_template.frame)).parent.name for k in range(1000)]
    assert names.count("b") / 1000 == pytest.approx(1.25 / 1.5, abs=0.04)


def test_a_recent_dynamic_template_is_near_the_search() -> None:
    draw = sampler(Pool([moving("a", 400)], 1), distance=200, recent=30)
    samples = [draw.sample(0, k) for k in range(200)]
    assert max(abs(number(s.dynamic_template) - number(s.search)) for s in samples) <= 30
    assert max(abs(number(s.static_template) - number(s.search)) for s in samples) > 100
    for s in samples:
        low, high = sorted((number(s.static_template), number(s.search)))
        assert low <= number(s.dynamic_template) <= high
