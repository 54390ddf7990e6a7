from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from fear.training.stages.layers import activations, encoder_activations, relative_error


def test_relative_error_by_hand() -> None:
    truth = torch.tensor([[[[1.0, 3.0]], [[0.0, 4.0]]]])  # variances 2 and 8 (unbiased), their mean 5
    y = truth + torch.tensor([[[[1.0, 1.0]], [[2.0, 0.0]]]])
    assert float(relative_error(y, truth)) == pytest.approx((1 / (2 + 0.25) + 2 / (8 + 0.25)) / 2, rel=1e-5)
    assert float(relative_error(truth, truth)) == 0


def test_activations_end_in_the_features(small: SimpleNamespace) -> None:
    network, crops = small.network(0).eval(), small.batch().crops.search
    with torch.no_grad():
        found = encoder_activations(network, crops)
        torch.testing.assert_close(found[-1], network.encode_search(crops))
    assert len(found) == 1 + 1 + 16 + 1  # crops, stem, blocks of FBNet-C, AdjustLayer


def test_the_last_maps_of_the_heads_are_the_networks_answer(small: SimpleNamespace) -> None:
    network, crops = small.network(0).eval(), small.batch().crops
    with torch.no_grad():
        heads = activations(network, crops.static_template, crops.search).heads
        prediction = network.match(crops.search, network.encode_template(crops.static_template))
    torch.testing.assert_close(heads["score"].output, prediction.logits)
    torch.testing.assert_close(heads["box"].output.exp(), prediction.boxes_ltrb)
