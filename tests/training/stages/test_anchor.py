from __future__ import annotations

import pytest
import torch

from fear.config import FEAR_NANO
from fear.network import build_network
from fear.training.stages.anchor import TeacherAnswer, anchor_losses, ask
from fear.training.stages.search_sides import cut_searches
from training.labelled import BOXES, batch


def answer(right: list[bool]) -> TeacherAnswer:
    generator = torch.Generator().manual_seed(1)
    return TeacherAnswer(torch.rand(3, 1, 8, 8, generator=generator), torch.randn(3, 4, 8, 8, generator=generator), torch.tensor(right))


def test_a_student_that_says_the_same_loses_nothing() -> None:
    teacher = answer([True, True, False])
    parts = anchor_losses(teacher, teacher.scores.logit(), teacher.logs_ltrb.exp())
    assert float(parts["anchor_scores"]) == pytest.approx(0, abs=1e-5)
    assert float(parts["anchor_boxes"]) == pytest.approx(0, abs=1e-5)


def test_where_the_teacher_is_wrong_it_counts_nothing() -> None:
    logits, boxes = torch.zeros(3, 1, 8, 8), torch.ones(3, 4, 8, 8)
    assert all(float(part) == 0 for part in anchor_losses(answer([False] * 3), logits, boxes).values())
    one, three = (anchor_losses(answer(right), logits, boxes) for right in ([True, False, False], [True, True, True]))
    assert all(0 < float(one[name]) < float(three[name]) for name in one)


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
