"""From a recipe's data sets to batches of crops on the device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch.utils.data import Sampler as TorchSampler

from fear.datasets import read
from fear.geometry.boxes import Box
from fear.media.names import home_path
from fear.training.data.batch import Batch, PlannedCrop, Prepared, SampleCrops, collate
from fear.training.data.colours import change_crops
from fear.training.data.crops import PictureBank, Pictures
from fear.training.data.photometric import PhotometricChange
from fear.training.data.sampler import Pool, Sampler
from fear.training.recipe import Recipe
from fear.training.sections import PhotometricSection, StageSection

_COLOURS = 2  # number of the random stream of a sample that decides about colours; 0 and 1 belong to the samplers


class _Samples(Dataset[Prepared]):
    """Samples by (epoch, number).

    Args:
        sampler: Draws them.
        pictures: Cuts or plans their crops.
        all_crops: Whether the stage needs the dynamic template and the negative crop.
        photometric: Changes of crops that are cut here; planned crops are changed on the device.
        seed: Seed of the changes.
    """

    def __init__(
        self, sampler: Sampler, pictures: Pictures | PictureBank, all_crops: bool, photometric: PhotometricSection, seed: int
    ) -> None:
        self._sampler, self._pictures, self._all_crops = sampler, pictures, all_crops
        self._photometric, self._seed = photometric, seed

    def __getitem__(self, key: tuple[int, int]) -> Prepared:
        sample = self._sampler.sample(*key)
        views = SampleCrops(sample.static_template, sample.search)
        if self._all_crops:
            views = SampleCrops(sample.static_template, sample.search, sample.dynamic_template, sample.negative)
        box, present = _truth(sample.search.box_xywh)
        if isinstance(self._pictures, PictureBank):
            return Prepared(views.map(self._pictures.plan), box, present)
        crops = change_crops(views.map(self._pictures.cut), self._photometric, np.random.default_rng((self._seed, *key, _COLOURS)))
        return Prepared(crops.map(torch.from_numpy), box, present)


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
        validation: Number of the clips that validation tracks.
    """

    def __init__(self, recipe: Recipe, stage: StageSection, sampler: Sampler, pictures: Pictures | PictureBank, validation: int) -> None:
        super().__init__()
        self._recipe, self._stage, self._pictures = recipe, stage, pictures
        self._samples = _Samples(sampler, pictures, stage.kind == "track", recipe.photometric, recipe.seed)
        self._change = PhotometricChange(recipe.photometric)
        self._validation = range(validation)

    def train_dataloader(self) -> DataLoader[Any]:
        """One epoch, from the step that the trainer has reached; each epoch makes a new one."""
        trainer = self._trainer()
        ranks = trainer.world_size
        steps = max(1, self._stage.samples // (self._stage.batch * ranks))
        epoch, first = divmod(trainer.global_step, steps)
        workers = self._recipe.machine.workers
        return DataLoader(
            self._samples,
            batch_sampler=_Steps(self._stage, epoch, first, trainer.global_rank, ranks),
            collate_fn=collate,
            num_workers=workers,
            pin_memory=trainer.strategy.root_device.type == "cuda",
            multiprocessing_context="fork" if workers else None,  # decoded pictures and boxes are shared
        )

    def val_dataloader(self) -> DataLoader[Any]:
        """Numbers of the validation clips of this rank."""
        trainer = self._trainer()
        mine = list(self._validation)[trainer.global_rank :: trainer.world_size]
        return DataLoader(mine, batch_size=None)  # type: ignore[arg-type]

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Cuts crops that are still planned and changes them; other crops were changed when they were cut."""
        if not isinstance(batch, Prepared):
            return batch
        if isinstance(self._pictures, PictureBank):
            crops = self._cut(cast(SampleCrops[PlannedCrop], batch.crops), self._pictures)
        else:  # (B, side, side, 3) → (B, 3, side, side), with channels last
            crops = cast(SampleCrops[Tensor], batch.crops).map(lambda images: images.permute(0, 3, 1, 2).float())
        return Batch(crops, batch.box_xywh, batch.present)

    def _cut(self, crops: SampleCrops[PlannedCrop], bank: PictureBank) -> SampleCrops[Tensor]:
        """(B, 3, side, side) each, with changed light and colours."""
        trainer = self._trainer()
        seed = hash((self._recipe.seed, trainer.global_step, trainer.global_rank)) & 0xFFFFFFFF
        return self._change(crops.map(bank.cut), seed)

    def _trainer(self) -> lightning.Trainer:
        if self.trainer is None:
            raise RuntimeError("the data is asked for outside of a run")
        return self.trainer


def read_pools(recipe: Recipe) -> list[Pool]:
    """The data sets of a recipe.

    Raises:
        DatasetError: as the readers say.
    """
    return [Pool(read(part.dataset, home_path(part.root), None), part.weight) for part in recipe.data]
