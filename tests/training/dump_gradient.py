"""Runs one step of training on some processes and writes the gradient: a program of its own, since the trainer starts it once a process."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from fear.cli.assignments import parse_assignments
from fear.training.recipe import load_recipe
from fear.training.run import train
from fear.training.stages import track as module


def main(clips: str, run: str, output: str, devices: str, batch: str) -> None:
    def write(self: module.TrackStage, optimizer: torch.optim.Optimizer) -> None:
        if self.trainer.is_global_zero:
            torch.save({name: p.grad for name, p in self.network.named_parameters() if p.grad is not None}, output)

    module.TrackStage.on_before_optimizer_step = write  # type: ignore[assignment, method-assign]
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
    recipe = load_recipe(Path(__file__).parents[2] / "recipes" / "smoke.toml", parse_assignments(changes))
    train(recipe, Path(run))


if __name__ == "__main__":
    main(*sys.argv[1:])
