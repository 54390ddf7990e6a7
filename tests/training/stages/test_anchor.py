from __future__ import annotations

import pytest
import torch

from fear.config import FEAR_NANO
from fear.errors import ConfigError
from fear.network import Prediction, build_network
from fear.training.sections import AnchorSection
from fear.training.stages.anchor import Anchor, TeacherAnswer, anchor_losses, ask, make_anchor
from fear.training.stages.search_sides import cut_searches
from fear.training.stages.teacher import Teacher
from training.labelled import BOXES, batch


def answer(right: list[bool]) -> TeacherAnswer:
    generator = torch.Generator().manual_seed(1)
    logits, logs, features, template = (torch.randn(3, channels, 8, 8, generator=generator) for channels in (1, 4, 16, 16))
    return TeacherAnswer(logits.sigmoid(), logs, features, template, torch.tensor(right), whole_cells=12)


def says(teacher: TeacherAnswer) -> tuple[Prediction, torch.Tensor, torch.Tensor]:
    """What a student says that has learned everything."""
    return Prediction(teacher.scores.logit(), teacher.logs_ltrb.exp(), torch.zeros(3, 16)), teacher.features, teacher.template


def test_a_student_that_says_the_same_loses_nothing() -> None:
    teacher = answer([True, True, False])
    parts = anchor_losses(teacher, *says(teacher))
    assert all(float(part) == pytest.approx(0, abs=1e-5) for part in parts.values())


def test_where_the_teacher_is_wrong_its_scores_and_boxes_count_nothing() -> None:
    search, features, template = says(answer([True] * 3))
    wrong = search._replace(logits=torch.zeros(3, 1, 8, 8), boxes_ltrb=torch.ones(3, 4, 8, 8))
    none, one, three = (
        anchor_losses(answer(right), wrong, features, template) for right in ([False] * 3, [True, False, False], [True] * 3)
    )
    for name in ("anchor_scores", "anchor_boxes"):
        assert 0 == float(none[name]) < float(one[name]) < float(three[name])


def test_features_count_even_where_the_teacher_is_wrong() -> None:
    search, features, template = says(answer([False] * 3))
    for other in ((features + 1, template), (features, template + 1)):
        assert float(anchor_losses(answer([False] * 3), search, *other)["anchor_features"]) > 0.1


def test_a_teacher_of_another_width_is_not_compared_by_features() -> None:
    teacher = answer([True] * 3)
    search, features, template = says(teacher)
    parts = anchor_losses(teacher, search, features[:, :8], template[:, :8])
    assert parts.keys() == {"anchor_scores", "anchor_boxes"}
    anchor = Anchor(Teacher(build_network(FEAR_NANO)), AnchorSection(teacher="", scores=2, boxes=3))
    assert float(anchor.weigh({"anchor_scores": torch.tensor(1.0), "anchor_boxes": torch.tensor(10.0)}, static=True)) == 32
    with pytest.raises(ConfigError, match=r"anchor.features: expected 0 .*fear-nano has 128 channels, the student 256\), got 1.5"):
        make_anchor(AnchorSection(teacher="fear-nano", features=1.5), 256)
    assert make_anchor(AnchorSection(teacher="fear-nano", features=1.5), 128).options.features == 1.5


def test_labels_count_less_where_the_teacher_is_right() -> None:
    anchor = Anchor(Teacher(build_network(FEAR_NANO)), AnchorSection(teacher="", labels=0.25))
    assert anchor.label_weights(answer([True, False, True]), static=False).tolist() == [0.25, 1, 0.25]


def test_steps_with_both_templates_do_not_compare_with_a_teacher_that_has_one() -> None:
    anchor = Anchor(Teacher(build_network(FEAR_NANO)), AnchorSection(teacher="", scores=2, boxes=3, features=5, labels=0.25, static=0.5))
    parts = {"anchor_scores": torch.tensor(1.0), "anchor_boxes": torch.tensor(10.0), "anchor_features": torch.tensor(100.0)}
    assert float(anchor.weigh(parts, static=True)) == 2 + 30 + 500
    assert float(anchor.weigh(parts, static=False)) == 500
    assert anchor.label_weights(answer([True, False, True]), static=True).tolist() == [0.25, 1, 0.25]
    assert anchor.label_weights(answer([True, False, True]), static=False).tolist() == [1, 1, 1]
    assert 0.3 < sum(anchor.is_static(step) for step in range(100)) / 100 < 0.7


def test_the_teacher_is_right_where_its_best_box_is() -> None:
    teacher = build_network(FEAR_NANO).eval()
    with torch.no_grad():
        prediction = teacher.match(batch().crops.search, teacher.encode_template(batch().crops.static_template))
    best = int(prediction.logits[0].flatten().argmax())
    row, column = divmod(best, 12)
    left, top, right, bottom = prediction.boxes_ltrb[0, :, row, column].tolist()
    boxes = BOXES.clone()
    boxes[0] = torch.tensor([column * 16 - left, row * 16 - top, left + right, top + bottom])
    found = ask(teacher, batch()._replace(boxes_xywh=boxes))
    assert found.right.tolist()[0]
    assert not found.right.tolist()[2]  # absent
    _, part = cut_searches(batch(), 128, 0)
    assert found.of(part).scores.shape == (3, 1, 8, 8)
