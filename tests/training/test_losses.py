from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fear.geometry.boxes import iou
from fear.training.losses import Losses, balanced_cross_entropy, focal_loss, iou_ltrb, regression_loss, stranger_loss, triplet_loss
from fear.training.targets import Targets, make_targets

PRESENT = torch.tensor([True])


def positives(*cells: tuple[int, int], size: int = 4) -> Targets:
    mask = torch.zeros(1, 1, size, size, dtype=torch.bool)
    for row, column in cells:
        mask[0, 0, row, column] = True
    return Targets(mask, torch.full((1, 4, size, size), 10.0))


# -------------------------------------------------------------------------------------------------------------------- targets
def test_boxes_are_distances_from_each_cell() -> None:
    targets = make_targets(torch.tensor([[100.0, 110.0, 60.0, 40.0]]), PRESENT, 16)
    # cell (8, 8) stands at (128, 128)
    assert targets.boxes_ltrb[0, :, 8, 8].tolist() == [28, 18, 32, 22]
    assert targets.boxes_ltrb[0, :, 8, 9].tolist() == [44, 18, 16, 22]


def test_diamond_of_a_large_box() -> None:
    mask = make_targets(torch.tensor([[28.0, 28.0, 200.0, 200.0]]), PRESENT, 16).positive[0, 0]
    assert mask.sum() == 13  # 1 + 4 + 8
    assert mask[8, 8]
    assert mask[6, 8]
    assert mask[7, 9]
    assert not mask[6, 9]


def test_a_tiny_box_has_one_cell() -> None:
    mask = make_targets(torch.tensor([[131.0, 133.0, 3.0, 3.0]]), PRESENT, 16).positive
    assert mask[0, 0].nonzero().tolist() == [[8, 8]]


def test_no_cell_outside_of_the_box_is_positive() -> None:
    mask = make_targets(torch.tensor([[100.0, 110.0, 60.0, 40.0]]), PRESENT, 16).positive[0, 0]
    assert {(row, column) for row, column in mask.nonzero().tolist()} <= {(row, column) for row in (7, 8, 9) for column in (7, 8, 9)}


def test_absent_target_has_none() -> None:
    assert not make_targets(torch.tensor([[100.0, 110.0, 60.0, 40.0]]), torch.tensor([False]), 16).positive.any()


# -------------------------------------------------------------------------------------------------------------------- regression
places, sides = st.floats(-100, 300), st.floats(1, 300)


@given(*[st.tuples(places, places, sides, sides)] * 2, st.tuples(st.integers(0, 15), st.integers(0, 15)))
def test_iou_from_any_cell_is_the_iou(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float], cell: tuple[int, int]
) -> None:
    maps = make_targets(torch.tensor([a, b]), torch.tensor([True, True]), 16).boxes_ltrb
    assert float(iou_ltrb(maps[:1], maps[1:])[0, cell[0], cell[1]]) == pytest.approx(float(iou(a, b)), abs=2e-4)


def test_regression_by_hand() -> None:
    targets = positives((0, 0), (1, 1))
    predicted = torch.full((1, 4, 4, 4), 10.0)
    assert float(regression_loss(predicted, targets)) == pytest.approx(0, abs=1e-6)
    predicted[0, :, 1, 1] = 5  # a quarter of the area
    predicted[0, :, 2, 2] = 1e6  # not positive, does not count
    assert float(regression_loss(predicted, targets)) == pytest.approx((0 + 0.75) / 2)


# -------------------------------------------------------------------------------------------------------------------- classification
@pytest.mark.parametrize("logit", [0.0, 1.5, -3.0, 0.7])
def test_focal_by_hand(logit: float) -> None:
    targets = positives((0, 0), size=2)
    logits = torch.full((1, 1, 2, 2), logit)
    p = 1 / (1 + math.exp(-logit))
    expected = (-((1 - p) ** 2) * math.log(p) + 3 * -(p**2) * math.log(1 - p)) / 1  # one positive cell
    assert float(focal_loss(logits, targets)) == pytest.approx(expected, rel=1e-5)


def test_focal_survives_large_logits() -> None:
    for value in (1e4, -1e4):
        logits = torch.full((1, 1, 2, 2), value, requires_grad=True)
        loss = focal_loss(logits, positives((0, 0), size=2))
        loss.backward()
        assert loss.isfinite()
        assert logits.grad is not None
        assert logits.grad.isfinite().all()


def test_balanced_cross_entropy_by_hand() -> None:
    logits = torch.tensor([[[[2.0, -1.0], [0.0, 1.0]]]])
    expected = 0.5 * math.log(1 + math.exp(-2)) + 0.5 * sum(math.log(1 + math.exp(x)) for x in (-1, 0, 1)) / 3
    assert float(balanced_cross_entropy(logits, positives((0, 0), size=2))) == pytest.approx(expected, rel=1e-5)


