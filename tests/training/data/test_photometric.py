from __future__ import annotations

import torch

from fear.training.data.batch import SampleCrops
from fear.training.data.photometric import PhotometricChange
from fear.training.sections import PhotometricSection

ALWAYS = PhotometricSection(joint=1, each=1, grey=0, blur=1, motion=1, noise=1)
NEVER = PhotometricSection(joint=0, each=0, grey=0, blur=0, motion=0, noise=0)


def crops() -> SampleCrops[torch.Tensor]:
    """As in stages of distillation: two crops, the others are None."""
    generator = torch.Generator().manual_seed(0)
    template, search = (torch.randint(0, 256, (3, 3, side, side), generator=generator).float() for side in (32, 64))
    return SampleCrops(template, search)


def test_the_same_seed_makes_the_same_changes() -> None:
    change, state = PhotometricChange(ALWAYS), torch.random.get_rng_state()
    first, again, other = change(crops(), 1), change(crops(), 1), change(crops(), 2)
    assert torch.equal(first.static_template, again.static_template)
    assert torch.equal(first.search, again.search)
    assert not torch.equal(first.search, other.search)
    assert torch.equal(torch.random.get_rng_state(), state)  # nobody else's random numbers change


def test_values_stay_in_range_and_inputs_untouched() -> None:
    before = crops()
    after = PhotometricChange(ALWAYS)(before, 0)
    for a, b, again in (
        (after.static_template, before.static_template, crops().static_template),
        (after.search, before.search, crops().search),
    ):
        assert a.shape == b.shape
        assert a.min() >= 0
        assert a.max() <= 255
        assert torch.equal(b, again)
    assert after.dynamic_template is None
    assert after.negative is None


def test_nothing_happens_where_nothing_is_asked() -> None:
    after = PhotometricChange(NEVER)(crops(), 0)
    torch.testing.assert_close(crops().static_template, after.static_template, atol=1e-3, rtol=0)
    torch.testing.assert_close(crops().search, after.search, atol=1e-3, rtol=0)


def test_joint_changes_are_the_same_for_all_crops_of_a_sample() -> None:
    """Constant crops of one colour keep one colour, sample by sample, when only joint changes are made."""
    template, search = torch.full((4, 3, 16, 16), 100.0), torch.full((4, 3, 32, 32), 100.0)
    joint = PhotometricChange(NEVER.model_copy(update={"joint": 1.0}))
    changed = joint(SampleCrops(template, search, template, search), 3)
    first = changed.static_template.mean(dim=(2, 3))
    for other in (changed.search, changed.dynamic_template, changed.negative):
        assert other is not None
        torch.testing.assert_close(first, other.mean(dim=(2, 3)))
    assert len({round(float(value), 2) for value in first.mean(dim=1)}) == 4  # and differ from sample to sample
