"""One stage of training as a Lightning module: network, losses, optimiser, validation by tracking."""

from __future__ import annotations

import math
from typing import Any, cast

import lightning
import numpy as np
import torch
from pytorch_optimizer import SOAP
from torch import Tensor, nn

from fear.datasets.clip import Clip
from fear.datasets.frames import read_frame
from fear.evaluation.metrics import scored_frames
from fear.geometry.boxes import iou
from fear.network import FearNetwork, channels_last
from fear.runtime.pytorch import TorchNetwork
from fear.tracking.tracker import Tracker
from fear.training.recipe import StageSection

_FRESH = 0.1
"""Root mean square of freshly initialised weights, about: 1×1 convolutions of some hundred channels."""


class Stage(lightning.LightningModule):
    """What all stages share.

    Args:
        network: The one to train.
        stage: Optimiser and lengths.
        validation: Sequences to track after every epoch.
    """

    def __init__(self, network: FearNetwork, stage: StageSection, validation: list[Clip]) -> None:
        super().__init__()
        self.network = channels_last(network)  # steps take a third less time on processors, too
        self.stage = stage
        self._validation = validation
        self._overlap: list[tuple[float, int]] = []
        if stage.frozen_backbone:
            network.backbone.requires_grad_(False)
            network.adjust.requires_grad_(False)
            if network.template_encoder is not None:
                network.template_encoder.requires_grad_(False)

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
        """AdamW, with warm-up and the schedule of the stage."""
        stage = self.stage
        learning = [parameter for parameter in self.parameters() if parameter.requires_grad]
        rates = [stage.rate * relative_rate(parameter) if self.network.config.folded else stage.rate for parameter in learning]
        groups = [{"params": [parameter], "lr": rate} for parameter, rate in zip(learning, rates, strict=True)]
        optimiser: torch.optim.Optimizer
        if stage.optimiser == "soap":
            optimiser = SOAP(groups, lr=stage.rate, weight_decay=stage.weight_decay, precondition_frequency=20)
        else:
            optimiser = torch.optim.AdamW(groups, lr=stage.rate, weight_decay=stage.weight_decay)
        total = stage.epochs * self.steps_per_epoch()

        def factor(step: int) -> float:
            rise = min(1.0, (step + 1) / (stage.warm_up + 1))
            return rise * (0.5 * (1 + math.cos(math.pi * min(1.0, step / total))) + 1e-3) if stage.schedule == "cosine" else rise

        by_step = {"scheduler": torch.optim.lr_scheduler.LambdaLR(optimiser, factor), "interval": "step"}
        if stage.schedule != "plateau":
            return {"optimizer": optimiser, "lr_scheduler": by_step}
        # the rate halves where tracking gets no better (published code); no warm-up, which would overwrite it
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, mode="max", factor=0.5, patience=stage.patience)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": plateau, "monitor": "val_iou"}}

    def report(self, parts: dict[str, Tensor], batch: int) -> None:
        """Logs the parts of a step's loss."""
        self.log_dict(parts, prog_bar=True, batch_size=batch)

    # ------------------------------------------------------------------------------------------------------------- validation
    def on_validation_epoch_start(self) -> None:
        """Folds the network once for all sequences."""
        self._overlap = []
        self._tracker = Tracker(TorchNetwork(self.network, device=str(self.device)))

    def validation_step(self, number: int) -> None:
        """Tracks one sequence, as users will."""
        self._overlap.append(track_overlap(self._tracker, self._validation[int(number)]))

    def on_validation_epoch_end(self) -> None:
        """Mean IoU over sequences, of all ranks."""
        sums = torch.tensor([sum(mean for mean, _ in self._overlap), float(len(self._overlap))], device=self.device)
        total = cast(Tensor, self.all_gather(sums)).reshape(-1, 2).sum(dim=0)
        self.log("val_iou", total[0] / total[1].clamp_min(1), prog_bar=True)


def relative_rate(parameter: Tensor) -> float:
    """Share of the learning rate at which a tensor of a folded network learns: its size, relative to that of fresh weights.

    Merged batch norms leave tensors whose root mean squares lie between 0.01 and 20. Adam's steps have the same size for all of them: it
    would throw some about while others stood still.
    """
    if parameter.numel() == 1:  # w, scale and shift of the boxes: numbers around one
        return 1 / _FRESH
    return max(float(parameter.detach().square().mean().sqrt()), 1e-3) / _FRESH


def track_overlap(tracker: Tracker, sequence: Clip) -> tuple[float, int]:
    """Mean IoU over the scored frames of a sequence, tracked from its first box; and their number."""
    scored = scored_frames(sequence.boxes_xywh)
    boxes = np.full_like(sequence.boxes_xywh, np.nan)
    for index, path in enumerate(sequence.frames):
        if index == 0:
            tracker.init(read_frame(path), sequence.boxes_xywh[0].tolist())
        else:
            boxes[index] = tracker.update(read_frame(path)).box_xywh
    overlaps = iou(boxes[scored], sequence.boxes_xywh[scored])
    return float(overlaps.mean()) if scored.any() else 0.0, int(scored.sum())
