"""Frozen configurations of network and tracker, and the presets of the family.

A configuration is checked when it is made. Numbers of numpy and fractions become plain numbers then. It is stored as JSON inside the
weights file and read back by `from_dict`, which refuses unknown keys. Numbers: FEAR (arXiv 2112.07957) and its published code, as marked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, Self, get_args

from fear.errors import ConfigError

Backbone = Literal["fbnet_c", "fbnetc_100", "fbnet_c_slim", "resnet50", "regnet_x_8gf"]

STRIDE = 16
"""Pixels of a crop for one cell of its map. Every backbone is cut at this stride (paper)."""


_LARGEST = 1e9
"""No rule of a tracker has a use for a larger number."""

_WIDEST, _LARGEST_SIDE = 65_536, 4096
"""Channels, and pixels of a crop's side; what needs more is a mistake."""

_MOST_SEARCHES = 1000
"""Of one frame; so many need seconds."""

_RENAMED = {"calm_search_size": "steady_search_size", "calm_score": "steady_score", "calm_step": "steady_step"}


class _Config:
    """Base of all configurations: conversion to and from plain dictionaries."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Returns a configuration made from plain values.

        Raises:
            ConfigError: a key is unknown; the message names it and the valid ones.
        """
        valid = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        unknown = sorted(set(values) - set(valid))
        for key in set(unknown) & _RENAMED.keys():
            raise ConfigError(f"{cls.__name__}: {key} is called {_RENAMED[key]} now")
        if unknown:
            raise ConfigError(f"{cls.__name__}: unknown key {', '.join(unknown)}; valid keys are {', '.join(valid)}")
        try:
            return cls(**values)
        except TypeError as error:
            raise ConfigError(f"{cls.__name__}: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON; `from_dict` makes an equal configuration of them."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    def _require(self, condition: bool, field: str, expected: str) -> None:
        if not condition:
            raise ConfigError(f"{type(self).__name__}.{field}: expected {expected}, got {getattr(self, field)!r}")

    def _make_plain(self) -> None:
        """Turns numbers of numpy and fractions into plain numbers."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            object.__setattr__(self, field.name, _plain(getattr(self, field.name)))

    def _require_numbers(self) -> None:
        """Checks that every value is of the kind that its field says: a switch, a whole or a finite number, or None."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value, kinds = getattr(self, field.name), str(field.type).split(" | ")
            if value is None and "None" in kinds:
                continue
            if "bool" in kinds:
                self._require(isinstance(value, bool), field.name, "True or False")
            else:
                kind = Integral if "int" in kinds else Real
                number = isinstance(value, kind) and not isinstance(value, bool) and abs(value) < _LARGEST  # type: ignore[operator]
                self._require(number, field.name, f"a {'whole' if kind is Integral else 'finite'} number within ±1e9")


def _plain(value: Any) -> Any:
    """A number of any kind as an int or a float; other values as they are."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    try:
        return int(value) if isinstance(value, Integral) else float(value)
    except OverflowError:  # a fraction that no configuration accepts
        return value


@dataclass(frozen=True, slots=True)
class NetworkConfig(_Config):
    """The parts of one network of the family.

    Attributes:
        name: The name that users give, such as `fear-xs`.
        backbone: `fbnet_c` as the published code builds it, `fbnetc_100` as timm does (an expansion convolution in every block),
            `fbnet_c_slim` with fewer blocks and hidden channels (FEAR-nano, ours), `resnet50` and `regnet_x_8gf` as torchvision does.
        template_backbone: Backbone of a separate encoder for templates (ours). It runs once for a template, so it may be larger than the
            backbone for searches. None: both use the same encoder (paper).
        separable: Separable convolutions after the backbone (published FEAR-XS) instead of regular ones (FEAR-M, FEAR-L).
        width: Number of channels after the backbone; 256 in the published code.
        template_size: Side of the template crop in pixels; 128 in the paper.
        search_size: Side in pixels of a search crop that shows all of `TrackerConfig.search_context`; 256 in the paper. The network takes
            any multiple of 16.
        least_search_size: Side in pixels of the smallest search crop that suits the weights. Weights that were trained on larger crops are
            as good with 176 as with 192 pixels, and worse below (docs/results/rules.md).
        folded: Whether batch norms are merged into the convolutions before them.
    """

    name: str
    backbone: Backbone
    separable: bool
    width: int = 256
    template_backbone: Backbone | None = None
    template_size: int = 128
    search_size: int = 256
    least_search_size: int = 176
    folded: bool = False

    def __post_init__(self) -> None:
        self._make_plain()
        self._require(self.backbone in get_args(Backbone), "backbone", f"one of {', '.join(get_args(Backbone))}")
        own = self.template_backbone
        self._require(own is None or own in get_args(Backbone), "template_backbone", f"None or one of {', '.join(get_args(Backbone))}")
        self._require(isinstance(self.name, str), "name", "text")
        for field in ("separable", "folded"):
            self._require(isinstance(getattr(self, field), bool), field, "True or False")
        for field in ("width", "template_size", "search_size", "least_search_size"):
            value = getattr(self, field)
            self._require(isinstance(value, int) and not isinstance(value, bool), field, "a whole number")
        self._require(0 < self.width <= _WIDEST, "width", f"1 to {_WIDEST} channels")
        for field in ("template_size", "search_size", "least_search_size"):
            size = getattr(self, field)
            self._require(
                0 < size <= _LARGEST_SIDE and size % STRIDE == 0, field, f"a positive multiple of {STRIDE}, {_LARGEST_SIDE} at most"
            )

    @property
    def template_cells(self) -> int:
        """Number of cells along one side of the template's map: 8 for 128 pixels."""
        return self.template_size // STRIDE

    @property
    def template_shape(self) -> tuple[int, int, int]:
        """Shape of the template features of one target: (C, 8, 8) for a template crop of 128 pixels."""
        return self.width, self.template_cells, self.template_cells

    @property
    def search_cells(self) -> int:
        """Number of cells along one side of the search map: 16 for 256 pixels."""
        return self.search_size // STRIDE


FEAR_XS = NetworkConfig("fear-xs", "fbnet_c", separable=True)
FEAR_NANO = NetworkConfig("fear-nano", "fbnet_c_slim", separable=True, width=128)
FEAR_M = NetworkConfig("fear-m", "resnet50", separable=False)
FEAR_L = NetworkConfig("fear-l", "regnet_x_8gf", separable=False)

PRESETS = {config.name: config for config in (FEAR_NANO, FEAR_XS, FEAR_M, FEAR_L)}


@dataclass(frozen=True, slots=True)
class TrackerConfig(_Config):
    """The rules around the network. They need no training.

    Example:
        >>> TrackerConfig(window=0.3).redetection
        True
        >>> TrackerConfig(window=2)
        Traceback (most recent call last):
        fear.errors.ConfigError: TrackerConfig.window: expected a number from 0 to 1, got 2

    Examples:
        >>> import fear
        >>> rules = fear.TrackerConfig(search_size=256, steady_search_size=None)  # searches of five boxes, always
        >>> rules.window
        0.38
        >>> tracker = fear.Tracker("fear-xs", config=rules)

    Attributes:
        dynamic_template: Renews the second template from the video (paper).
        update_interval: Frames between two renewals; 70 is our choice.
        template_context: The template crop shows the box and this part of its size on every side. 0.2 in the published code; 0.25 measured
            better with its weights and fear-xs (docs/results/rules.md).
        search_context: The search crop of the network shows the box and this part of its size on every side, which is five times the box at
            2.0 (published code).
        search_size: Side of the square that is searched, in pixels of that crop. The middle 192 of 256 pixels measured as good as the
            whole, for 0.56 of the work (docs/results/rules.md). It is never larger than what the network knows.
        steady_search_size: The same for a steady target, which was found with at least `steady_score` in the frame before and moved by at
            most `steady_step`. It is never smaller than what the weights know (`NetworkConfig.least_search_size`). None: always
            `search_size`. 144 measured as good as 192 from many starts, and 128 cost 0.005 AUC (research/journal.md).
        steady_score: Least score of a steady target, 0 to 1. With such a score only `least_similarity` can make a frame doubtful.
        steady_step: Largest step of the centre of a steady target from frame to frame, in widths or heights of its box.
        window: Weight of a cosine window over the score map, 0 to 1. The published code knows 0.38 and has it off.
        penalty: Strength of the penalty on a changed scale or ratio; 0 is off. The published code knows 0.062 and has it off.
        size_rate: Share of the new size in the box, multiplied with score and penalty; None takes the new size whole. The published code
            knows 0.765 and has it off.
        lost_score: A frame is doubtful while the score is below, 0 to 1. This and the next rules are our choice.
        lost_similarity: A frame is doubtful while the similarity is below this share of what is usual for the target.
        least_similarity: The same, whatever the score: what is found there is another object. Of 30,032 right frames with a score of at
            least 0.95, fear-xs has none below 0.6.
        doubt_frames: A target is lost after so many doubtful frames, one after the other, or after one at a cut to another scene.
        camera_motion: Looks again in a doubtful frame where the target would be if only the camera had moved. A small target leaves its
            search when the camera jerks; then this keeps it. Where the frame before shows another scene, a doubtful target is lost at once.
            Both compare with the frame before, so they do nothing for programs that write every frame into the same array.
        redetection: Looks for a lost target in the whole picture, and keeps its box until it is found. Off: the box follows whatever is
            most like the target.
        redetection_work: Most searches of a frame while a target is lost, the local one included; each takes as long as that of a steady
            target.
        found_score: Least score of what may be a lost target, 0 to 1.
        found_similarity: Least similarity of it, as a share of what is usual for the target.
        found_frames: A lost target counts as found when the local search confirmed it in so many frames in a row. A candidate from
            elsewhere in the picture was seen once more before.

    Raises:
        ConfigError: A value is out of range.
    """

    dynamic_template: bool = True
    update_interval: int = 70
    template_context: float = 0.25
    search_context: float = 2.0
    search_size: int = 192
    steady_search_size: int | None = 144
    steady_score: float = 0.95
    steady_step: float = 0.25
    window: float = 0.38
    penalty: float = 0.062
    size_rate: float | None = 0.765
    lost_score: float = 0.5
    lost_similarity: float = 0.75
    least_similarity: float = 0.5
    doubt_frames: int = 5
    camera_motion: bool = True
    redetection: bool = True
    redetection_work: int = 3
    found_score: float = 0.8
    found_similarity: float = 0.8
    found_frames: int = 2

    def __post_init__(self) -> None:
        self._make_plain()
        self._require_numbers()
        self._require(self.update_interval >= 1, "update_interval", "at least one frame")
        self._require(self.template_context >= 0, "template_context", "a number from 0 up")
        self._require(self.search_context > 0, "search_context", "a number above 0")
        self._require(self.search_size > 0 and self.search_size % STRIDE == 0, "search_size", f"a positive multiple of {STRIDE}")
        steady = self.steady_search_size
        self._require(
            steady is None or (steady > 0 and steady % STRIDE == 0), "steady_search_size", f"None or a positive multiple of {STRIDE}"
        )
        self._require(0 <= self.steady_score <= 1, "steady_score", "a number from 0 to 1")
        self._require(self.steady_step >= 0, "steady_step", "a number from 0 up")
        self._require(0 <= self.window <= 1, "window", "a number from 0 to 1")
        self._require(self.penalty >= 0, "penalty", "a number from 0 up")
        self._require(self.size_rate is None or 0 < self.size_rate <= 1, "size_rate", "None or a number above 0, up to 1")
        for field in ("lost_score", "lost_similarity", "least_similarity", "found_score", "found_similarity"):
            self._require(0 <= getattr(self, field) <= 1, field, "a number from 0 to 1")
        self._require(1 <= self.redetection_work <= _MOST_SEARCHES, "redetection_work", f"1 to {_MOST_SEARCHES}")
        for field in ("doubt_frames", "found_frames"):
            self._require(getattr(self, field) >= 1, field, "at least one")
