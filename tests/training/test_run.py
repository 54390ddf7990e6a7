"""Whole runs on rendered clips: the smoke recipe, interruption and resumption, two processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from fear.cli import app
from fear.cli.assignments import parse_assignments
from fear.config import PRESETS
from fear.errors import ConfigError, DatasetError
from fear.media.synthetic import Scene, write_folder
from fear.network import load_checkpoint
from fear.training.data.batch import Batch, SampleCrops
from fear.training.folder import begin, newest_checkpoint, remove_half_checkpoints, run_folder
from fear.training.interruption import InterruptedRunError
from fear.training.plots import draw_batch, draw_curves, read_metrics
from fear.training.recipe import Recipe, load_recipe
from fear.training.run import train
from fear.training.stages import track as module
from training import dump_gradient

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short clips."""
    root = tmp_path_factory.mktemp("clips")
    for seed in (1, 2):
        write_folder(root / f"disc{seed}", Scene(frames=10, height=120, width=160, seed=seed))
    return root


def smoke(clips: Path, *changes: str) -> Recipe:
    """The smoke recipe with a small network and few frames to validate."""
    fixed = [f"data.0.root={clips}", f"validation.root={clips}", "validation.max_frames=3", "network.preset=fear-nano"]
    return load_recipe(RECIPES / "smoke.toml", parse_assignments([*fixed, *changes]))


