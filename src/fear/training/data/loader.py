"""From a recipe's data sets to batches of crops on the device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch.utils.data import Sampler as TorchSampler

from fear.datasets import read
from fear.geometry.boxes import Box
from fear.training.data.batch import Batch, Cut, Plan
from fear.training.data.crops import PictureBank, Pictures
from fear.training.data.photometric import PhotometricChange
from fear.training.data.sampler import Pool, Sampler
from fear.training.recipe import Recipe, StageSection


class _Samples(Dataset[Cut | Plan]):
    """Samples by (epoch, number)."""

    def __init__(self, sampler: Sampler, sides: tuple[int, ...], pictures: Pictures | PictureBank) -> None:
        self._sampler, self._sides, self._pictures = sampler, sides, pictures

    def __getitem__(self, key: tuple[int, int]) -> Cut | Plan:
        sample = self._sampler.sample(*key)
        views = (sample.static, sample.search, sample.dynamic, sample.negative)[: len(self._sides)]
        box, present = _truth(sample.search.box_xywh)
        if isinstance(self._pictures, PictureBank):
            numbers = torch.tensor([self._pictures.index[view.path] for view in views])
            windows = torch.tensor([view.window[:4] for view in views], dtype=torch.float32)
            return Plan(numbers, windows, torch.tensor([view.flip for view in views]), box, present)
        cut = self._pictures.cut
        crops = tuple(torch.from_numpy(cut(view)) for view in views)
        return Cut(crops, box, present)


def _truth(box_xywh: Box) -> tuple[Tensor, Tensor]:
    present = bool(np.isfinite(box_xywh).all())
    return torch.tensor(box_xywh if present else (0.0, 0.0, 0.0, 0.0)), torch.tensor(present)


class _Steps(TorchSampler[list[tuple[int, int]]]):
    """The batches of one rank in one epoch; `first` of them are left out after a resumption."""

    def __init__(self, stage: StageSection, epoch: int, first: int, rank: int, ranks: int) -> None:
        self._batch, self._epoch, self._first, self._rank, self._ranks = stage.batch, epoch, first, rank, ranks
        self._steps = stage.samples // (stage.batch * ranks)

    def __len__(self) -> int:
        return self._steps  # of the whole epoch: the trainer counts those before the resumption too

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for step in range(self._first, self._steps):
            start = (step * self._ranks + self._rank) * self._batch
            yield [(self._epoch, number) for number in range(start, start + self._batch)]


class TrainingData(lightning.LightningDataModule):
    """The data of a recipe for one stage.

    Args:
        recipe: Data sets, sampling, changes.
        stage: Lengths.
        sampler: Draws the samples.
        pictures: Cuts them.
        validation: Number of the sequences that validation tracks.
    """

    def __init__(self, recipe: Recipe, stage: StageSection, sampler: Sampler, pictures: Pictures | PictureBank, validation: int) -> None:
        super().__init__()
        self._recipe, self._stage, self._pictures = recipe, stage, pictures
        sides = sampler.sides
        self._sides = sides * 2 if stage.kind == "track" else sides
        self._samples = _Samples(sampler, self._sides, pictures)
        self._change = PhotometricChange(recipe.photometric)
        self._validation = range(validation)

    def train_dataloader(self) -> DataLoader[Any]:
        """One epoch; made anew for each, from the step that the trainer has reached."""
        trainer = self._trainer()
        ranks = trainer.world_size
        steps = max(1, self._stage.samples // (self._stage.batch * ranks))
        epoch, first = divmod(trainer.global_step, steps)
        workers = self._recipe.machine.workers
        return DataLoader(
            self._samples,
            batch_sampler=_Steps(self._stage, epoch, first, trainer.global_rank, ranks),
            num_workers=workers,
            pin_memory=trainer.strategy.root_device.type == "cuda",
            multiprocessing_context="fork" if workers else None,  # decoded pictures and boxes are shared
        )

    def val_dataloader(self) -> DataLoader[Any]:
        """Numbers of the validation sequences of this rank."""
        trainer = self._trainer()
        mine = list(self._validation)[trainer.global_rank :: trainer.world_size]
        return DataLoader(mine, batch_size=None)  # type: ignore[arg-type]

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Cuts crops where they are still plans, and changes light and colours."""
        trainer = self._trainer()
        if not isinstance(batch, Cut | Plan):
            return batch
        crops = tuple(self._cut(batch)) if isinstance(batch, Plan) else tuple(images.permute(0, 3, 1, 2) for images in batch.crops)
        seed = hash((self._recipe.seed, trainer.global_step, trainer.global_rank)) & 0xFFFFFFFF
        static, search, dynamic, negative = (*self._change(crops, seed), None, None)[:4]
        return Batch(static, search, dynamic, negative, batch.box_xywh, batch.present)  # type: ignore[arg-type]

    def _cut(self, plan: Plan) -> Iterator[Tensor]:
        if not isinstance(self._pictures, PictureBank):
            raise TypeError("plans are cut from a bank")
        for k, side in enumerate(self._sides):
            yield self._pictures.cut(plan.numbers[:, k], plan.windows[:, k], plan.flips[:, k], side)

    def _trainer(self) -> lightning.Trainer:
        if self.trainer is None:
            raise RuntimeError("the data is asked for outside of a run")
        return self.trainer


def read_pools(recipe: Recipe) -> list[Pool]:
    """The data sets of a recipe.

    Raises:
        DatasetError: as the readers say.
    """
    return [Pool(read(part.dataset, part.root.expanduser(), part.names), part.weight) for part in recipe.data]
