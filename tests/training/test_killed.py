"""A training run and a conversion that are killed ten times."""

from __future__ import annotations

import shutil
import sys
import tomllib
from pathlib import Path

import pytest
import torch

from fear.cli.assignments import parse_assignments
from fear.loading import convert
from fear.media.synthetic import Scene, write_folder
from fear.network import load_checkpoint
from fear.training.recipe import Recipe, load_recipe
from fear.training.run import train
from fear.weights import packaged, read_card
from fear.weights.store import cache_folder
from killing import run_and_kill

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked")

KILLS = 10
RECIPES = Path(__file__).parents[2] / "recipes"


def smoke(clips: Path) -> Recipe:
    changes = ("stages.0.samples=4", "stages.0.batch=2", "stages.0.warm_up=0", "network.preset=fear-nano", "machine.threads=1")
    recipe = load_recipe(RECIPES / "smoke.toml", parse_assignments([f"data.0.root={clips}", *changes]))
    stage = recipe.stages[0].model_copy(update={"stop_after": None})
    return recipe.model_copy(update={"validation": None, "stages": (stage,)})


@pytest.mark.slow
def test_training_killed_ten_times_ends_as_in_one_go(tmp_path: Path) -> None:
    write_folder(tmp_path / "clips" / "disc", Scene(frames=8, height=96, width=128))
    recipe, run = smoke(tmp_path / "clips"), tmp_path / "run"
    touches = run_and_kill(lambda: train(recipe, tmp_path / "whole"), None)
    assert touches is not None
    for number in range(KILLS):
        resume = (run / "recipe.toml").exists()
        if resume:
            tomllib.loads((run / "recipe.toml").read_text())  # whole
        assert run_and_kill(lambda resume=resume: train(recipe, run, resume), 1 + touches * (number + 1) // (KILLS + 4)) is None or number  # type: ignore[misc]
        for weights in run.glob("**/[!.]*/weights.safetensors"):
            load_checkpoint(weights)  # raises for what is half-written
    assert run_and_kill(lambda: train(recipe, run, (run / "recipe.toml").exists()), None) is not None
    whole, _ = load_checkpoint(tmp_path / "whole" / "weights.safetensors")
    parts, _ = load_checkpoint(run / "weights.safetensors")
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], tensor, rtol=1e-3, atol=1e-5, msg=name)


@pytest.mark.usefixtures("packaged_graphs")
@pytest.mark.slow
def test_a_conversion_killed_ten_times_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(convert, "_COMPARED", {"fp32": 6})
    checkpoint = Path(shutil.copy(packaged()["fear-nano"].checkpoint or Path(), tmp_path))

    def export() -> Path:
        torch.set_num_threads(1)  # of a forked process
        return convert.export_to_cache(checkpoint)

    touches = run_and_kill(export, None)
    assert touches is not None
    shutil.rmtree(cache_folder())
    for number in range(KILLS):
        killed = run_and_kill(export, touches - number * 2 if number < KILLS // 2 else touches * number // KILLS) is None
        folders = list(cache_folder().glob("export-*"))
        assert killed or len(folders) == 1
        for folder in folders:  # the last kills meet it when the result is there
            assert {"config.json", "embed.onnx", "match.onnx"} <= {path.name for path in folder.iterdir()}
            read_card(folder)
            shutil.rmtree(folder)
    folder = export()
    assert read_card(folder).network == read_card(checkpoint).network
