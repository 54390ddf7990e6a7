"""A training run: recipe → stages → weights, in one folder that holds everything about it (see `folder`)."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import lightning
import torch

from fear.datasets import read
from fear.datasets.clip import Clip
from fear.datasets.frames import FrameReference
from fear.errors import ConfigError
from fear.media.names import home_path
from fear.network import FearNetwork, load_checkpoint, save_checkpoint
from fear.runtime.pytorch import TorchNetwork
from fear.tracking.tracker import MultiTracker
from fear.training.average import mix_with_start
from fear.training.data.compose import ComposedSampler
from fear.training.data.crops import PictureBank, Pictures
from fear.training.data.cutouts import Cutouts, read_cutouts
from fear.training.data.difficulty import difficulty_weights, keep_weights, kept_weights
from fear.training.data.loader import TrainingData, read_pools
from fear.training.data.sampler import Pool, Sampler
from fear.training.fit import fit, keep_memory
from fear.training.folder import DIFFICULTY, WEIGHTS, begin, run_folder
from fear.training.recipe import Recipe
from fear.training.sections import StageSection
from fear.training.stages.anchor import make_anchor
from fear.training.stages.blocks import BlocksStage
from fear.training.stages.heads import HeadsStage
from fear.training.stages.stage import Stage
from fear.training.stages.teacher import Teacher
from fear.training.stages.track import TrackStage
from fear.training.stages.whole import WholeStage
from fear.training.start import load_network, start_network
from fear.weights import WeightsCard
from fear.weights.store import written_whole


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
        folder: Of the run: a new one, or that of the run to resume.
        resume: Go on where an earlier run of the same recipe ended, whatever ended it.
        on_picture: Called with the number of all pictures for each picture that is loaded onto the device.
        on_epoch: Called with lines that tell stage, epoch, the latest values, and how long it will take.

    Returns:
        The checkpoint that came out.

    Raises:
        ConfigError: the folder holds another run, or nothing to resume.
        DatasetError: as the readers say.
        WeightsError: weights to start from that do not fit.
        InterruptedRunError: the user pressed Ctrl-C; the run can be resumed.
    """
    with run_folder(recipe, folder, resume):
        set_up_torch(recipe)
        run = _Run(recipe, folder, on_picture, on_epoch)
        begin(recipe, folder)
        result = run.all_stages()
    final = folder / WEIGHTS
    with written_whole(final) as unfinished:
        shutil.copy(result, unfinished)
    return final


class _Run:
    """What the stages of a run share: data, teacher, validation.

    Args:
        recipe: What to do.
        folder: Of the run.
        on_picture: See `train`, as the next.
        tell: Gets the lines.
    """

    def __init__(self, recipe: Recipe, folder: Path, on_picture: Callable[[int], None], tell: Callable[[str], None]) -> None:
        self._recipe, self._folder, self._tell = recipe, folder, tell
        pools = read_pools(recipe)
        self._validation = read_validation(recipe)
        cutouts = None if recipe.compose is None else Cutouts(read_cutouts(home_path(recipe.compose.objects)))
        self._pictures = _open_pictures(recipe, pools, cutouts, on_picture)
        self._sampler = make_sampler(recipe, pools, self._pictures.size, cutouts)
        if recipe.sampling.hard:
            self._sampler.prefer(_difficulty(recipe, pools, folder / DIFFICULTY))
        self._anchor = None if recipe.anchor is None else make_anchor(recipe.anchor, recipe.network.config().width)
        self._teacher = None if recipe.distill is None else Teacher(load_network(recipe.distill.teacher))

    def all_stages(self) -> Path:
        """Runs the stages that are not done yet, each with the weights of the one before; returns the last one's weights."""
        before: Path | None = None
        for number, stage in enumerate(self._recipe.stages):
            result = self._folder / stage.name / WEIGHTS
            if not result.is_file():
                lightning.seed_everything(self._recipe.seed + number, verbose=False)
                network = start_network(self._recipe.network, self._teacher) if before is None else load_checkpoint(before)[0].train()
                self._one_stage(stage, network, result)
            before = result
        return result

    def _one_stage(self, stage: StageSection, network: FearNetwork, result: Path) -> None:
        recipe = self._recipe
        data = TrainingData(recipe, stage, self._sampler, self._pictures, len(self._validation))
        module = self._module(stage, network)
        start = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        fit(recipe, module, data, result.parent, self._tell)
        mix_with_start(module.network, start, stage.keep)
        if module.trainer.is_global_zero:
            save_checkpoint(module.network, result, WeightsCard(module.network.config, recipe.licence, recipe.provenance))
        module.trainer.strategy.barrier()

    def _module(self, stage: StageSection, network: FearNetwork) -> Stage:
        if stage.kind == "track":
            return TrackStage(network, stage, self._validation, self._recipe.losses, self._recipe.sampling, self._anchor)
        if self._recipe.distill is None or self._teacher is None:
            raise ConfigError(f"stages: {stage.name} needs a teacher")
        kind = {"blocks": BlocksStage, "heads": HeadsStage, "whole": WholeStage}[stage.kind]
        return kind(network, stage, self._validation, self._recipe.distill, self._teacher)


def read_validation(recipe: Recipe) -> list[Clip]:
    """The clips that validation tracks; none where the recipe does not ask for it."""
    part = recipe.validation
    return [] if part is None else [clip.cut(part.max_frames) for clip in read(part.dataset, home_path(part.root), None)]


def set_up_torch(recipe: Recipe) -> None:
    """Memory, threads and precision of torch in this process, as a recipe asks."""
    keep_memory()
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # it greets, and advertises
    if recipe.machine.threads is not None:
        torch.set_num_threads(recipe.machine.threads)
    torch.set_float32_matmul_precision("high")


def make_sampler(
    recipe: Recipe, pools: list[Pool], size_of: Callable[[FrameReference], tuple[int, int]], cutouts: Cutouts | None
) -> Sampler:
    """What draws the samples of a recipe.

    Args:
        recipe: How samples are drawn and composed.
        pools: Its data sets.
        size_of: Height and width of a frame.
        cutouts: The objects to paste; None where nothing is composed.
    """
    config = recipe.network.config()
    if cutouts is None or recipe.compose is None:
        return Sampler(pools, config, recipe.sampling, recipe.seed, size_of)
    return ComposedSampler(pools, config, recipe.sampling, recipe.seed, size_of, cutouts, recipe.compose)


def _difficulty(recipe: Recipe, pools: list[Pool], table: Path) -> dict[str, float]:
    """Weights of the clips, measured with the weights that the run starts from, or read where the run measured them before."""
    weights = kept_weights(table)
    if weights is None:
        weights = difficulty_weights(pools, MultiTracker(TorchNetwork(load_network(str(recipe.network.weights)))))
        table.parent.mkdir(parents=True, exist_ok=True)
        keep_weights(weights, table)
    return weights


def _open_pictures(recipe: Recipe, pools: list[Pool], cutouts: Cutouts | None, on_picture: Callable[[int], None]) -> Pictures | PictureBank:
    machine = recipe.machine
    if machine.pictures != "device":
        return Pictures(keep=machine.pictures == "memory", cutouts=cutouts)
    frames = list(dict.fromkeys(frame for pool in pools for clip in pool.clips for frame in clip.frames))
    device = torch.device("cuda" if torch.cuda.is_available() and machine.accelerator != "cpu" else "cpu")
    return PictureBank(frames, device, lambda: on_picture(len(frames)))