# ------------------------------------------------------------------------------------------------------- one run, by the command
@pytest.fixture(scope="module")
def finished(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """What the command made of the smoke recipe: `folder`, `command`, and `lines` on stderr."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    changes = [f"data.0.root={clips}", f"validation.root={clips}", "validation.max_frames=3"]
    command = ["train", "smoke", *(word for change in changes for word in ("--set", change)), "--output", str(folder)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    return SimpleNamespace(folder=folder, command=command, lines=result.stderr.splitlines())


@pytest.mark.slow
def test_a_run_folder_holds_everything_about_the_run(finished: SimpleNamespace) -> None:
    there = {path.relative_to(finished.folder).as_posix() for path in finished.folder.rglob("*") if path.is_file()}
    expected = {"recipe.toml", "weights.safetensors"} | {
        f"track/{name}" for name in ("epoch-step=8.ckpt", "metrics.csv", "batch.png", "curves.png", "weights.safetensors")
    }
    assert expected <= there
    assert any("tfevents" in name for name in there)
    network, card = load_checkpoint(finished.folder / "weights.safetensors")
    assert card.provenance.startswith("Trained for eight steps")
    assert not torch.equal(network.dynamic_weight, torch.tensor(0.0))  # w learned, too


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["fear-m", "fear-l"])
def test_the_large_members_of_the_family_learn(preset: str, clips: Path, tmp_path: Path) -> None:
    recipe = smoke(clips, f"network.preset={preset}", "stages.0.samples=1", "stages.0.batch=1", "stages.0.epochs=1")
    stage = recipe.stages[0].model_copy(update={"stop_after": None})
    train(recipe.model_copy(update={"validation": None, "stages": (stage,)}), tmp_path / "run")
    network, card = load_checkpoint(tmp_path / "run" / "weights.safetensors")
    assert card.network.backbone == PRESETS[preset].backbone
    assert not torch.equal(network.dynamic_weight, torch.tensor(0.0))  # w learned


@pytest.mark.slow
def test_validation_is_logged_before_the_first_step_and_after_each_epoch(finished: SimpleNamespace) -> None:
    metrics = read_metrics(finished.folder / "track")
    assert {"loss", "triplet", "regression", "classification", "val_iou", "w"} <= metrics.keys()
    assert list(metrics["val_iou"]) == [0, 3, 7]
    assert finished.lines[0].startswith("track: before the first step: val_iou 0.")
    assert finished.lines[1].startswith("track: epoch 1 of 2, step 4: ")
    assert finished.lines[1].endswith("seconds left")  # measured


@pytest.mark.slow
def test_a_finished_run_is_not_overwritten(finished: SimpleNamespace) -> None:
    again = CliRunner().invoke(app, finished.command)
    assert again.exit_code == 1
    assert "expected a new folder, or --resume" in again.stderr


@pytest.mark.slow
def test_resuming_with_another_recipe_names_the_key_and_the_recipe_that_works(finished: SimpleNamespace) -> None:
    other = CliRunner().invoke(app, [*finished.command, "--set", "stages.0.epochs=5", "--set", "machine.threads=1", "--resume"])
    assert other.exit_code == 1
    assert "only the section machine may change: stages.0.epochs is 2 there and 5 now" in other.stderr
    assert f"fear train {finished.folder}/recipe.toml --output {finished.folder} --resume" in other.stderr


# ---------------------------------------------------------------------------------------------------------- failure and interruption
def test_a_failed_start_leaves_no_folder_in_the_way(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="found none"):
        train(smoke(clips, "data.0.root=/nowhere"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_that_fails_before_its_first_checkpoint_leaves_no_folder_in_the_way(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: module.TrackStage, batch: Batch) -> torch.Tensor:
        raise ArithmeticError

    monkeypatch.setattr(module.TrackStage, "training_step", fail)
    with pytest.raises(ArithmeticError):
        train(smoke(clips), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "names", [{"recipe.toml"}, {"notes.txt"}, {"track/notes.txt"}, {"recipe.toml", "track/notes.txt", "track/metrics.csv"}]
)
def test_a_folder_with_files_of_the_user_is_refused_and_stays(names: set[str], clips: Path, tmp_path: Path) -> None:
    recipe = smoke(clips)
    (tmp_path / "track").mkdir()
    for name in names:
        (tmp_path / name).write_text(recipe.to_toml())
    with (
        pytest.raises(ConfigError, match=r"expected a new folder, or --resume .*; got one that holds "),
        run_folder(recipe, tmp_path, False),
    ):
        pass
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == names


def test_a_failed_run_removes_what_it_wrote_alone(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recipe, here = smoke(clips), Path()  # the working directory itself, which cannot be removed
    with pytest.raises(ArithmeticError), run_folder(recipe, here, False):
        begin(recipe, here)
        Path("track").mkdir()
        for name in ("metrics.csv", "events.out.tfevents.1", "notes.txt"):
            (here / "track" / name).write_text("x")
        raise ArithmeticError
    assert [path.as_posix() for path in here.rglob("*")] == ["track", "track/notes.txt"]


def test_a_run_that_was_killed_before_its_first_checkpoint_is_resumed(clips: Path, tmp_path: Path) -> None:
    recipe = smoke(clips)
    begin(recipe, tmp_path / "run")
    with run_folder(recipe, tmp_path / "run", True):
        assert newest_checkpoint(tmp_path / "run" / "track") is None


def test_the_folder_of_a_run_of_another_process_stays(clips: Path, tmp_path: Path) -> None:
    """Both processes found it empty; while this one prepared its data, the other one began."""
    recipe, folder = smoke(clips), tmp_path / "run"
    with pytest.raises(ConfigError, match="another run began just now"), run_folder(recipe, folder, False):
        folder.mkdir()
        (folder / "recipe.toml").write_text("another's")
        begin(recipe, folder)
    assert (folder / "recipe.toml").read_text() == "another's"


def test_checkpoints_that_were_not_written_to_their_end_are_in_nobodys_way(tmp_path: Path) -> None:
    names = ("epoch-step=2.ckpt", "epoch-step=4-v1.ckpt", "interrupted-step=3.ckpt")
    for name in names:
        with zipfile.ZipFile(tmp_path / name, "w") as file:
            file.writestr("data.pkl", b"x")
    (tmp_path / "epoch-step=9.ckpt").write_bytes((tmp_path / names[0]).read_bytes()[:40])
    assert newest_checkpoint(tmp_path) == tmp_path / "epoch-step=4-v1.ckpt"
    remove_half_checkpoints(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names)


def test_a_file_is_no_folder_of_a_run(clips: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(ConfigError, match="expected a new folder, got a file"), run_folder(smoke(clips), tmp_path / "run", False):
        pass


def test_there_must_be_a_run_to_resume(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a run to resume, found no recipe\.toml there"):
        train(smoke(clips), tmp_path / "none", resume=True)


@pytest.mark.slow
def test_interrupted_and_resumed_equals_uninterrupted(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of the second epoch: the curve and the weights are those of one go."""
    recipe = smoke(clips, "stages.0.samples=8", "stages.0.batch=2", "stages.0.warm_up=0")
    original = module.TrackStage.training_step
    losses: dict[str, list[float]] = {"whole": [], "parts": []}

    def recorded(name: str, interrupt_at: int | None) -> None:
        def step(self: module.TrackStage, batch: Batch) -> torch.Tensor:
            if self.global_step == interrupt_at:
                # not os.kill: in a process in which other tests loaded OpenVINO's readers of other formats, the system's own delivery of
                # a signal crashes; `fear train` never loads them
                interrupt = signal.getsignal(signal.SIGINT)
                assert callable(interrupt)
                assert signal.getsignal(signal.SIGTERM) == interrupt  # services end programs with it
                interrupt(signal.SIGINT, None)
            loss = original(self, batch)
            losses[name].append(float(loss.detach()))
            return loss

        monkeypatch.setattr(module.TrackStage, "training_step", step)

    recorded("whole", None)
    whole, _ = load_checkpoint(train(recipe, tmp_path / "whole"))
    recorded("parts", 5)  # of 8 steps, 4 in an epoch
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(InterruptedRunError, match="interrupted at step 6, which was saved; the same command with --resume goes on"):
        train(recipe, tmp_path / "parts")
    assert signal.getsignal(signal.SIGINT) == handler
    recorded("parts", None)
    parts, _ = load_checkpoint(train(recipe, tmp_path / "parts", resume=True))
    assert len(losses["whole"]) == 8
    assert losses["parts"] == pytest.approx(losses["whole"], rel=1e-4)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], tensor, rtol=1e-3, atol=1e-5, msg=name)
    assert len(list((tmp_path / "parts" / "track").glob("metrics*.csv"))) == 2


