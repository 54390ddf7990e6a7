"""A teacher shows a student what to see: distillation on pictures that need no labels.

Three stages follow each other. *Blocks*: every piece of the backbone learns its counterpart with the teacher's activations as input, all at
once. *Heads*: every part of each head, likewise. *Whole*: end to end, with hints between the pieces. A piece is one block where student and
teacher have the same structure, and a stage or so where the student is smaller.

Pieces that learn apart learn fast, for nothing that others do wrong reaches them: in minutes the error of a piece falls to where end-to-end
training did not come in hours. What remains of it adds up along the chain, and the last stage is for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from fear.config import STRIDE, NetworkConfig
from fear.datasets.clip import Clip
from fear.errors import ConfigError
from fear.network import Encoder, FearNetwork, channels_last, fold
from fear.network.backbones import InvertedResidual, StagedBackbone
from fear.training.data.batch import Batch
from fear.training.recipe import DistillSection, StageSection
from fear.training.slim import kept_channels
from fear.training.stages.reinitialise import Redraws
from fear.training.stages.stage import Stage
from fear.training.stages.sub_crop import border_weights, choose_part, spread


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


def parts_of(encoder: FearNetwork | Encoder) -> list[Any]:
    """The parts of the backbone and the AdjustLayer, as functions that follow each other; of a network those of the search."""
    backbone: Any = encoder.backbone
    return [*backbone.parts(), encoder.adjust]


def activations(network: FearNetwork, crops: Tensor, of_template: bool = False) -> list[Tensor]:
    """Normalised crops, then the output of every part, of the template's encoder or the search's."""
    found = [network.normalise(crops)]
    for part in parts_of((network.template_encoder if of_template else None) or network):
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


def relative_error(y: Tensor, truth: Tensor, weights: Tensor | None = None) -> Tensor:
    """Squared error over variance, channel by channel, then the mean; quiet channels are damped.

    Args:
        y: (B, K, H, W)
        truth: Likewise.
        weights: (cells, cells) of the last map, see `narrow`; None: all places alike.
    """
    squares = (y - truth).square()
    if weights is not None:
        squares = squares * spread(weights, y)
    error, variance = squares.mean(dim=(0, 2, 3)), truth.var(dim=(0, 2, 3))
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
    inside = branches(teacher, teacher.encode_template(batch.static), seen[-1])
    for name, fusion, head in _heads(student):
        start(fusion.encode, inside[name].encoded)
        start(fusion.aggregate, inside[name].fused)
        start(head.tower, inside[name].towered)


def meetings(student: FearNetwork, teacher: FearNetwork) -> list[tuple[int, int]]:
    """Places in the `activations` of both that mean the same, from the crops to the features.

    All of them in networks of one structure. Smaller backbones of the same kind meet behind the first block of every stage but the first;
    other backbones at the ends only.
    """
    ours, theirs = student.backbone, teacher.backbone
    ends = len(parts_of(student)), len(parts_of(teacher))
    if _structure(student) == _structure(teacher):
        return [(place, place) for place in range(ends[0] + 1)]
    if not isinstance(ours, StagedBackbone) or type(ours) is not type(theirs):
        return [(0, 0), ends]
    return [(0, 0), *((mine + 1, other + 1) for mine, other in zip(ours.firsts()[1:], theirs.firsts()[1:], strict=True)), ends]


def template_meetings(student: FearNetwork, teacher: FearNetwork) -> list[tuple[int, int]]:
    """The same of the encoders that see templates."""
    ours, theirs = student.config, teacher.config
    if ours.template_backbone is None and theirs.template_backbone is None:
        return meetings(student, teacher)
    ends = len(parts_of(student.template_encoder or student)), len(parts_of(teacher.template_encoder or teacher))
    alike = (ours.template_backbone or ours.backbone) == (theirs.template_backbone or theirs.backbone)
    return [(place, place) for place in range(ends[0] + 1)] if alike else [(0, 0), ends]


def _structure(network: FearNetwork) -> NetworkConfig:
    return replace(network.config, name="", folded=False, template_backbone=None, least_search_size=network.config.search_size)


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
        self, network: FearNetwork, stage: StageSection, validation: list[Clip], options: DistillSection, teacher: Teacher
    ) -> None:
        super().__init__(network, stage, validation)
        self._options, self._teacher = options, teacher
        self._meetings = meetings(network, teacher.network)
        self._template_meetings = template_meetings(network, teacher.network)
        ours, theirs = network.config, teacher.network.config
        if (ours.template_size, ours.search_size) != (theirs.template_size, theirs.search_size) or ours.width > theirs.width:
            raise ConfigError(f"teacher: expected one with the student's crop sizes and at least its width, got {theirs} for {ours}")
        self._kept = kept_channels(teacher.network, ours.width) if ours.width < theirs.width else None

    def _known_features(self, features: Tensor) -> Tensor:
        """Of the teacher's features those in channels that the student has."""
        return features if self._kept is None else features[:, self._kept.features]

    def _known_heads(self, heads: dict[str, Branch]) -> dict[str, Branch]:
        """Of the inside of the teacher's heads that in channels that the student has."""
        kept = self._kept
        if kept is None:
            return heads
        return {
            name: Branch(
                branch.encoded[:, kept.features], branch.fused[:, kept.fused[name]], branch.towered[:, kept.towered[name]], branch.output
            )
            for name, branch in heads.items()
        }


