"""One step of training on some processes, whose gradient is kept. The trainer starts this file as a program in each further process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch

from fear.cli.assignments import parse_assignments
from fear.training.recipe import Recipe, load_recipe
from fear.training.run import train
from fear.training.stages.track import TrackStage


def recipe(clips: str, devices: int, batch: int) -> Recipe:
    """The smoke recipe for one step with four samples, without chance."""
    changes = [
        f"data.0.root={clips}",
        f"validation.root={clips}",
        "validation.max_frames=2",
        "stages.0.epochs=1",
        "stages.0.samples=4",
        f"stages.0.batch={batch}",
        "stages.0.freeze_norms=0",
        f"machine.devices={devices}",
        "machine.threads=1",
        "network.preset=fear-nano",
        "network.weights=fear-nano",
        *(f"photometric.{name}=0.0" for name in ("joint", "each", "grey", "blur", "motion", "noise")),
    ]
    return load_recipe(Path(__file__).parents[2] / "recipes" / "smoke.toml", parse_assignments(changes))


def write_gradient(output: str) -> Callable[[TrackStage, torch.optim.Optimizer], None]:
    """A hook that writes the gradient before the step."""

    def write(stage: TrackStage, optimizer: torch.optim.Optimizer) -> None:
        if stage.trainer.is_global_zero:
            torch.save({name: p.grad for name, p in stage.network.named_parameters() if p.grad is not None}, output)

    return write


def main(clips: str, run: str, output: str) -> None:
    TrackStage.on_before_optimizer_step = write_gradient(output)  # type: ignore[assignment, method-assign]
    train(recipe(clips, devices=2, batch=2), Path(run))


if __name__ == "__main__":
    main(*sys.argv[1:])