# ------------------------------------------------------------------------------------------------------------- devices and processes
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


@pytest.mark.slow
def test_two_processes_learn_what_one_does(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gradient of two processes with two samples each is that of one process with four, which is this one."""
    one, two = tmp_path / "1.pt", tmp_path / "2.pt"
    monkeypatch.setattr(module.TrackStage, "on_before_optimizer_step", dump_gradient.write_gradient(str(one)))
    train(dump_gradient.recipe(str(clips), devices=1, batch=4), tmp_path / "run1")
    command = [sys.executable, Path(dump_gradient.__file__), clips, tmp_path / "run2", two]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    expected, gradients = (torch.load(path, weights_only=True) for path in (one, two))
    assert gradients.keys() == expected.keys()
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    assert largest > 0
    for name, gradient in expected.items():
        torch.testing.assert_close(gradients[name], gradient, rtol=1e-3, atol=1e-5 * largest, msg=name)


def test_metrics_of_a_resumed_run_are_one_curve(tmp_path: Path) -> None:
    (tmp_path / "metrics-000.csv").write_text("epoch,loss,step\n0,3.0,9\n0,2.5,19\n")
    (tmp_path / "metrics.csv").write_text("epoch,loss,step,val_iou\n0,2.0,19,\n1,1.5,29,0.5\n")
    assert read_metrics(tmp_path) == {"loss": {9: 3.0, 19: 2.0, 29: 1.5}, "val_iou": {29: 0.5}}
    assert json.dumps(read_metrics(tmp_path / "none")) == "{}"


def test_pictures_have_titles_and_a_row_for_each_sample() -> None:
    crops = SampleCrops(torch.full((2, 3, 64, 64), 50.0), torch.full((2, 3, 96, 96), 80.0))
    batch = Batch(crops, torch.tensor([[10.0, 20, 40, 30], [0, 0, 0, 0]]), torch.tensor([True, False]))
    two = draw_batch(batch, torch.zeros(2, 1, 6, 6))
    assert two.shape == (24 + 2 * 96, 3 * 96, 3)
    assert two[:24].max() == 255  # the titles
    assert (two[24:, 96:192] == (0, 255, 0)).all(axis=-1).sum() > 100  # the true box of the first sample
    assert not (two[24 + 96 :, 96:192] == (0, 255, 0)).all(axis=-1).any()
    four = batch._replace(crops=crops._replace(dynamic_template=crops.static_template, negative=crops.search))
    assert draw_batch(four, torch.zeros(2, 1, 6, 6)).shape == (24 + 2 * 96, 5 * 96, 3)


def test_a_curve_of_one_value_can_be_seen(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "metrics.csv").write_text("epoch,step,val_iou\n0,3,0.5\n")
    draw_curves(tmp_path, tmp_path / "curves.png")
    picture = cv2.imread(str(tmp_path / "curves.png"))
    assert picture is not None
    blue = (np.abs(picture.astype(int) - (180, 119, 31)).max(axis=2) < 30).sum()  # matplotlib's first colour, BGR
    assert blue > 4
