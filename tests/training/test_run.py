"""Whole runs on rendered clips: the smoke recipe, resumption, two processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from fear.cli import app
from fear.cli.assignments import parse_assignments
from fear.errors import ConfigError, DatasetError
from fear.media.synthetic import Scene, write_folder
from fear.network import load_checkpoint
from fear.training.data.batch import Batch
from fear.training.plots import read_metrics
from fear.training.recipe import Recipe, load_recipe
from fear.training.run import train
from fear.training.stages import track as module

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short sequences."""
    root = tmp_path_factory.mktemp("clips")
    for seed in (1, 2):
        write_folder(root / f"disc{seed}", Scene(frames=10, height=120, width=160, seed=seed))
    return root


def smoke(clips: Path, *changes: str) -> Recipe:
    fixed = [f"data.0.root={clips}", f"validation.root={clips}", "validation.max_frames=3"]
    return load_recipe(RECIPES / "smoke.toml", parse_assignments([*fixed, *changes]))


@pytest.mark.slow
def test_smoke_recipe_by_the_command(clips: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = ["train", str(RECIPES / "smoke.toml"), "--set", f"data.0.root={clips}", "--set", f"validation.root={clips}"]
    result = CliRunner().invoke(app, [*command, "--output", str(run)])
    assert result.exit_code == 0, result.output
    there = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    expected = {"recipe.toml", "weights.safetensors"} | {
        f"track/{name}" for name in ("epoch-step=8.ckpt", "metrics.csv", "batch.png", "curves.png", "weights.safetensors")
    }
    assert expected <= there
    assert any("tfevents" in name for name in there)
    metrics = read_metrics(run / "track")
    assert {"loss", "triplet", "regression", "classification", "val_iou", "w"} <= metrics.keys()
    network, card = load_checkpoint(run / "weights.safetensors")
    assert card.provenance.startswith("Trained for a minute")
    assert not torch.equal(network.dynamic_weight, torch.tensor(0.0))  # w learned, too
    again = CliRunner().invoke(app, [*command, "--output", str(run)])
    assert again.exit_code == 1
    assert "expected a new folder, or --resume" in again.stderr


class StoppedError(Exception):
    """What ends a run in the tests."""


@pytest.mark.slow
def test_interrupted_and_resumed_equals_uninterrupted(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the middle of the second epoch, between two checkpoints: the curve and the weights are those of one go."""
    recipe = smoke(clips, "stages.0.samples=12", "stages.0.batch=2", "machine.save_minutes=0.0001", "stages.0.warm_up=0")
    original = module.TrackStage.training_step
    losses: dict[str, list[float]] = {"whole": [], "parts": []}

    def recorded(name: str, stop_at: int | None) -> None:
        def step(self: module.TrackStage, batch: Batch) -> torch.Tensor:
            if self.global_step == stop_at:
                raise StoppedError
            loss = original(self, batch)
            losses[name].append(float(loss.detach()))
            return loss

        monkeypatch.setattr(module.TrackStage, "training_step", step)

    recorded("whole", None)
    whole, _ = load_checkpoint(train(recipe, tmp_path / "whole"))
    recorded("parts", 9)  # of 12 steps, 6 in an epoch
    with pytest.raises(StoppedError):
        train(recipe, tmp_path / "parts")
    recorded("parts", None)
    parts, _ = load_checkpoint(train(recipe, tmp_path / "parts", resume=True))
    assert len(losses["whole"]) == 12
    assert losses["parts"] == pytest.approx(losses["whole"], rel=1e-4)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], tensor, rtol=1e-3, atol=1e-5, msg=name)
    assert len(list((tmp_path / "parts" / "track").glob("metrics*.csv"))) == 2


@pytest.mark.slow
def test_crops_cut_on_the_device_and_prepared_by_processes(clips: Path, tmp_path: Path) -> None:
    """The way of graphics cards, here on the processor: pictures in a bank, plans from worker processes.

    In a process of its own, as users train: workers are forked, and this one is full of other libraries' threads and signal stacks by now.
    """
    changes = ("machine.pictures=device", "machine.workers=1", "stages.0.epochs=1", "stages.0.samples=4", "stages.0.batch=2")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(smoke(clips, *changes, "validation.max_frames=2").to_toml(), encoding="utf-8")
    code = """
import json, sys
from pathlib import Path
from fear.training.recipe import load_recipe
from fear.training.run import train
counted = []
train(load_recipe(Path(sys.argv[1])), Path(sys.argv[2]), on_picture=counted.append)
print(json.dumps(counted))
"""
    command = [sys.executable, "-c", code, str(recipe), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == [20] * 20  # two sequences of ten frames
    network, _ = load_checkpoint(tmp_path / "run" / "weights.safetensors")
    assert all(bool(tensor.isfinite().all()) for tensor in network.state_dict().values() if tensor.is_floating_point())


def test_a_folder_belongs_to_one_recipe(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a run to resume"):
        train(smoke(clips), tmp_path / "none", resume=True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.toml").write_text(smoke(clips).to_toml())
    with pytest.raises(ConfigError, match="only the section machine may change"):
        train(smoke(clips, "seed=5"), tmp_path / "run", resume=True)


def test_missing_data_ends_the_run_at_once(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="found none"):
        train(smoke(clips, "data.0.root=/nowhere"), tmp_path / "run")


@pytest.mark.slow
def test_two_processes_learn_what_one_does(clips: Path, tmp_path: Path) -> None:
    """The gradient of two processes with two samples each is that of one process with four."""
    gradients = {}
    for devices, size in ((1, 4), (2, 2)):
        output = tmp_path / f"{devices}.pt"
        command = [sys.executable, Path(__file__).with_name("dump_gradient.py"), clips, tmp_path / f"run{devices}", output, devices, size]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        gradients[devices] = torch.load(output, weights_only=True)
    assert gradients[1].keys() == gradients[2].keys()
    largest = max(float(gradient.abs().max()) for gradient in gradients[1].values())
    assert largest > 0
    for name, gradient in gradients[1].items():
        torch.testing.assert_close(gradients[2][name], gradient, rtol=1e-3, atol=1e-5 * largest, msg=name)


def test_metrics_of_a_resumed_run_are_one_curve(tmp_path: Path) -> None:
    (tmp_path / "metrics-000.csv").write_text("epoch,loss,step\n0,3.0,9\n0,2.5,19\n")
    (tmp_path / "metrics.csv").write_text("epoch,loss,step,val_iou\n0,2.0,19,\n1,1.5,29,0.5\n")
    assert read_metrics(tmp_path) == {"loss": {9: 3.0, 19: 2.0, 29: 1.5}, "val_iou": {29: 0.5}}
    assert json.dumps(read_metrics(tmp_path / "none")) == "{}"
