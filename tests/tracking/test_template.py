from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from fear.media.image import Image
from fear.tracking.template import DualTemplate, Features, cosine_similarity


def features(value: float) -> Features:
    return np.full((1, 4, 2, 2), value, np.float32)


def picture(number: int) -> Image:
    return np.full((2, 2, 3), number, np.uint8)


def follow(template: DualTemplate, similarities: list[float | None]) -> list[int | None]:
    """Feeds frames 1, 2, …; None is a lost one. Returns for each the number of the frame that became the template, if one did."""
    taken: list[int | None] = []
    for number, similarity in enumerate(similarities, start=1):
        chosen: list[int] = []

        def embed(crop: Image, chosen: list[int] = chosen) -> Features:
            chosen.append(int(crop[0, 0, 0]))
            return features(float(crop[0, 0, 0]))

        renewed = template.observe(similarity or 0.0, None if similarity is None else partial(picture, number), embed)
        assert renewed == bool(chosen)
        taken.append(chosen[0] if chosen else None)
    return taken


def test_most_similar_frame_of_each_interval() -> None:
    template = DualTemplate(features(0), 0.5, interval=4)
    taken = follow(template, [0.2, 0.9, 0.3, 0.1, 0.5, 0.4, 0.6, 0.55])
    # frame 2 is taken at frame 4; its 0.9 does not count for the next interval, where frame 7 is the best
    assert taken == [None, None, None, 2, None, None, None, 7]
    assert template.features == pytest.approx(features(3.5))


def test_the_last_frame_of_an_interval_counts() -> None:
    assert follow(DualTemplate(features(0), 0.5, 3), [0.1, 0.2, 0.3]) == [None, None, 3]


def test_of_equals_the_first() -> None:
    assert follow(DualTemplate(features(0), 0.5, 3), [0.1, 0.4, 0.4]) == [None, None, 2]


def test_lost_frames_are_no_candidates() -> None:
    assert follow(DualTemplate(features(0), 0.5, 3), [None, 0.1, None, None, None, None, 0.2, 0.1, None]) == [
        *(None, None, 2),
        *(None, None, None),
        *(None, None, 7),
    ]


def test_negative_similarities_still_have_a_best() -> None:
    assert follow(DualTemplate(features(0), 0.5, 2), [-0.5, -0.2]) == [None, 2]


@pytest.mark.parametrize(("weight", "enabled"), [(0.0, True), (0.5, False)])
def test_switched_off(weight: float, enabled: bool) -> None:
    template = DualTemplate(features(1), weight, 2, enabled)
    assert follow(template, [0.5] * 6) == [None] * 6
    assert template.features == pytest.approx(features(1))


def test_merge_always_uses_the_static_template() -> None:
    template = DualTemplate(features(10), 0.25, interval=1)
    follow(template, [0.5] * 3)
    assert template.features == pytest.approx(features(0.75 * 10 + 0.25 * 3))


def test_crops_are_cut_only_for_new_bests() -> None:
    template = DualTemplate(features(0), 0.5, 10)
    cut: list[int] = []

    def cut_crop(number: int) -> Image:
        cut.append(number)
        return picture(number)

    for number, similarity in enumerate([0.5, 0.4, 0.6, 0.1]):
        template.observe(similarity, partial(cut_crop, number), lambda _: features(0))
    assert cut == [0, 2]


def test_similarity_is_the_cosine_with_the_merged_template() -> None:
    static = np.zeros((1, 2, 2, 2), np.float32)
    static[:, 0] = 2
    template = DualTemplate(static, 0.5, 1)
    assert template.similarity(np.array([3, 3], np.float32)) == pytest.approx(2**-0.5)
    dynamic = np.zeros_like(static)
    dynamic[:, 1] = 2
    template.observe(0.5, lambda: picture(0), lambda _: dynamic)
    assert template.similarity(np.array([3, 3], np.float32)) == pytest.approx(1)


def test_cosine_of_nothing_is_zero() -> None:
    assert cosine_similarity(np.zeros(3, np.float32), np.ones(3, np.float32)) == 0
