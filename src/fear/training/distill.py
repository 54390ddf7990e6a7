"""A teacher shows a student what to see: distillation on pictures that need no labels.

Three stages follow each other. *Blocks*: every part of the backbone learns its counterpart with the teacher's activations as input, all at
once, on small patches of search crops. *Heads*: every part of each head, likewise. *Whole*: end to end, with hints behind a few blocks. The
first two need a teacher of the student's own structure; the student of the last may be smaller in every respect.

Ordinary end-to-end training of a fresh student in small batches reaches little in hours; started this way it is good in half an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from fear.datasets.base import Sequence
from fear.errors import ConfigError
from fear.model import FearNetwork, channels_last, fold
from fear.model.backbones import StagedBackbone
from fear.training.data import Batch
from fear.training.module import Stage
from fear.training.recipe import DistillSection, StageSection
from fear.training.slim import kept_channels


class Branch(NamedTuple):
    """What comes out of the parts of one head, in order."""

    encoded: Tensor
    fused: Tensor
    towered: Tensor
    """(B, C, S, S), as those before."""
    output: Tensor
    """(B, 1, S, S) logits, or (B, 4, S, S) logarithms of distances."""


class Teacher:
    """A network that answers and never learns; it stays outside of the state of what it teaches.

    Args:
        network: Any member of the family.
    """

    def __init__(self, network: FearNetwork) -> None:
        self.network = channels_last(fold(network).requires_grad_(False))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # a moving average of the student needs no second teacher

    def on(self, device: torch.device) -> FearNetwork:
        """The network on that device."""
        self.network.to(device)
        return self.network


def parts_of(network: FearNetwork) -> list[Any]:
    """The backbone's parts and the AdjustLayer, as functions that follow each other."""
    backbone: Any = network.backbone
    return [*backbone.parts(), network.adjust]


def activations(network: FearNetwork, crops: Tensor) -> list[Tensor]:
    """Normalised crops, then the output of every part."""
    found = [network.normalise(crops)]
    for part in parts_of(network):
        found.append(part(found[-1]))
    return found


def branches(network: FearNetwork, template: Tensor, search: Tensor) -> dict[str, Branch]:
    """The inside of both heads, given features (B, C, 8, 8) and (B, C, 16, 16)."""
    found = {}
    for name, fusion, head in _heads(network):
        encoded = fusion.encode(search)
        fused = fusion.fuse(template, encoded)
        towered = head.tower(fused)
        found[name] = Branch(encoded, fused, towered, head.scaled(towered))
    return found


def _heads(network: FearNetwork) -> Iterator[tuple[str, Any, Any]]:
    yield "score", network.score_fusion, network.score_head
    yield "box", network.box_fusion, network.box_head


def relative_error(y: Tensor, truth: Tensor) -> Tensor:
    """Squared error over variance, channel by channel, then the mean; quiet channels are damped. (B, K, H, W) each → scalar."""
    error, variance = (y - truth).square().mean(dim=(0, 2, 3)), truth.var(dim=(0, 2, 3))
    return (error / (variance + 0.05 * variance.mean() + 1e-8)).mean()


@torch.no_grad()
def start_from_teacher(student: FearNetwork, teacher: FearNetwork, batch: Batch) -> None:
    """Sets the last batch norm of every part to the teacher's mean and spread.

    It is what makes a chain of parts that learned apart fit together early on.
    """

    def start(module: nn.Module, y: Tensor) -> None:
        norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
        if norms:  # not in a folded network, which has learned already
            norms[-1].weight.copy_(y.std(dim=(0, 2, 3)))
            norms[-1].bias.copy_(y.mean(dim=(0, 2, 3)))

    seen = activations(teacher, batch.search)
    for part, before, after in zip(parts_of(student), seen, seen[1:], strict=False):
        if isinstance(part, nn.Module):  # the stem is a function of some backbones; its spread is learned at once
            start(part, after - before if getattr(part, "shortcut", False) else after)
    inside = branches(teacher, teacher.embed(batch.static), seen[-1])
    for name, fusion, head in _heads(student):
        start(fusion.encode, inside[name].encoded)
        start(fusion.aggregate, inside[name].fused)
        start(head.tower, inside[name].towered)


