"""One stage of training as a Lightning module: network, optimiser, batch norms, validation by tracking."""

from __future__ import annotations

from typing import Any, cast

import lightning
import torch
from torch import Tensor, nn

from fear.datasets.clip import Clip
from fear.network import FearNetwork, channels_last
from fear.runtime.pytorch import TorchNetwork
from fear.tracking.tracker import MultiTracker
from fear.training.sections import StageSection
from fear.training.stages.optimiser import encoders, make_optimiser
from fear.training.stages.validation import mean_overlap


class Stage(lightning.LightningModule):
    """What all stages share.

    Args:
        network: The one to train.
        stage: Optimiser and lengths.
        validation: Clips that are tracked before the first step and after every epoch.
    """

    def __init__(self, network: FearNetwork, stage: StageSection, validation: list[Clip]) -> None:
        super().__init__()
        self.network = channels_last(network)  # steps take a third less time on processors, too
        self.stage = stage
        self._validation = validation
        self._overlaps: list[float] = []
        self.baseline: float | None = None
        """`val_iou` before the first step; None where nothing was validated."""
        if stage.frozen_backbone:
            for encoder in encoders(network):
                encoder.backbone.requires_grad_(False)
                encoder.adjust.requires_grad_(False)

    # --------------------------------------------------------------------------------------------------------------- learning
    def steps_per_epoch(self) -> int:
        """Steps of one rank."""
        return max(1, self.stage.samples // (self.stage.batch * self.trainer.world_size))

    def norms_are_frozen(self) -> bool:
        """Whether batch norms keep their running statistics by now."""
        total = self.stage.epochs * self.steps_per_epoch()
        return self.stage.freeze_norms == 0 or self.global_step >= self.stage.freeze_norms * total

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Freezes batch norms when it is time."""
        frozen = self.norms_are_frozen()
        for module in self.network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.train(not frozen)

    def configure_optimizers(self) -> Any:
        """The stage's optimiser and schedule."""
        return make_optimiser(self.network, self.stage, self.stage.epochs * self.steps_per_epoch())

    def report(self, parts: dict[str, Tensor], batch: int) -> None:
        """Logs the parts of a step's loss."""
        self.log_dict(parts, prog_bar=True, batch_size=batch)

    # ------------------------------------------------------------------------------------------------------------- validation
    def on_train_start(self) -> None:
        """Logs `val_iou` before the first step, with which the later values are compared."""
        if self.global_step > 0 or not self._validation:
            return
        self.on_validation_epoch_start()
        for number in range(self.trainer.global_rank, len(self._validation), self.trainer.world_size):
            self.validation_step(number)
        self.baseline = float(self._mean_overlap())
        for logger in self.loggers:
            logger.log_metrics({"val_iou": self.baseline}, step=0)

    def on_validation_epoch_start(self) -> None:
        """Folds the network once for all clips."""
        self._overlaps = []
        self._tracker = MultiTracker(TorchNetwork(self.network, device=str(self.device)))

    def validation_step(self, number: int) -> None:
        """Tracks one clip, as users will."""
        self._overlaps.append(mean_overlap(self._tracker, self._validation[int(number)]))

    def on_validation_epoch_end(self) -> None:
        """Logs the mean IoU over clips, of all ranks."""
        self.log("val_iou", self._mean_overlap(), prog_bar=True)

    def _mean_overlap(self) -> Tensor:
        sums = torch.tensor([sum(self._overlaps), float(len(self._overlaps))], device=self.device)
        total = cast(Tensor, self.all_gather(sums)).reshape(-1, 2).sum(dim=0)
        return total[0] / total[1].clamp_min(1)
