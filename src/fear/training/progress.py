"""Lines about a run, for people who watch a log and no bar."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from fear.training.stages.stage import Stage

_FIRST_ESTIMATE = 20  # steps; the first ones are slower


class EpochLines(Callback):
    """Tells how a stage goes on: what validation said before it, how long it will take, and how each epoch ended.

    Args:
        tell: Called with each line.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._steps, self._seconds, self._start = 0, 0.0, 0.0

    def on_train_batch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, batch: Any, batch_idx: int) -> None:
        """Lightning's hook."""
        if self._steps == 0 and trainer.is_global_zero and isinstance(pl_module, Stage) and pl_module.baseline is not None:
            self._tell(f"{pl_module.stage.name}: before the first step: val_iou {pl_module.baseline:.4f}")
        if self._start == 0:
            self._start = time.monotonic()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Lightning's hook."""
        self._steps += 1
        self._seconds = time.monotonic() - self._start
        if self._steps == _FIRST_ESTIMATE and isinstance(pl_module, Stage) and trainer.is_global_zero:
            self._tell(f"{pl_module.stage.name}: {self._steps} steps took {self._seconds:.0f} s; {self._remaining(trainer, pl_module)}")

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Lightning's hook."""
        if trainer.is_global_zero and isinstance(pl_module, Stage):
            self._seconds = time.monotonic() - self._start
            stage = pl_module.stage
            values = ", ".join(f"{name} {float(value):.4f}" for name, value in trainer.callback_metrics.items())
            where = f"{stage.name}: epoch {trainer.current_epoch + 1} of {stage.epochs}, step {trainer.global_step}"
            self._tell(f"{where}: {values}; {self._remaining(trainer, pl_module)}")

    def _remaining(self, trainer: lightning.Trainer, module: Stage) -> str:
        """How long the rest of the stage takes at the pace so far, validations included."""
        left = module.stage.epochs * module.steps_per_epoch() - trainer.global_step
        minutes = left * self._seconds / max(1, self._steps) / 60
        return f"about {minutes:.0f} minutes left" if minutes >= 1.5 else f"about {minutes * 60:.0f} seconds left"
