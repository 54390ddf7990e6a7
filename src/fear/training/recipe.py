"""Recipes: one TOML file per training run, read into checked values.

A recipe names the network, the data, how samples are drawn and changed, and one or more stages that follow each other. `docs/training.md`
explains every key.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fear.config import PRESETS, STRIDE, Backbone, NetworkConfig
from fear.errors import ConfigError

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkSection(_Section):
    """The network to train, and what it starts from."""

    preset: str = "fear-xs"
    backbone: Backbone | None = None
    template_backbone: Backbone | None = None
    width: Count | None = None
    search_size: Count | None = None
    least_search_size: Count | None = None
    template_size: Count | None = None
    weights: str | None = None
    """A checkpoint, or the name of packaged weights; where these have an encoder of the templates' own, it comes along."""
    imagenet: str | None = None
    """ImageNet weights for the backbone: a file, or a URL together with its digest."""
    imagenet_sha256: str | None = None

    @model_validator(mode="after")
    def _known(self) -> NetworkSection:
        if self.preset not in PRESETS:
            raise ValueError(f"preset: expected one of {', '.join(PRESETS)}; got {self.preset!r}")
        if self.weights is not None and self.imagenet is not None:
            raise ValueError("expected weights or imagenet, got both")
        return self

    def config(self) -> NetworkConfig:
        """The preset with what the recipe changes."""
        fields = ("backbone", "template_backbone", "width", "search_size", "least_search_size", "template_size")
        changed = {field: getattr(self, field) for field in fields if getattr(self, field) is not None}
        return NetworkConfig.from_dict(PRESETS[self.preset].to_dict() | changed)


class DataSection(_Section):
    """One data set of the mix."""

    dataset: str
    root: Path
    weight: Positive = 1.0
    """Share of the samples, relative to the other sets."""
    names: tuple[str, ...] | None = None
    """Sequences, all where not given."""


class Sampling(_Section):
    """Which frames make a sample, and how its crops lie (published code, where not marked)."""

    distance: Annotated[int, Field(ge=0)] = 70
    """Frames between static template and search, at most."""
    distance_epoch: Annotated[int, Field(ge=0)] = 15
    """First epoch of a larger distance."""
    distance_growth: Annotated[int, Field(ge=0)] = 2
    """Frames more in each epoch from there on."""
    distance_limit: Annotated[int, Field(ge=0)] = 150
    template_shift: Annotated[float, Field(ge=0)] = 8.0
    """Pixels of the crop."""
    template_scale: Share = 0.05
    search_shift: Annotated[float, Field(ge=0)] = 48.0
    search_scale: tuple[Positive, Positive] = (0.65, 1.35)
    search_ratio: Share = 0.0
    """Spread of width and height apart from each other, as a logarithm; our addition."""
    flip: Share = 0.5
    """Mirrored samples; our addition."""
    absent: Share = 0.0
    """Searches without the target; our addition."""
    without_boxes: bool = False
    """Pictures without boxes serve too, with invented ones: for distillation, where the teacher answers."""
    labelled: Share = 0.35
    """Share of samples around true boxes, in sequences that have some, where `without_boxes`."""
    unlabelled_distance: Annotated[int, Field(ge=0)] = 12
    """Frames between template and search around an invented box, which does not move along."""


class Photometric(_Section):
    """Changes of light and colour: shares of crops, and how strong. Joint ones are the same for all crops of a sample."""

    joint: Share = 0.3
    each: Share = 0.2
    brightness: Share = 0.3
    contrast: Share = 0.3
    saturation: Share = 0.4
    warmth: Share = 0.3
    """Part of the colour changes that also make the light warmer or colder."""
    grey: Share = 0.05
    blur: Share = 0.1
    motion: Share = 0.05
    noise: Share = 0.1
    noise_spread: Share = 0.04


