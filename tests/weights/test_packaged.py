"""The files of the packaged weights belong together, and a changed byte in them is noticed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import safe_open

from fear.errors import DamagedWeightsError
from fear.weights import Weights, packaged, read_card

WEIGHTS = pytest.mark.parametrize("weights", packaged().values(), ids=packaged())


@WEIGHTS
def test_checkpoint_and_folder_have_the_same_card(weights: Weights) -> None:
    assert weights.checkpoint is not None
    assert weights.folder is not None
    assert read_card(weights.checkpoint) == replace(read_card(weights.folder), files={})
    with safe_open(weights.checkpoint, framework="np") as file:
        stored = json.loads(file.metadata()["fear"])
    assert stored["network_sha256"] == json.loads((weights.folder / "config.json").read_text())["network_sha256"]


@WEIGHTS
@pytest.mark.parametrize(("key", "old", "new"), [("search_size", b"256", b"656"), ("dynamic_weight", b"0.", b"1.")])
def test_a_changed_byte_in_the_header_is_noticed(weights: Weights, key: str, old: bytes, new: bytes, tmp_path: Path) -> None:
    """Another size of crops or another weight of the dynamic template would give other boxes, and nobody would know why."""
    content = (weights.checkpoint or Path()).read_bytes()
    place = content.index(old, content.index(key.encode()))
    damaged = tmp_path / "checkpoint.safetensors"
    damaged.write_bytes(content[:place] + new + content[place + len(old) :])
    with pytest.raises(DamagedWeightsError, match=r"checkpoint\.safetensors: network or dynamic_weight was changed"):
        read_card(damaged)
