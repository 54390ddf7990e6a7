"""The sections of a recipe: every key with its type, its default and what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fear.config import PRESETS, STRIDE, Backbone, NetworkConfig

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Side = Annotated[int, Field(ge=2 * STRIDE, multiple_of=STRIDE)]


class Section(BaseModel):
    """A part of a recipe. Unknown keys and numbers that are not finite are errors, and values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class NetworkSection(Section):
    """The network to train, and the weights that it starts from."""

    preset: str = "fear-xs"
    """The member of the family: `fear-nano`, `fear-xs`, `fear-m` or `fear-l`. The keys below change single values of it."""
    backbone: Backbone | None = None
    """The backbone of the search encoder; `fbnetc_100` is the FBNet-C for which timm has ImageNet weights."""
    template_backbone: Backbone | None = None
    """The backbone of an encoder that sees templates only. Without it, templates and searches share one encoder (paper)."""
    width: Count | None = None
    """Channels behind the backbone."""
    search_size: Side | None = None
    """Side of a search crop that shows the whole search context, in pixels."""
    least_search_size: Side | None = None
    """Side of the smallest search crop that trackers may use with these weights, in pixels."""
    weights: str | None = None
    """The weights to start from: the name of packaged weights, a checkpoint, or `published:DIR`. Where templates have an encoder of their
    own there, it is taken over."""
    imagenet: Path | None = None
    """A file with ImageNet weights for the backbone, from torchvision or timm."""
    dynamic_weight: Share | None = None
    """w, the share of the dynamic template, before the first step. Without it, that of the weights, or the one of a fresh network."""

    @model_validator(mode="after")
    def _known(self) -> NetworkSection:
        if self.preset not in PRESETS:
            raise ValueError(f"preset: expected one of {', '.join(PRESETS)}; got {self.preset!r}")
        if self.weights is not None and self.imagenet is not None:
            raise ValueError("expected weights or imagenet, got both")
        return self

    def config(self) -> NetworkConfig:
        """The preset with the values that the recipe changes."""
        fields = ("backbone", "template_backbone", "width", "search_size", "least_search_size")
        changed = {field: getattr(self, field) for field in fields if getattr(self, field) is not None}
        return NetworkConfig.from_dict(PRESETS[self.preset].to_dict() | changed)


class DataSection(Section):
    """One data set of the mix."""

    dataset: str
    """The layout of the data set, such as `folder`, `images`, `clips`, `manifest`, `got10k` or `lasot`."""
    root: Path
    """The folder of the data set; of the layout `manifest`, its table."""
    weight: Positive = 1.0
    """Share of the samples, relative to the other data sets."""


class SamplingSection(Section):
    """Which frames make a sample, and what its crops show."""

    distance: Annotated[int, Field(ge=0)] = 70
    """Largest distance between the static template and the search, in frames. It grows from the 16th epoch on (published code)."""
    search_ratio: Share = 0.0
    """Spread of the search window's ratio of width to height, as a logarithm; our addition."""
    absent: Share = 0.0
    """Share of the samples whose search does not show the target; our addition."""
    recent: Annotated[int, Field(ge=0)] | None = None
    """Largest distance between the dynamic template and the search, in frames. Without it the dynamic template lies anywhere between static
    template and search. Our addition."""
    shaken: Share = 0.0
    """Share of the dynamic templates that are cut at a box which is a little wrong, as in tracking; our addition."""
    turned: Share = 0.0
    """Share of the search crops of stages `track` that are turned by one, two or three quarters; our addition."""
    search_sides: tuple[Side, ...] = ()
    """Sides of the search crops in stages `track`, in pixels: one of them in each step. Without any, searches have the largest side."""
    hard: bool = False
    """Clips that the weights at the start cannot follow are drawn more often; our addition."""
    without_boxes: bool = False
    """Pictures without boxes make samples too, with invented boxes: for distillation, where the teacher answers."""
    labelled: Share = 0.35
    """With `without_boxes`: share of the samples around true boxes, in clips that have some."""


class PhotometricSection(Section):
    """Changes of light, colour and sharpness. Every value is the probability of a change."""

    joint: Share = 0.3
    """Brightness, contrast and saturation of a whole sample, that is, of all its crops alike."""
    each: Share = 0.2
    """Brightness, contrast and saturation of a single crop."""
    grey: Share = 0.05
    """A whole sample without colours."""
    blur: Share = 0.1
    """Blur of a single crop."""
    motion: Share = 0.05
    """Motion blur of a single crop."""
    noise: Share = 0.1
    """Noise in a single crop."""


class ComposeSection(Section):
    """Objects that are pasted into crops, and targets that lose detail. Every share is a probability for one sample; our addition."""

    objects: Path
    """A folder of the layout `images` whose table names masks and kinds of its boxes."""
    neighbours: Share = 0.5
    """Searches with one to three other objects beside the target."""
    occluded: Share = 0.2
    """Searches in which an object covers a part of the target."""
    pasted: Share = 0.2
    """Samples whose target is itself a pasted object, on the pictures of a clip or a still."""
    small: Share = 0.2
    """Samples that are shrunk until the target has 6 to 20 pixels, and enlarged again."""