class LossSection(_Section):
    """Weights of the losses (paper), and their options."""

    triplet: Annotated[float, Field(ge=0)] = 0.5
    regression: Annotated[float, Field(ge=0)] = 1.0
    classification: Annotated[float, Field(ge=0)] = 1.0
    margin: Positive = 1.0
    gamma: Annotated[float, Field(ge=0)] = 2.0
    region: Literal["diamond", "inside"] = "diamond"
    balanced: bool = False
    """Balanced cross-entropy, as the published code, instead of focal loss."""
    negative: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the classification of negative crops; our addition."""


class StageSection(_Section):
    """A part of the run with its own goal, length and optimiser."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
    kind: Literal["track", "blocks", "heads", "whole"] = "track"
    """`track`: the losses of FEAR. `blocks`, `heads`, `whole`: the steps of distillation."""
    epochs: Count
    samples: Count
    """In each epoch, over all machines."""
    batch: Count = 128
    """Samples of one step on one device."""
    optimiser: Literal["adamw", "soap"] = "adamw"
    """SOAP (arXiv 2409.11321), Adam in the eigenbasis of the gradients, brings blocks further in the same time."""
    rate: Positive = 1e-3
    """Learning rate."""
    schedule: Literal["cosine", "plateau", "constant"] = "cosine"
    patience: Count = 5
    """Epochs without a better validation before a plateau halves the rate."""
    stop_after: Count | None = None
    """Epochs without a better validation before the stage ends; 20 in the published code."""
    warm_up: Annotated[int, Field(ge=0)] = 100
    """Steps."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-5
    clip: Positive = 5.0
    """Largest norm of the gradient."""
    average: Annotated[float, Field(ge=0, lt=1)] = 0.998
    """Decay of the moving average of the weights, which is what validation and result use."""
    freeze_norms: Share = 1.0
    """Share of the stage after which batch norms keep their statistics; 0: all the time, as small batches need it."""
    frozen_backbone: bool = False
    """Only what follows the backbone learns."""

    @model_validator(mode="after")
    def _whole_steps(self) -> StageSection:
        if self.samples < self.batch:
            raise ValueError(f"samples: expected at least one batch of {self.batch}, got {self.samples}")
        return self


class DistillSection(_Section):
    """The teacher and the weights of what the student learns from it."""

    teacher: str
    """A checkpoint, the name of packaged weights, or `published:DIR`."""
    features: float = 1.5
    hints: float = 0.4
    """Mean error between the pieces of the backbone: behind every block, or every stage or so of a smaller student."""
    head_parts: float = 0.2
    logits: float = 0.5
    scores: float = 2.0
    distances: float = 0.3
    boxes: float = 3.0
    turn: Share = 0.0
    """Of the search crops those that are turned by any angle; the teacher needs no box to answer."""
    sides: tuple[Annotated[int, Field(ge=2 * STRIDE, multiple_of=STRIDE)], ...] = ()
    """Of what the student sees of a search crop, end to end, in pixels: one of them each step. None: always the whole, as its teacher."""
    patch: Count = 96
    """Side of the patches from which blocks learn, in pixels."""
    patches: Count = 4
    """Patches from each search crop."""
    redraw: Annotated[int, Field(ge=0)] = 0
    """In stages `blocks`: steps after which some units begin again, and blocks that got worse by it go back; 0 is off."""
    redraw_until: Share = 0.6
    """Share of the stage in which that happens."""


class ValidationSection(_Section):
    """Sequences that are tracked after every epoch; their mean IoU is `val_iou`."""

    dataset: str = "folder"
    root: Path
    names: tuple[str, ...] | None = None
    max_frames: Count | None = None
    every: Count = 1
    """Epochs."""


class MachineSection(_Section):
    """Where it runs; may differ when a run is resumed."""

    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: Count | Literal["auto"] = "auto"
    nodes: Count = 1
    precision: Literal["32", "bf16", "16"] = "32"
    pictures: Literal["disk", "memory", "device"] = "disk"
    """Where decoded pictures stay: nowhere, in memory, or on the graphics card, which then cuts the crops too."""
    canvas: Count = 512
    """Longest side of pictures on the device."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Processes that prepare samples, for each device."""
    threads: Count | None = None
    save_minutes: Positive = 4.0
    """Between two checkpoints, so no more than this is ever lost."""


class Recipe(_Section):
    """A whole training run."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    licence: str = "MIT"
    provenance: str = ""
    """Goes into the weights' card."""
    seed: Annotated[int, Field(ge=0)] = 0
    network: NetworkSection = NetworkSection()
    data: Annotated[tuple[DataSection, ...], Field(min_length=1)]
    sampling: Sampling = Sampling()
    photometric: Photometric = Photometric()
    losses: LossSection = LossSection()
    distill: DistillSection | None = None
    validation: ValidationSection | None = None
    machine: MachineSection = MachineSection()
    stages: Annotated[tuple[StageSection, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ValueError(f"stages: expected names that differ, got {', '.join(names)}")
        for stage in self.stages:
            if stage.kind != "track" and self.distill is None:
                raise ValueError(f"stages: {stage.name} is a {stage.kind} stage, which needs a section distill with a teacher")
            if stage.kind == "track" and self.sampling.without_boxes:
                raise ValueError(f"stages: {stage.name} learns from boxes, so sampling.without_boxes must be false")
            if (stage.schedule == "plateau" or stage.stop_after is not None) and self.validation is None:
                raise ValueError(f"stages: {stage.name} looks at validation, which the recipe does not have")
        return self

    def to_toml(self) -> str:
        """The recipe with every value that holds."""
        return tomli_w.dumps(json.loads(self.model_dump_json(exclude_none=True)))


def load_recipe(path: Path, changes: Mapping[str, Any] = MappingProxyType({})) -> Recipe:
    """Reads a recipe.

    Args:
        path: A `.toml` file.
        changes: Other values than the file's by key, such as `{"stages.0.epochs": 3}`; a number in a key counts the entries of a list.

    Raises:
        ConfigError: no such file, not TOML, an unknown key or a value out of range; the message names it.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: expected a recipe, {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected a recipe in TOML ({error})") from error
    for key, value in changes.items():
        _set(values, key, value)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'recipe'}: {_told(fault)}" for fault in error.errors())
        raise ConfigError(f"{path}: {faults}") from error


def _told(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown key"
    if fault["type"] == "missing":
        return "expected a value, got none"
    if fault["type"] == "value_error":
        return str(fault["msg"]).removeprefix("Value error, ")
    return f"expected otherwise ({fault['msg']}), got {fault['input']!r}"


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    place: Any = values
    for name in parents:
        place = _child(place, name, key)
    if isinstance(place, list):
        _child(place, last, key)
        place[int(last)] = value
    else:
        place[last] = value


def _child(place: Any, name: str, key: str) -> Any:
    if isinstance(place, list):
        if not name.isdecimal() or int(name) >= len(place):
            raise ConfigError(f"{key}: expected a number below {len(place)}, got {name!r}")
        return place[int(name)]
    child = place.setdefault(name, {})
    if not isinstance(child, dict | list):
        raise ConfigError(f"{key}: expected a section before the dot, but {name} is a value")
    return child
