from __future__ import annotations

import dataclasses
import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from fear.config import FEAR_L, FEAR_M, FEAR_XS, PRESETS, NetworkConfig, TrackerConfig
from fear.errors import ConfigError


@pytest.mark.parametrize("config", [FEAR_XS, FEAR_M, FEAR_L])
def test_round_trip(config: NetworkConfig) -> None:
    assert NetworkConfig.from_dict(config.to_dict()) == config
    assert PRESETS[config.name] is config


def test_unknown_key_names_it_and_the_valid_ones() -> None:
    with pytest.raises(ConfigError, match=r"unknown key windwo; valid keys are .*window"):
        TrackerConfig.from_dict({"windwo": 0.3})


def test_a_renamed_key_names_the_new_one() -> None:
    with pytest.raises(ConfigError, match="calm_score is called steady_score now"):
        TrackerConfig.from_dict({"calm_score": 0.9})


def test_missing_key() -> None:
    with pytest.raises(ConfigError, match="backbone"):
        NetworkConfig.from_dict({"name": "x"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("update_interval", 0),
        ("window", 1.5),
        ("window", float("nan")),
        ("penalty", -1),
        ("size_rate", 0),
        ("lost_score", 2),
        ("search_context", 0),
        ("template_context", -0.1),
        ("lost_similarity", 1.1),
        ("doubt_frames", 0),
        ("redetection_work", 0),
        ("found_frames", 0),
    ],
)
def test_values_out_of_range(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"TrackerConfig.{field}: expected .* got"):
        TrackerConfig.from_dict({field: value})


@pytest.mark.parametrize(("field", "value"), [("backbone", "vgg"), ("search_size", 250), ("width", 0)])
def test_network_values_out_of_range(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=field):
        NetworkConfig.from_dict(FEAR_XS.to_dict() | {field: value})


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        FEAR_XS.width = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value", "plain"),
    [
        ("update_interval", np.int64(5), 5),
        ("steady_search_size", np.uint8(128), 128),
        ("window", np.float32(0.5), 0.5),
        ("window", Fraction(1, 4), 0.25),
        ("search_context", np.int32(2), 2),
    ],
)
def test_numbers_of_other_kinds_become_plain_ones(field: str, value: Any, plain: float) -> None:
    rules = TrackerConfig.from_dict({field: value})
    assert type(getattr(rules, field)) is type(plain)
    assert TrackerConfig.from_dict(json.loads(json.dumps(rules.to_dict()))) == TrackerConfig.from_dict({field: plain})


def test_numbers_of_a_network_become_plain_ones() -> None:
    network = NetworkConfig.from_dict(FEAR_XS.to_dict() | {"width": np.int64(256), "search_size": np.int32(256)})
    assert network == FEAR_XS
    assert json.loads(json.dumps(network.to_dict())) == FEAR_XS.to_dict()


def test_a_fraction_that_no_float_holds_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"TrackerConfig.penalty: expected a finite number"):
        TrackerConfig(penalty=Fraction(10**400))  # type: ignore[arg-type]