class BlocksStage(_Distillation):
    """Every piece of the backbone with the teacher's activations as its input."""

    _redraws: Redraws | None = None

    def on_fit_start(self) -> None:
        """Checks that pieces have counterparts."""
        if len(self._meetings) == 2:
            ours, theirs = self.network.config, self._teacher.network.config
            raise ConfigError(
                f"teacher: expected the student's structure ({ours.name}) or a larger one of its kind for a stage blocks, "
                f"got {theirs.name}; use a stage whole"
            )
        if self._options.redraw:
            until = int(self._options.redraw_until * self.stage.epochs * self.steps_per_epoch())
            self._redraws = Redraws(self._lone_blocks(), self._options.redraw, until, seed=0)

    def _lone_blocks(self) -> dict[int, InvertedResidual]:
        """Pieces that are one block, by their number; a smaller student's are whole stages."""
        parts = parts_of(self.network)
        alone = {number: parts[mine] for number, ((mine, _), (after, _)) in enumerate(pairwise(self._meetings)) if after == mine + 1}
        return {number: part for number, part in alone.items() if isinstance(part, InvertedResidual)}

    def training_step(self, batch: Batch) -> Tensor:
        """The sum of all pieces' errors."""
        teacher = self._teacher.on(self.device)
        parts = parts_of(self.network)
        if self.global_step == 0 and len(self._meetings) == len(parts) + 1:
            start_from_teacher(self.network, teacher, batch)
        search = turn(batch.search, self._options.turn, seed=self.global_step)
        patches = cut_patches(search, self._options.patch, self._options.patches, seed=self.global_step)
        errors = self._piece_errors(parts, self._meetings, activations(teacher, patches))
        self._errors = [error.detach() for error in errors]
        loss = torch.stack(errors).sum()
        if self.network.template_encoder is not None:
            seen = activations(teacher, patches, of_template=True)
            loss = loss + torch.stack(self._piece_errors(parts_of(self.network.template_encoder), self._template_meetings, seen)).sum()
        self.report({"loss": loss, "last": errors[-1]}, len(patches))
        return loss

    def _piece_errors(self, parts: list[Any], places: list[tuple[int, int]], seen: list[Tensor]) -> list[Tensor]:
        """Of the pieces between these meetings, each with the teacher's activations as its input."""
        seen = [*seen[:-1], self._known_features(seen[-1])]
        errors = []
        for (mine, other), (mine_after, other_after) in pairwise(places):
            y = seen[other]
            for part in parts[mine:mine_after]:
                y = part(y)
            errors.append(relative_error(y, seen[other_after]))
        return errors

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Draws units anew, between steps: gradients of this one need the weights that it saw."""
        if self._redraws is not None:
            self._redraws.observe(self.global_step - 1, self._errors)


class HeadsStage(_Distillation):
    """Every part of each head with the teacher's input of that part."""

    def training_step(self, batch: Batch) -> Tensor:
        """The sum of all parts' errors."""
        teacher = self._teacher.on(self.device)
        with torch.no_grad():
            template, search = teacher.encode_template(batch.static), teacher.encode_search(batch.search)
            truth = self._known_heads(branches(teacher, template, search))
            template, search = self._known_features(template), self._known_features(search)
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
    of_static, of_search = activations(network, static, of_template=True), activations(network, search)
    return Answers(of_static, of_search, branches(network, of_static[-1], of_search[-1]))


