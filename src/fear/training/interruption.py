"""Signals that ask a run to end let it finish its step and write a checkpoint."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Checkpoint

from fear.errors import FearError
from fear.signals import on_ending_signal


class InterruptedRunError(FearError):
    """The user ended the run; it can be resumed."""


class CheckpointOnInterrupt(Checkpoint):
    """Writes a checkpoint when a signal asks the program to end (`fear.signals.ENDING`). A second one ends it at once.

    Args:
        folder: Of the stage.
        tell: Called with a line that says what happens.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._folder, self._tell = folder, tell
        self._asked = False
        self._signals = ExitStack()

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Lightning's hook; in earlier ones the trainer notes the handlers that it restores at the end."""
        self._signals.enter_context(on_ending_signal(self._ask))

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Lightning's hook; checkpoint callbacks come last, when the moving average has seen the step."""
        asked = self._asked
        if trainer.world_size > 1:  # the processes of all devices end behind the same step
            asked = bool(trainer.strategy.reduce_boolean_decision(asked, all=False))
        if asked:
            path = self._folder / f"interrupted-step={trainer.global_step}.ckpt"
            trainer.save_checkpoint(path)
            raise InterruptedRunError(f"interrupted at step {trainer.global_step}, which was saved; the same command with --resume goes on")

    def teardown(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Lightning's hook at the end of a stage."""
        self._signals.close()

    def on_exception(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException) -> None:
        """Lightning's hook when a stage ends with an error, which calls no teardown."""
        self._signals.close()

    def _ask(self, number: int, frame: Any) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        self._tell(f"{name}: the run ends after this step, with a checkpoint; the same again ends it at once without one")
