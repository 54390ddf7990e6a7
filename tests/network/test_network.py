from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from fear.config import FEAR_L, FEAR_M, FEAR_NANO, FEAR_XS, NetworkConfig
from fear.errors import ConfigError
from fear.loading.reference import models
from fear.network import FearNetwork, build_network, fold, merge_spread, parameter_count, template_parameter_count
from fear.network.folding import convolution_norm_pairs
from fear.network.fusion import correlate
from fear.network.network import weighted_average

FBNETC_100 = replace(FEAR_XS, backbone="fbnetc_100")
OWN_TEMPLATE = replace(FEAR_XS, template_backbone="fbnet_c_slim")
FAMILY = pytest.mark.parametrize(
    "config",
    [FEAR_NANO, FEAR_XS, FBNETC_100, OWN_TEMPLATE, FEAR_M, FEAR_L],
    ids=lambda config: f"{config.name}-{config.backbone}-{config.template_backbone}",
)


def crops(batch: int, size: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (batch, 3, size, size), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def randomise_norms(network: nn.Module) -> None:
    """Running statistics as after training, so that folding has something to get wrong."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features, generator=generator) * 0.1
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5


@FAMILY
def test_shapes(config: NetworkConfig) -> None:
    network = build_network(config).eval()
    with torch.no_grad():
        template = network.encode_template(crops(2, 128))
        prediction = network.match(crops(2, 256), template)
    assert template.shape == (2, config.width, 8, 8)
    assert prediction.logits.shape == (2, 1, 16, 16)
    assert prediction.boxes_ltrb.shape == (2, 4, 16, 16)
    assert prediction.embedding.shape == (2, config.width)
    assert (prediction.boxes_ltrb > 0).all()


@FAMILY
def test_every_parameter_gets_a_gradient(config: NetworkConfig) -> None:
    network = build_network(replace(config, template_size=64, search_size=64)).train()
    with torch.no_grad():
        network.dynamic_weight.fill_(0.3)
    logits, boxes_ltrb, embedding = network(crops(2, 64, 1), crops(2, 64, 2), crops(2, 64, 3))
    (logits.square().mean() + boxes_ltrb.mean() + embedding.square().mean()).backward()
    without = [name for name, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert not without


@FAMILY
def test_folded_equals_unfolded(config: NetworkConfig) -> None:
    torch.manual_seed(0)
    network = build_network(config).eval()
    randomise_norms(network)
    folded = fold(network)
    assert folded.config == replace(config, folded=True)
    assert not list(convolution_norm_pairs(folded))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    with torch.no_grad():
        template = network.encode_template(crops(1, 128))
        torch.testing.assert_close(folded.encode_template(crops(1, 128)), template, rtol=1e-3, atol=1e-3 * float(template.abs().max()))
        for a, b in zip(folded.match(crops(1, 256), template)[:3], network.match(crops(1, 256), template)[:3], strict=True):
            torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3 * float(b.abs().max()))
    assert list(build_network(folded.config).state_dict()) == list(folded.state_dict())


def test_folding_leaves_the_original_alone() -> None:
    network = build_network(FEAR_XS)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    fold(network)
    assert network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


@FAMILY
def test_merging_the_spread_changes_nothing(config: NetworkConfig) -> None:
    network = build_network(config).eval()
    merged = merge_spread(network)
    with torch.no_grad():
        torch.testing.assert_close(merged.encode_template(crops(1, 64)), network.encode_template(crops(1, 64)), rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(merged.encode_search(crops(1, 64)), network.encode_search(crops(1, 64)), rtol=1e-3, atol=1e-4)
    assert merged.std is None
    assert network.std is not None


def test_one_backbone_or_two() -> None:
    with torch.no_grad():
        shared, own = (build_network(replace(config, width=8)).eval() for config in (FEAR_XS, OWN_TEMPLATE))
        torch.testing.assert_close(shared.encode_template(crops(1, 64)), shared.encode_search(crops(1, 64)))
        assert not torch.allclose(own.encode_template(crops(1, 64)), own.encode_search(crops(1, 64)))
        assert parameter_count(own) == parameter_count(shared)  # of every frame
        assert own.template_encoder is not None
        assert template_parameter_count(own) == parameter_count(own.template_encoder)
        assert template_parameter_count(shared) == 0
    with pytest.raises(ConfigError, match="template_backbone: expected None or one of fbnet_c"):
        replace(FEAR_XS, template_backbone="resnet18")  # type: ignore[arg-type]


def test_parameters_of_the_published_size() -> None:
    count = parameter_count(fold(build_network(FEAR_XS)))
    assert count == pytest.approx(1_348_605, rel=0.02)


@pytest.mark.parametrize("config", [FEAR_NANO, FEAR_XS, FEAR_M, FEAR_L], ids=lambda config: config.name)
def test_listed_numbers_are_the_counted_ones(config: NetworkConfig) -> None:
    from fear.export import count_macs

    card = models()[config.name].card
    network = fold(build_network(replace(config, template_backbone=card.network.template_backbone)))
    assert (card.parameters, card.macs) == (parameter_count(network), count_macs(network))
    assert card.template_parameters == template_parameter_count(network)


def test_correlation_by_hand() -> None:
    template, search = torch.randn(2, 5, 3, 2), torch.randn(2, 5, 4, 6)
    maps = correlate(template, search)
    assert maps.shape == (2, 6, 4, 6)
    for b, i, j, y, x in ((0, 0, 0, 0, 0), (1, 2, 1, 3, 5), (0, 1, 0, 2, 4)):
        assert maps[b, i * 2 + j, y, x] == pytest.approx(float(template[b, :, i, j] @ search[b, :, y, x]), abs=1e-5)


def test_weighted_average() -> None:
    features = torch.arange(8.0).view(1, 2, 2, 2)
    weights = torch.tensor([[[[1.0, 0.0], [0.0, 3.0]]]])
    assert weighted_average(features, weights).tolist() == [[(0 + 9) / 4, (4 + 21) / 4]]
    assert weighted_average(features, torch.zeros_like(weights)).isfinite().all()


def test_merge_is_a_weighted_sum(tiny: FearNetwork) -> None:
    a, b = torch.randn(1, 8, 2, 2), torch.randn(1, 8, 2, 2)
    with torch.no_grad():
        tiny.dynamic_weight.fill_(0.25)
    torch.testing.assert_close(tiny.merge(a, b), 0.75 * a + 0.25 * b)


def test_same_templates_merge_to_themselves(tiny: FearNetwork) -> None:
    a = torch.randn(1, 8, 2, 2)
    torch.testing.assert_close(tiny.merge(a, a), a)


@pytest.fixture
def tiny() -> FearNetwork:
    return build_network(replace(FEAR_XS, width=8, template_size=32, search_size=64))