class WholeStage(_Distillation):
    """End to end: features, hints between the pieces of the backbone, parts of the heads, scores, boxes.

    The student may have fewer blocks than its teacher, only the teacher's strongest channels, and may look at less.
    """

    def training_step(self, batch: Batch) -> Tensor:
        """The weighted sum of all errors."""
        options = self._options
        teacher = self._teacher.on(self.device)
        search = turn(batch.search, options.turn, seed=self.global_step)
        with torch.no_grad():
            truth = answers(teacher, batch.static, search)
            truth = truth._replace(heads=self._known_heads(truth.heads))
        search, truth, weights = self._narrowed(search, truth)
        heads = truth.heads
        learned = answers(self.network, batch.static, search)
        parts: dict[str, Tensor] = {}
        loss = torch.zeros((), device=self.device)
        for name, ours, theirs, places, shared in (
            ("template", learned.static, truth.static, None, self._template_meetings),
            ("search", learned.search, truth.search, weights, self._meetings),
        ):
            hints = [relative_error(ours[mine], theirs[other], places) for mine, other in shared[1:-1]]
            if hints:
                loss = loss + options.hints * torch.stack(hints).mean()
            parts[name] = relative_error(ours[-1], self._known_features(theirs[-1]), places)
            loss = loss + options.features * parts[name]
        confidence = heads["score"].output.sigmoid()
        for name in ("score", "box"):
            branch, known = learned.heads[name], heads[name]
            for y, y_truth in zip(branch[:3], known[:3], strict=True):
                loss = loss + options.head_parts * relative_error(y, y_truth, weights)
            parts[name] = relative_error(branch.output, known.output, weights)
        share = 1.0 if weights is None else spread(weights, confidence)
        missed = functional.binary_cross_entropy_with_logits(learned.heads["score"].output, confidence, reduction="none")
        parts["confidence"] = (missed * share).mean()
        far = functional.smooth_l1_loss(learned.heads["box"].output, heads["box"].output, reduction="none", beta=0.1)
        at_target = confidence * share
        parts["box_at_target"] = (far * at_target).sum() / (4 * at_target.sum() + 1)
        loss = loss + options.logits * parts["score"] + options.scores * parts["confidence"]
        loss = loss + options.distances * parts["box"] + options.boxes * parts["box_at_target"]
        self.report({"loss": loss, **parts}, len(batch.search))
        return loss

    def _narrowed(self, search: Tensor, truth: Answers) -> tuple[Tensor, Answers, Tensor | None]:
        """What the student looks at in this step, what the teacher says about that, and what each cell of it counts."""
        sides, whole = self._options.sides, search.shape[-1]
        side = sides[int(torch.randint(len(sides), (), generator=torch.Generator().manual_seed(self.global_step)))] if sides else whole
        if side >= whole:
            return search, truth, None
        part = choose_part(truth.heads["score"].output.sigmoid(), side, seed=self.global_step)
        needed = {other for _, other in self._meetings}
        seen = [part.of(maps) if place in needed else maps for place, maps in enumerate(truth.search)]
        heads = {name: Branch(*map(part.of, branch)) for name, branch in truth.heads.items()}
        return part.of(search), truth._replace(search=seen, heads=heads), border_weights(side // STRIDE)


def turn(crops: Tensor, share: float, seed: int) -> Tensor:
    """Some crops turned by any angle around their middle, as targets turn that the template showed otherwise; corners are mirrored.

    Args:
        crops: (B, 3, side, side)
        share: Of the crops that are turned.
        seed: The same seed turns the same.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.rand(len(crops), generator=generator) < share
    angles = torch.rand(len(crops), generator=generator) * 2 * torch.pi
    if not chosen.any():
        return crops
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    matrices = torch.stack((cos, -sin, zero, sin, cos, zero), dim=1).view(-1, 2, 3)[chosen].to(crops)
    grid = functional.affine_grid(matrices, [len(matrices), *crops.shape[1:]], align_corners=False)
    turned = crops.clone()
    turned[chosen.to(crops.device)] = functional.grid_sample(
        crops[chosen.to(crops.device)], grid, padding_mode="reflection", align_corners=False
    )
    return turned


def cut_patches(crops: Tensor, side: int, count: int, seed: int) -> Tensor:
    """Square patches from random places of search crops, which have the tracker's geometry and borders.

    Args:
        crops: (B, 3, S, S)
        side: Of the patches.
        count: From each search crop.
        seed: The same seed chooses the same places.

    Returns:
        (B·count, 3, side, side)
    """
    generator = torch.Generator().manual_seed(seed)
    room = crops.shape[-1] - side + 1
    places = torch.randint(0, room, (len(crops), count, 2), generator=generator).tolist()
    return torch.stack([crop[:, y : y + side, x : x + side] for crop, here in zip(crops, places, strict=True) for y, x in here])