def test_stranger_loss_by_hand() -> None:
    """Only the cells of the target count, and a sample without one counts as zero."""
    logits = torch.tensor([[[[2.0, -1.0], [0.0, 1.0]]]])
    targets = positives((0, 0), (1, 1), size=2)
    expected = sum(math.log(1 + math.exp(x)) for x in (2, 1)) / 2
    assert float(stranger_loss(logits, targets)) == pytest.approx(expected, rel=1e-5)
    none = targets._replace(positive=torch.zeros_like(targets.positive))
    assert float(stranger_loss(logits, none)) == 0


# -------------------------------------------------------------------------------------------------------------------- triplet
def vectors(*angles: float) -> Tensor:
    return torch.tensor([[3 * math.cos(a), 3 * math.sin(a)] for a in angles])


def test_triplet_by_hand() -> None:
    """Two unit vectors at an angle a are 2·sin(a/2) apart."""
    loss = triplet_loss(vectors(0), vectors(0.5), vectors(1.0), PRESENT)
    assert float(loss) == pytest.approx(2 * math.sin(0.25) - 2 * math.sin(0.5) + 1, rel=1e-5)


def test_triplet_is_zero_when_the_negative_is_far() -> None:
    assert float(triplet_loss(vectors(0), vectors(0.1), vectors(math.pi), PRESENT)) == 0


def test_triplet_counts_present_targets_alone() -> None:
    present = torch.tensor([True, False])
    both = triplet_loss(vectors(0, 0), vectors(0.5, 3.0), vectors(1.0, 0.1), present)
    assert float(both) == pytest.approx(float(triplet_loss(vectors(0), vectors(0.5), vectors(1.0), PRESENT)) / 2, rel=1e-6)


def test_triplet_of_equal_vectors_has_a_finite_gradient() -> None:
    anchor = vectors(0.3).requires_grad_()
    triplet_loss(anchor, anchor, anchor, PRESENT).backward()
    assert anchor.grad is not None
    assert anchor.grad.isfinite().all()


# -------------------------------------------------------------------------------------------------------------------- edges and sum
@pytest.mark.parametrize("cells", [[], [(0, 0)], [(row, column) for row in range(4) for column in range(4)]], ids=["none", "one", "all"])
def test_any_number_of_positives_is_finite(cells: list[tuple[int, int]]) -> None:
    targets = positives(*cells)
    logits, boxes = torch.randn(1, 1, 4, 4, requires_grad=True), torch.rand(1, 4, 4, 4, requires_grad=True)
    parts = (regression_loss(boxes, targets), focal_loss(logits, targets), balanced_cross_entropy(logits, targets))
    torch.stack(parts).sum().backward()
    assert all(part.isfinite() for part in parts)
    for leaf in (logits, boxes):
        assert leaf.grad is not None
        assert leaf.grad.isfinite().all()
    if not cells:
        assert float(parts[0].detach()) == 0


def test_nothing_present_is_zero() -> None:
    assert float(triplet_loss(vectors(0), vectors(1), vectors(2), torch.tensor([False]))) == 0


def test_total_is_weighted_as_in_the_paper() -> None:
    assert float(Losses(torch.tensor(2.0), torch.tensor(3.0), torch.tensor(5.0)).total()) == 0.5 * 2 + 3 + 5


def test_half_batches_average_to_the_whole() -> None:
    """What two machines learn from half a batch each, one learns from all of it, whatever the samples hold."""
    generator = torch.Generator().manual_seed(0)
    boxes_xywh = torch.tensor([[100.0, 110, 60, 40], [28, 28, 200, 200], [131, 133, 3, 3], [50, 60, 70, 80]])
    present = torch.tensor([True, True, True, False])
    logits, boxes = torch.randn(4, 1, 16, 16, generator=generator), torch.rand(4, 4, 16, 16, generator=generator) * 60
    embeddings = torch.randn(3, 4, 8, generator=generator)

    def losses(part: slice) -> Tensor:
        targets = make_targets(boxes_xywh[part], present[part], 16)
        return torch.stack(
            (
                triplet_loss(embeddings[0, part], embeddings[1, part], embeddings[2, part], present[part]),
                regression_loss(boxes[part], targets),
                focal_loss(logits[part], targets),
                balanced_cross_entropy(logits[part], targets),
            )
        )

    torch.testing.assert_close((losses(slice(0, 2)) + losses(slice(2, 4))) / 2, losses(slice(0, 4)))
