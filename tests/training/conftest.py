"""What several tests of training share: small networks and batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from fear.config import FEAR_XS
from fear.network import FearNetwork, build_network
from fear.training.data.batch import Batch, SampleCrops
from fear.training.sections import DistillSection, StageSection

SMALL = replace(FEAR_XS, template_size=64, search_size=96, width=32)


def make_batch(count: int = 2) -> Batch:
    """Smooth random crops for distillation, templates of 64 and searches of 96 pixels, without a target."""
    generator = torch.Generator().manual_seed(0)

    def crops(side: int) -> Tensor:
        coarse = torch.rand(count, 3, side // 8, side // 8, generator=generator) * 255
        return nn.functional.interpolate(coarse, size=(side, side), mode="bilinear")

    return Batch(SampleCrops(crops(64), crops(96)), torch.zeros(count, 4), torch.zeros(count, dtype=torch.bool))


def make_network(seed: int) -> FearNetwork:
    """A small network with random weights, and the statistics that its batch norms would have after training."""
    torch.manual_seed(seed)
    network = build_network(SMALL)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 1.0
    crops = make_batch().crops
    with torch.no_grad():
        for _ in range(2):
            network.match(crops.search, network.encode_template(crops.static_template))
    return network


@pytest.fixture
def small() -> SimpleNamespace:
    """`config`, `batch`, `network`, and the sections `stage` and `distill` that fit them."""
    return SimpleNamespace(
        config=SMALL,
        batch=make_batch,
        network=make_network,
        stage=StageSection(name="stage", kind="blocks", epochs=1, samples=2, batch=2),
        distill=DistillSection(teacher="given", patch=64, patches=2),
    )


@pytest.fixture
def without_trainer(monkeypatch: pytest.MonkeyPatch) -> Callable[[type, int], None]:
    """Lets stages of a kind compute steps without a trainer: `without_trainer(WholeStage, 1)` makes every step the second one."""

    def prepare(kind: type, step: int) -> None:
        monkeypatch.setattr(kind, "global_step", step, raising=False)
        monkeypatch.setattr(kind, "report", lambda self, parts, batch: None)

    return prepare
