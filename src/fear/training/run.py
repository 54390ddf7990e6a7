"""A training run: recipe → stages → weights, in one folder that holds everything about it.

| file in the run's folder | holds |
|---|---|
| `recipe.toml` | the recipe as run, with every default |
| `STAGE/time-step=K.ckpt`, `STAGE/epoch-step=K.ckpt` | what a run resumes from: saved every few minutes, and after every epoch |
| `STAGE/metrics.csv` | losses and val_iou, also for TensorBoard; `metrics-000.csv` and so on before resumptions |
| `STAGE/batch.png`, `STAGE/curves.png` | the last epoch's first batch; losses and val_iou over steps |
| `STAGE/weights.safetensors`, `weights.safetensors` | what came out |
"""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import sys
import tomllib
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch import callbacks
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from fear.datasets import read
from fear.datasets.clip import Clip
from fear.errors import ConfigError, WeightsError
from fear.loading.published import published_checkpoint
from fear.network import FearNetwork, build_network, load_checkpoint, load_imagenet, save_checkpoint
from fear.network.checkpoint import load_exactly
from fear.training.average import MovingAverage
from fear.training.data.crops import PictureBank, Pictures
from fear.training.data.loader import TrainingData, read_pools
from fear.training.data.sampler import Pool, Sampler
from fear.training.plots import BatchPicture, Curves
from fear.training.recipe import Recipe, StageSection
from fear.training.slim import slim
from fear.training.stages.distill import BlocksStage, HeadsStage, Teacher, WholeStage
from fear.training.stages.stage import Stage
from fear.training.stages.track import TrackStage
from fear.weights import WeightsCard, resolve

_log = logging.getLogger(__name__)


def train(
    recipe: Recipe,
    folder: Path,
    resume: bool = False,
    on_picture: Callable[[int], None] = lambda total: None,
    on_epoch: Callable[[str], None] = lambda line: None,
) -> Path:
    """Runs every stage of a recipe that is not done yet.

    Args:
        recipe: What to do.
        folder: Of the run; new, or that of the run to resume.
        resume: Go on where an earlier run of the same recipe ended, whatever ended it.
        on_picture: Called with the number of all for each picture that is loaded onto the device.
        on_epoch: Called after each epoch with a line that tells stage, epoch and the latest values.

    Returns:
        The checkpoint that came out.

    Raises:
        ConfigError: the folder holds another run, or nothing to resume.
        DatasetError: as the readers say.
        WeightsError: weights to start from that do not fit.
    """
    _claim(recipe, folder, resume)
    _keep_memory()
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # it greets, and advertises
    if recipe.machine.threads is not None:
        torch.set_num_threads(recipe.machine.threads)
    torch.set_float32_matmul_precision("high")
    pools = read_pools(recipe)
    part = recipe.validation
    validation = [] if part is None else [s.cut(part.max_frames) for s in read(part.dataset, part.root.expanduser(), part.names)]
    pictures = _open_pictures(recipe, pools, on_picture)
    sampler = Sampler(pools, recipe.network.config(), recipe.sampling, recipe.seed, pictures.size)
    teacher = None if recipe.distill is None else Teacher(load_network(recipe.distill.teacher))
    before = None
    for number, stage in enumerate(recipe.stages):
        result = folder / stage.name / "weights.safetensors"
        if not result.is_file():
            lightning.seed_everything(recipe.seed + number, verbose=False)
            network = _start(recipe, teacher) if before is None else load_checkpoint(before)[0].train()
            data = TrainingData(recipe, stage, sampler, pictures, len(validation))
            module = _module(recipe, stage, network, validation, teacher)
            _fit(recipe, stage, module, data, folder / stage.name, on_epoch)
            if module.trainer.is_global_zero:
                _save(recipe, module, result)
            module.trainer.strategy.barrier()
        before = result
    final = folder / "weights.safetensors"
    final.write_bytes(result.read_bytes())
    return final


def load_network(name: str) -> FearNetwork:
    """A network by the name of packaged weights, a checkpoint's path, or `published:DIR`."""
    if name.startswith("published:"):
        return load_checkpoint(published_checkpoint(Path(name.removeprefix("published:")).expanduser()))[0]
    checkpoint = resolve(name).checkpoint
    if checkpoint is None:
        raise WeightsError(f"{name}: expected a checkpoint, got an exported folder, which cannot learn or teach")
    return load_checkpoint(checkpoint)[0]


def _claim(recipe: Recipe, folder: Path, resume: bool) -> None:
    """Makes the run's folder with the recipe in it, or checks that it is this recipe's."""
    written = folder / "recipe.toml"
    text = recipe.to_toml()
    if resume:
        if not written.is_file():
            raise ConfigError(f"{folder}: expected a run to resume, found no recipe.toml there")
        if _without_machine(text) != _without_machine(written.read_text(encoding="utf-8")):
            raise ConfigError(f"{written}: expected the recipe of this run, got another; only the section machine may change")
    elif folder.exists() and any(folder.iterdir()) and not _is_worker():
        raise ConfigError(f"{folder}: expected a new folder, or --resume to go on with the run there")
    if not _is_worker():
        folder.mkdir(parents=True, exist_ok=True)
        written.write_text(text, encoding="utf-8")


def _without_machine(text: str) -> dict[str, Any]:
    values = tomllib.loads(text)
    values.pop("machine", None)
    return values


def _is_worker() -> bool:
    """Whether this process was started by the trainer of another one, for its own device."""
    return os.environ.get("LOCAL_RANK", "0") != "0" or os.environ.get("NODE_RANK", "0") != "0"


