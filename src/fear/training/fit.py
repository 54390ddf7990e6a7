"""Runs one stage with Lightning: loggers, checkpoints, pictures, devices."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import sys
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import lightning
import torch
from lightning.pytorch import callbacks
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from fear.training.average import MovingAverage
from fear.training.data.loader import TrainingData
from fear.training.folder import newest_checkpoint, remove_half_checkpoints, set_aside
from fear.training.interruption import CheckpointOnInterrupt
from fear.training.plots import BatchPicture, Curves
from fear.training.progress import EpochLines
from fear.training.recipe import Recipe
from fear.training.stages.stage import Stage

SAVE_INTERVAL = timedelta(minutes=4)
"""Time between two checkpoints, so a run that is killed loses no more than this."""
_LOG_INTERVAL = 10  # steps

_log = logging.getLogger(__name__)


def fit(recipe: Recipe, module: Stage, data: TrainingData, folder: Path, tell: Callable[[str], None]) -> None:
    """Runs a stage from its newest checkpoint, or from the start, to its end.

    Args:
        recipe: Where it computes, and how often it validates.
        module: The stage.
        data: Its samples.
        folder: Of the stage.
        tell: Called with a line after each epoch.

    Raises:
        InterruptedRunError: the user pressed Ctrl-C.
    """
    set_aside(folder / "metrics.csv")
    remove_half_checkpoints(folder)
    machine, stage = recipe.machine, module.stage
    several = machine.nodes > 1 or (machine.devices != "auto" and machine.devices > 1)
    unused = stage.kind != "track" or stage.frozen_backbone
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")  # about few workers, and few steps between logs
        warnings.filterwarnings("ignore", module="torch")
        trainer = lightning.Trainer(
            accelerator=machine.accelerator,
            devices=machine.devices,
            num_nodes=machine.nodes,
            strategy=("ddp_find_unused_parameters_true" if unused else "ddp") if several else "auto",
            precision={"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}[machine.precision],  # type: ignore[arg-type]
            sync_batchnorm=several and machine.accelerator != "cpu" and torch.cuda.is_available(),
            use_distributed_sampler=False,
            max_epochs=stage.epochs,
            gradient_clip_val=stage.clip,
            check_val_every_n_epoch=recipe.validation.every if recipe.validation else 1,
            limit_val_batches=None if recipe.validation else 0,
            num_sanity_val_steps=0,
            reload_dataloaders_every_n_epochs=1,
            log_every_n_steps=min(_LOG_INTERVAL, max(1, stage.samples // stage.batch)),
            logger=_loggers(folder),
            callbacks=_callbacks(module, folder, tell),
            enable_progress_bar=sys.stderr.isatty(),
            enable_model_summary=False,
        )
        trainer.fit(module, datamodule=data, ckpt_path=newest_checkpoint(folder), weights_only=False)


def _loggers(folder: Path) -> list[Logger]:
    loggers: list[Logger] = [CSVLogger(folder, name="", version="")]
    if importlib.util.find_spec("tensorboard") is not None:
        loggers.append(TensorBoardLogger(folder, name="", version=""))
    return loggers


def _callbacks(module: Stage, folder: Path, tell: Callable[[str], None]) -> list[callbacks.Callback]:
    # each checkpoint callback removes its last file after the next one is written, so a kill at any moment leaves a whole file
    parts: list[callbacks.Callback] = [
        callbacks.ModelCheckpoint(folder, filename="time-{step}", train_time_interval=SAVE_INTERVAL),
        callbacks.ModelCheckpoint(folder, filename="epoch-{step}", every_n_epochs=1, save_on_train_epoch_end=True),
        CheckpointOnInterrupt(folder, tell),
        MovingAverage(module.stage.average),
        BatchPicture(folder / "batch.png"),
        Curves(folder),
        EpochLines(tell),
    ]
    if module.stage.stop_after is not None:
        parts.append(callbacks.EarlyStopping("val_iou", patience=module.stage.stop_after, mode="max"))
    if sys.stderr.isatty():
        parts.append(callbacks.RichProgressBar())
    return parts


def keep_memory() -> None:
    """Tells the C library to keep freed memory.

    Activations are a few large blocks that come and go with every step; when they are returned to the system, each of their pages is zeroed
    again. A forward pass took 0.28 s on two cores with the default, and 0.08 s with this.
    """
    if not sys.platform.startswith("linux"):
        return
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # names of mallopt(3)
    try:
        library = ctypes.CDLL("libc.so.6")
        for name, value in ((mmap_max, 0), (trim_threshold, 2**31 - 1), (top_pad, 2**28)):
            library.mallopt(name, value)
    except (OSError, AttributeError) as error:  # another C library
        _log.info("could not keep memory: %s", error)
