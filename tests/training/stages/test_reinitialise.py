from __future__ import annotations

import pytest
import torch

from fear.network.backbones import FBNetC, InvertedResidual
from fear.training.stages.layers import relative_error
from fear.training.stages.reinitialise import Reinitialisation, reinitialise_units


def blocks() -> list[InvertedResidual]:
    """Of expansion 1 and 6, folded in effect: norms that change nothing."""
    torch.manual_seed(0)
    return [block for block in FBNetC().eval().modules() if isinstance(block, InvertedResidual)][:2]


@pytest.mark.parametrize(("place", "least", "most"), [(0, 1, 3), (1, 9, 9)])
def test_some_units_are_initialised_again_and_the_others_stay(place: int, least: int, most: int) -> None:
    block = blocks()[place]
    before = block.conv_dw.weight.clone(), block.conv_pwl.weight.clone()
    reinitialise_units(block, torch.Generator().manual_seed(3))
    fresh = (block.conv_dw.weight != before[0]).flatten(1).any(dim=1)
    assert least <= int(fresh.sum()) <= most
    assert (block.conv_pwl.weight[:, fresh] == 0).all()
    assert torch.equal(block.conv_pwl.weight[:, ~fresh], before[1][:, ~fresh])


def test_weak_units_of_expanded_blocks_go_first() -> None:
    block = blocks()[1]
    with torch.no_grad():
        block.conv_pwl.weight[:, 20:29] *= 1e-4
    before = block.conv_dw.weight.clone()
    reinitialise_units(block, torch.Generator().manual_seed(0))
    fresh = (block.conv_dw.weight != before).flatten(1).any(dim=1).nonzero()[:, 0].tolist()
    assert len(set(fresh) & set(range(20, 29))) >= 7


def test_what_got_worse_goes_back_and_what_got_better_stays() -> None:
    block = blocks()[0]
    reinitialisation = Reinitialisation({5: block}, cycle=2, until=8, seed=0)
    errors = [torch.zeros(())] * 6
    kept = []
    for step, error in enumerate([9.0, 1.0, 9.0, 2.0, 9.0, 0.5, 9.0, 0.7]):  # judged by the second of each pair
        kept.append({name: value.clone() for name, value in block.state_dict().items()})
        errors[5] = torch.tensor(error)
        reinitialisation.observe(step, errors)
    assert reinitialisation.kept == 1  # the third cycle
    best = kept[5]  # as it was while its error was 0.5
    assert all(torch.equal(best[name], value) for name, value in block.state_dict().items())
    reinitialisation.observe(9, errors)  # over: nothing changes any more
    assert all(torch.equal(best[name], value) for name, value in block.state_dict().items())


def test_a_filter_of_the_wrong_sign_is_found() -> None:
    """Learning alone does not get there; with reinitialised units the error falls to a fraction."""
    teacher, *_ = blocks()
    inputs = torch.rand(4, 16, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        truth = teacher(inputs)

    def learn(reinitialise: bool) -> float:
        student = blocks()[0]
        with torch.no_grad():
            student.conv_dw.weight[:3].neg_()
        optimiser = torch.optim.Adam(student.parameters(), lr=1e-2, fused=True)
        reinitialisation = Reinitialisation({0: student}, cycle=40, until=1520, seed=2)
        for step in range(1600):
            error = relative_error(student(inputs), truth)
            optimiser.zero_grad()
            error.backward()
            optimiser.step()
            if reinitialise:
                reinitialisation.observe(step, [error.detach()])
        return float(relative_error(student(inputs), truth).detach())

    assert learn(reinitialise=True) < 0.3 * learn(reinitialise=False)
