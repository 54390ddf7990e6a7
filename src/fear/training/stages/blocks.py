"""The stage `blocks`: every piece of the backbone learns with the teacher's activations as its input, all pieces at once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from fear.errors import ConfigError
from fear.network import FearNetwork
from fear.network.backbones import InvertedResidual
from fear.training.data.batch import Batch
from fear.training.stages.distillation import Distillation
from fear.training.stages.layers import MatchedLayers, encoder_activations, encoder_layers, head_maps, heads_of, relative_error
from fear.training.stages.reinitialise import Reinitialisation
from fear.training.stages.rotation import rotate

_REINITIALISED = 0.6
"""Share of the stage in which units are reinitialised; afterwards they learn undisturbed."""


class BlocksStage(Distillation):
    """Every piece of the backbone learns with the teacher's activations as its input."""

    _reinitialisation: Reinitialisation | None = None

    def on_fit_start(self) -> None:
        """Checks that pieces have counterparts."""
        if len(self._matched) == 2:
            ours, theirs = self.network.config, self._teacher.network.config
            raise ConfigError(
                f"teacher: expected the student's structure ({ours.name}) or a larger one of its kind for a stage blocks, "
                f"got {theirs.name}; use a stage whole"
            )
        if self._options.reinitialise:
            until = int(_REINITIALISED * self.stage.epochs * self.steps_per_epoch())
            self._reinitialisation = Reinitialisation(self._single_blocks(), self._options.reinitialise, until, seed=0)

    def _single_blocks(self) -> dict[int, InvertedResidual]:
        """The pieces that consist of one block, by their number; those of a smaller student are whole stages."""
        layers = encoder_layers(self.network)
        single = {number: layers[mine] for number, ((mine, _), (after, _)) in enumerate(pairwise(self._matched)) if after == mine + 1}
        return {number: layer for number, layer in single.items() if isinstance(layer, InvertedResidual)}

    def training_step(self, batch: Batch) -> Tensor:
        """The sum of the errors of all pieces."""
        teacher = self._teacher.on(self.device)
        layers = encoder_layers(self.network)
        if self.global_step == 0 and len(self._matched) == len(layers) + 1:
            start_from_teacher(self.network, teacher, batch)
        search = rotate(batch.crops.search, self._options.rotate, seed=self.global_step)
        patches = cut_patches(search, self._options.patch, self._options.patches, seed=self.global_step)
        errors = self._piece_errors(layers, self._matched, encoder_activations(teacher, patches))
        self._errors = [error.detach() for error in errors]
        loss = torch.stack(errors).sum()
        own_encoder = self.network.template_encoder
        if own_encoder is not None:
            seen = encoder_activations(teacher, patches, of_template=True)
            loss = loss + torch.stack(self._piece_errors(encoder_layers(own_encoder), self._matched_template, seen)).sum()
        self.report({"loss": loss, "last": errors[-1]}, len(patches))
        return loss

    def _piece_errors(self, layers: list[Any], matched: MatchedLayers, truth: list[Tensor]) -> list[Tensor]:
        """The error of each piece between matched layers, with the teacher's activations as its input."""
        truth = [*truth[:-1], self.known_features(truth[-1])]
        errors = []
        for (mine, other), (mine_after, other_after) in pairwise(matched):
            y = truth[other]
            for layer in layers[mine:mine_after]:
                y = layer(y)
            errors.append(relative_error(y, truth[other_after]))
        return errors

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Reinitialises units between steps, because the gradients of a step need the weights that it saw."""
        if self._reinitialisation is not None:
            self._reinitialisation.observe(self.global_step - 1, self._errors)


@torch.no_grad()
def start_from_teacher(student: FearNetwork, teacher: FearNetwork, batch: Batch) -> None:
    """Gives the output of every layer the teacher's mean and standard deviation, by its last batch norm.

    Layers that learn apart then fit together early on.
    """

    def start(module: nn.Module, y: Tensor) -> None:
        norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
        if norms:  # a folded network has none, and has learned already
            norms[-1].weight.copy_(y.std(dim=(0, 2, 3)))
            norms[-1].bias.copy_(y.mean(dim=(0, 2, 3)))

    truth = encoder_activations(teacher, batch.crops.search)
    for layer, before, after in zip(encoder_layers(student), truth, truth[1:], strict=False):
        if isinstance(layer, nn.Module):  # the stem of some backbones is a function; it learns its spread within a few steps
            start(layer, after - before if getattr(layer, "shortcut", False) else after)
    inside = head_maps(teacher, teacher.encode_template(batch.crops.static_template), truth[-1])
    for name, fusion, head in heads_of(student):
        start(fusion.encode, inside[name].encoded)
        start(fusion.aggregate, inside[name].fused)
        start(head.tower, inside[name].towered)


def cut_patches(crops: Tensor, side: int, count: int, seed: int) -> Tensor:
    """Square patches from random places of search crops, which have the geometry and the borders of tracking.

    Args:
        crops: (B, 3, S, S)
        side: Of the patches, in pixels.
        count: From each search crop.
        seed: The same seed chooses the same places.

    Returns:
        (B·count, 3, side, side)
    """
    generator = torch.Generator().manual_seed(seed)
    room = crops.shape[-1] - side + 1
    places = torch.randint(0, room, (len(crops), count, 2), generator=generator).tolist()
    return torch.stack([crop[:, y : y + side, x : x + side] for crop, here in zip(crops, places, strict=True) for y, x in here])