class AnchorSection(Section):
    """A teacher whose answers stand beside the labels in stages `track`, in samples whose true box it finds."""

    teacher: str
    """The name of packaged weights, a checkpoint, or `published:DIR`."""
    scores: Weight = 1.0
    """Weight of the difference between both score maps."""
    boxes: Weight = 1.0
    """Weight of the difference between the logarithms of the distances, at the target."""
    features: Weight = 0.0
    """Weight of the error of the search features, relative to their variance; counted in all samples."""
    labels: Share = 1.0
    """Weight of the labels in samples where the teacher is right; elsewhere it is 1."""
    static: Share = 0.0
    """Share of the steps with the static template alone, as the teacher has it. Above 0, only these steps compare scores and boxes with the
    teacher, so that the teacher does not hold down w, and labels count in full in the other steps."""


class LossSection(Section):
    """Options of the losses of FEAR, in stages `track`."""

    balanced: bool = False
    """Balanced cross-entropy, as in the published code, instead of the focal loss of the paper."""
    negative: Weight = 0.0
    """Weight of the classification of negative crops; our addition."""
    strangers: Weight = 0.0
    """Weight of the classification of targets that are searched with the template of another sample; our addition."""


class StageSection(Section):
    """A part of the run with its own goal, length and optimiser."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
    """Name of the stage and of its folder."""
    kind: Literal["track", "blocks", "heads", "whole"] = "track"
    """`track` learns with the losses of FEAR; `blocks`, `heads` and `whole` are the steps of distillation."""
    epochs: Count
    """Length of the stage; validation, curves and a checkpoint follow each epoch."""
    samples: Count
    """Samples in each epoch, over all devices and machines."""
    batch: Count = 128
    """Samples of one step on one device."""
    optimiser: Literal["adamw", "soap"] = "adamw"
    """SOAP (arXiv 2409.11321) is Adam in the eigenbasis of the gradients; it brings stages `blocks` further in the same time."""
    rate: Positive = 1e-3
    """Learning rate."""
    schedule: Literal["cosine", "plateau", "constant"] = "cosine"
    """How the rate falls: along a cosine, by half when validation no longer improves, or not at all."""
    patience: Count = 5
    """Epochs without a better validation after which a plateau halves the rate."""
    stop_after: Count | None = None
    """Epochs without a better validation after which the stage ends; 20 in the published code."""
    warm_up: Annotated[int, Field(ge=0)] = 100
    """Steps in which the rate rises from zero."""
    clip: Positive = 5.0
    """Largest norm of the gradient; a longer one is shortened."""
    average: Annotated[float, Field(ge=0, lt=1)] = 0.998
    """Decay of the moving average of the weights, which validation and result use."""
    freeze_norms: Share = 1.0
    """Share of the stage after which batch norms keep their statistics; 0 keeps them all the time, as small batches need it."""
    keep: Share = 0.0
    """Share of the weights with which the stage began in those that it gives. Weights between both ends of fine-tuning are often better
    than either (WiSE-FT, arXiv 2109.01903)."""
    frozen_backbone: bool = False
    """Only the layers behind the backbone and its AdjustLayer learn."""
    backbone_rate: Share = 1.0
    """Learning rate of the backbones and their AdjustLayers, as a share of `rate`."""

    @model_validator(mode="after")
    def _whole_steps(self) -> StageSection:
        if self.samples < self.batch:
            raise ValueError(f"samples: expected at least one batch of {self.batch}, got {self.samples}")
        return self


class DistillSection(Section):
    """The teacher of the stages `blocks`, `heads` and `whole`, and what it is asked."""

    teacher: str
    """The name of packaged weights, a checkpoint, or `published:DIR`."""
    hints: Weight = 0.4
    """Weight of the mean error between the pieces of the backbone, in stages `whole`."""
    rotate: Share = 0.0
    """Share of the search crops that are rotated by any angle; the teacher needs no box to answer."""
    sub_crop_sides: tuple[Side, ...] = ()
    """Sides of the part of a search crop that the student sees in stages `whole`, in pixels: one of them in each step. Without any, it sees
    all that its teacher sees."""
    patch: Count = 96
    """Side of the patches from which stages `blocks` learn, in pixels."""
    patches: Count = 4
    """Patches from each search crop."""
    reinitialise: Annotated[int, Field(ge=0)] = 0
    """Steps of stages `blocks` after which some units are initialised again; a block that gets worse by it goes back. 0 is off."""


class ValidationSection(Section):
    """Clips that are tracked before the first step and after every epoch; their mean IoU is `val_iou`."""

    dataset: str = "folder"
    """The layout of the data set."""
    root: Path
    """The folder of the data set."""
    max_frames: Count | None = None
    """Only the first frames of each clip."""
    every: Count = 1
    """Epochs between two validations."""


class MachineSection(Section):
    """Where the run computes. These keys alone may change when a run is resumed."""

    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """The kind of device; `auto` takes a graphics card where there is one."""
    devices: Count | Literal["auto"] = "auto"
    """Devices on each machine, one process each."""
    nodes: Count = 1
    """Machines."""
    precision: Literal["32", "bf16", "16"] = "32"
    """Bits of the activations."""
    pictures: Literal["disk", "memory", "device"] = "disk"
    """Where decoded pictures stay: nowhere, in memory, or on the graphics card, which then cuts the crops too."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Processes that prepare samples, for each device."""
    threads: Count | None = None
    """Threads of torch in each process; without it torch takes all cores."""