class _Distillation(Stage):
    """A stage with a teacher.

    Args:
        network: The student.
        stage: Optimiser and lengths.
        validation: Sequences to track after every epoch.
        options: Weights, and sizes of patches.
        teacher: Answers.

    Raises:
        ConfigError: a teacher that is narrower than the student or sees targets at another scale.
    """

    def __init__(
        self, network: FearNetwork, stage: StageSection, validation: list[Sequence], options: DistillSection, teacher: Teacher
    ) -> None:
        super().__init__(network, stage, validation)
        self._options, self._teacher = options, teacher
        ours, theirs = network.config, teacher.network.config
        if (ours.template_size, ours.search_size) != (theirs.template_size, theirs.search_size) or ours.width > theirs.width:
            raise ConfigError(f"teacher: expected one with the student's crop sizes and at least its width, got {theirs} for {ours}")

    def _require_same_structure(self) -> None:
        ours, theirs = self.network.config, self._teacher.network.config
        if replace(ours, name="", folded=False) != replace(theirs, name="", folded=False):
            raise ConfigError(
                f"teacher: expected the student's structure ({ours.name}) for stages blocks and heads, got {theirs.name}; use a stage whole"
            )


class BlocksStage(_Distillation):
    """Every part of the backbone with the teacher's activations as its input."""

    def on_fit_start(self) -> None:
        """Checks that parts have counterparts."""
        self._require_same_structure()

    def training_step(self, batch: Batch) -> Tensor:
        """The sum of all parts' errors."""
        teacher = self._teacher.on(self.device)
        if self.global_step == 0:
            start_from_teacher(self.network, teacher, batch)
        patches = cut_patches(batch, self._options.patch, self._options.patches, seed=self.global_step)
        with torch.no_grad():
            seen = activations(teacher, patches)
        errors = [relative_error(part(before), after) for part, before, after in zip(parts_of(self.network), seen, seen[1:], strict=False)]
        loss = torch.stack(errors).sum()
        self.report({"loss": loss, "last": errors[-1]}, len(patches))
        return loss


class HeadsStage(_Distillation):
    """Every part of each head with the teacher's input of that part."""

    def on_fit_start(self) -> None:
        """Checks that parts have counterparts."""
        self._require_same_structure()

    def training_step(self, batch: Batch) -> Tensor:
        """The sum of all parts' errors."""
        teacher = self._teacher.on(self.device)
        with torch.no_grad():
            template, search = teacher.embed(batch.static), teacher.embed(batch.search)
            truth = branches(teacher, template, search)
        parts = {}
        for name, fusion, head in _heads(self.network):
            known = truth[name]
            learned = Branch(
                fusion.encode(search), fusion.fuse(template, known.encoded), head.tower(known.fused), head.scaled(known.towered)
            )
            for field, y, y_truth in zip(Branch._fields, learned, known, strict=True):
                parts[f"{name}_{field}"] = relative_error(y, y_truth)
        loss = torch.stack(list(parts.values())).sum()
        self.report({"loss": loss, **parts}, len(search))
        return loss


class Answers(NamedTuple):
    """All that a student can learn of one batch."""

    static: list[Tensor]
    """Activations, as the next."""
    search: list[Tensor]
    heads: dict[str, Branch]


def answers(network: FearNetwork, static: Tensor, search: Tensor) -> Answers:
    """Crops (B, 3, side, side) → activations of both, and the inside of the heads."""
    of_static, of_search = activations(network, static), activations(network, search)
    return Answers(of_static, of_search, branches(network, of_static[-1], of_search[-1]))