def _keep_memory() -> None:
    """Tells the C library to keep freed memory.

    Activations are a few large blocks that come and go with every step; returned to the system, each of their pages is zeroed again. A
    forward pass took 0.28 s on two cores with the default, and 0.08 s with this.
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


def _open_pictures(recipe: Recipe, pools: list[Pool], on_picture: Callable[[int], None]) -> Pictures | PictureBank:
    machine = recipe.machine
    if machine.pictures != "device":
        return Pictures(keep=machine.pictures == "memory")
    paths = list(dict.fromkeys(path for pool in pools for sequence in pool.sequences for path in sequence.frames))
    device = torch.device("cuda" if torch.cuda.is_available() and machine.accelerator != "cpu" else "cpu")
    return PictureBank(paths, machine.canvas, device, lambda: on_picture(len(paths)))


def _start(recipe: Recipe, teacher: Teacher | None) -> FearNetwork:
    """The network that the first stage begins with."""
    section = recipe.network
    if section.weights is not None:
        source = load_network(section.weights)
        # weights that were folded for delivery learn on as they are, without batch norms
        config = section.config()
        if section.template_backbone is None and config.backbone == source.config.backbone:
            config = replace(config, template_backbone=source.config.template_backbone)  # what was learned stays
        network = build_network(replace(config, folded=source.config.folded))
        if any(getattr(config, part) != getattr(source.config, part) for part in ("backbone", "template_backbone", "width")):
            return slim(source, config, None if teacher is None else teacher.network).train()
        load_exactly(network, source.state_dict(), Path(section.weights))
        return network.train()
    network = build_network(section.config())
    if section.imagenet is not None:
        load_imagenet(network, section.imagenet, section.imagenet_sha256)
    return network.train()


def _module(recipe: Recipe, stage: StageSection, network: FearNetwork, validation: list[Clip], teacher: Teacher | None) -> Stage:
    if stage.kind == "track":
        return TrackStage(network, stage, validation, recipe.losses)
    if recipe.distill is None or teacher is None:
        raise ConfigError(f"stages: {stage.name} needs a teacher")
    kind = {"blocks": BlocksStage, "heads": HeadsStage, "whole": WholeStage}[stage.kind]
    return kind(network, stage, validation, recipe.distill, teacher)


class _EpochLines(callbacks.Callback):
    """Tells each epoch's outcome, for people who watch a log and no bar."""

    def __init__(self, stage: StageSection, tell: Callable[[str], None]) -> None:
        self._stage, self._tell = stage, tell

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Lightning's hook."""
        if trainer.is_global_zero:
            values = ", ".join(f"{name} {float(value):.4f}" for name, value in trainer.callback_metrics.items())
            where = f"{self._stage.name}: epoch {trainer.current_epoch + 1} of {self._stage.epochs}, step {trainer.global_step}"
            self._tell(f"{where}: {values}")


def _fit(recipe: Recipe, stage: StageSection, module: Stage, data: TrainingData, folder: Path, on_epoch: Callable[[str], None]) -> None:
    machine, validated = recipe.machine, recipe.validation is not None
    _set_aside(folder / "metrics.csv")
    loggers: list[Logger] = [CSVLogger(folder, name="", version="")]
    if importlib.util.find_spec("tensorboard") is not None:
        loggers.append(TensorBoardLogger(folder, name="", version=""))
    # each removes its own last file after the next is written, so a kill at any moment leaves a whole one
    by_time = callbacks.ModelCheckpoint(folder, filename="time-{step}", train_time_interval=timedelta(minutes=machine.save_minutes))
    by_epoch = callbacks.ModelCheckpoint(folder, filename="epoch-{step}", every_n_epochs=1, save_on_train_epoch_end=True)
    parts: list[callbacks.Callback] = [by_time, by_epoch, MovingAverage(stage.average)]
    parts += [BatchPicture(folder / "batch.png"), Curves(folder), _EpochLines(stage, on_epoch)]
    if stage.stop_after is not None:
        parts.append(callbacks.EarlyStopping("val_iou", patience=stage.stop_after, mode="max"))
    if sys.stderr.isatty():
        parts.append(callbacks.RichProgressBar())
    unused = stage.kind != "track" or stage.frozen_backbone
    several = machine.nodes > 1 or (machine.devices != "auto" and machine.devices > 1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")  # of few workers, of few steps between logs
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
            limit_val_batches=None if validated else 0,
            num_sanity_val_steps=0,
            reload_dataloaders_every_n_epochs=1,
            log_every_n_steps=min(10, max(1, stage.samples // stage.batch)),
            logger=loggers,
            callbacks=parts,
            enable_progress_bar=sys.stderr.isatty(),
            enable_model_summary=False,
        )
        trainer.fit(module, datamodule=data, ckpt_path=_newest(folder), weights_only=False)


def _newest(folder: Path) -> Path | None:
    """The checkpoint of the most steps that was written to its end."""
    found = {int(path.stem.rpartition("=")[2]): path for path in folder.glob("*-step=*.ckpt") if zipfile.is_zipfile(path)}
    return found[max(found)] if found else None


def _set_aside(table: Path) -> None:
    """The logger would delete the metrics of the part before a resumption."""
    if table.is_file() and not _is_worker():
        earlier = len(list(table.parent.glob("metrics-*.csv")))
        table.rename(table.with_name(f"metrics-{earlier:03d}.csv"))


def _save(recipe: Recipe, module: Stage, path: Path) -> None:
    save_checkpoint(module.network, path, WeightsCard(module.network.config, recipe.licence, recipe.provenance))
