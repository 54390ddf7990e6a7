from __future__ import annotations

import torch

from fear.config import FEAR_NANO
from fear.network import build_network
from fear.training.average import mix_with_start
from fear.training.sections import NetworkSection
from fear.training.start import start_network


def test_w_can_be_set_before_the_first_step() -> None:
    for wanted, w in ((None, 0), (0.25, 0.25)):
        section = NetworkSection(preset="fear-nano", dynamic_weight=wanted)
        assert start_network(section, None).dynamic_weight.item() == w


def test_a_part_of_the_earlier_weights_is_kept() -> None:
    network, other = build_network(FEAR_NANO), build_network(FEAR_NANO)
    start = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    end = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    network.load_state_dict(end)
    mix_with_start(network, start, 0.0)
    assert all(torch.equal(tensor, end[name]) for name, tensor in network.state_dict().items())
    mix_with_start(network, start, 0.25)
    name = "score_head.last.weight" if "score_head.last.weight" in start else next(n for n in start if n.endswith("weight"))
    torch.testing.assert_close(network.state_dict()[name], 0.75 * end[name] + 0.25 * start[name])