def counterparts(student: FearNetwork, teacher: FearNetwork) -> list[tuple[int, int]]:
    """Parts whose outputs mean the same in both networks: the first block of every stage but the first, on backbones of one kind."""
    ours, theirs = student.backbone, teacher.backbone
    if not isinstance(ours, StagedBackbone) or type(ours) is not type(theirs):
        return []
    return list(zip(ours.firsts()[1:], theirs.firsts()[1:], strict=True))


class WholeStage(_Distillation):
    """End to end: features, hints behind a few blocks, parts of the heads, scores, boxes.

    The student may have fewer blocks than its teacher, and only the teacher's strongest channels.
    """

    def __init__(
        self, network: FearNetwork, stage: StageSection, validation: list[Sequence], options: DistillSection, teacher: Teacher
    ) -> None:
        super().__init__(network, stage, validation, options, teacher)
        self._hints = counterparts(network, teacher.network)
        narrower = network.config.width < teacher.network.config.width
        self._kept = kept_channels(teacher.network, network.config.width) if narrower else None

    def _known(self, seen: Answers) -> Answers:
        """Of the teacher's answers those in channels that the student has."""
        kept = self._kept
        if kept is None:
            return seen
        heads = {
            name: Branch(
                branch.encoded[:, kept.features], branch.fused[:, kept.fused[name]], branch.towered[:, kept.towered[name]], branch.output
            )
            for name, branch in seen.heads.items()
        }
        static, search = ([*part[:-1], part[-1][:, kept.features]] for part in (seen.static, seen.search))
        return Answers(static, search, heads)

    def training_step(self, batch: Batch) -> Tensor:
        """The weighted sum of all errors."""
        options = self._options
        teacher = self._teacher.on(self.device)
        with torch.no_grad():
            truth = self._known(answers(teacher, batch.static, batch.search))
        learned = answers(self.network, batch.static, batch.search)
        parts: dict[str, Tensor] = {}
        loss = torch.zeros((), device=self.device)
        for name, ours, theirs in (("template", learned.static, truth.static), ("search", learned.search, truth.search)):
            for mine, other in self._hints:
                loss = loss + options.hints * relative_error(ours[mine + 1], theirs[other + 1])
            parts[name] = relative_error(ours[-1], theirs[-1])
            loss = loss + options.features * parts[name]
        confidence = truth.heads["score"].output.sigmoid()
        for name in ("score", "box"):
            branch, known = learned.heads[name], truth.heads[name]
            for y, y_truth in zip(branch[:3], known[:3], strict=True):
                loss = loss + options.head_parts * relative_error(y, y_truth)
            parts[name] = relative_error(branch.output, known.output)
        parts["confidence"] = functional.binary_cross_entropy_with_logits(learned.heads["score"].output, confidence)
        far = functional.smooth_l1_loss(learned.heads["box"].output, truth.heads["box"].output, reduction="none", beta=0.1)
        parts["box_at_target"] = (far * confidence).sum() / (4 * confidence.sum() + 1)
        loss = loss + options.logits * parts["score"] + options.scores * parts["confidence"]
        loss = loss + options.distances * parts["box"] + options.boxes * parts["box_at_target"]
        self.report({"loss": loss, **parts}, len(batch.search))
        return loss


def cut_patches(batch: Batch, side: int, count: int, seed: int) -> Tensor:
    """Square patches from random places of search crops, which have the tracker's geometry and borders.

    Args:
        batch: B samples.
        side: Of the patches.
        count: From each search crop.
        seed: The same seed chooses the same places.

    Returns:
        (B·count, 3, side, side)
    """
    generator = torch.Generator().manual_seed(seed)
    room = batch.search.shape[-1] - side + 1
    places = torch.randint(0, room, (len(batch.search), count, 2), generator=generator).tolist()
    return torch.stack([crop[:, y : y + side, x : x + side] for crop, here in zip(batch.search, places, strict=True) for y, x in here])
