"""Recipes: one TOML file for each training run, read into checked values.

A recipe names the network, the data, how samples are drawn and changed, and one or more stages that follow each other. The sections and
their keys stand in `sections`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import tomli_w
from pydantic import Field, ValidationError, model_validator

from fear.errors import ConfigError
from fear.parsing import parse_toml
from fear.training.old_keys import find_old_keys
from fear.training.sections import (
    AnchorSection,
    ComposeSection,
    DataSection,
    DistillSection,
    LossSection,
    MachineSection,
    NetworkSection,
    PhotometricSection,
    SamplingSection,
    Section,
    StageSection,
    ValidationSection,
)

_BESIDE_CODE = Path(__file__).with_name("recipes")  # in an installed package
_IN_REPOSITORY = Path(__file__).parents[3] / "recipes"


class Recipe(Section):
    """A whole training run."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    """Name of the run and of its folder."""
    licence: str = "MIT"
    """Licence of the weights, for their card."""
    provenance: str = ""
    """Where the weights come from, for their card."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of samples, changes and fresh weights."""
    network: NetworkSection = NetworkSection()
    data: Annotated[tuple[DataSection, ...], Field(min_length=1)]
    sampling: SamplingSection = SamplingSection()
    photometric: PhotometricSection = PhotometricSection()
    compose: ComposeSection | None = None
    losses: LossSection = LossSection()
    anchor: AnchorSection | None = None
    distill: DistillSection | None = None
    validation: ValidationSection | None = None
    machine: MachineSection = MachineSection()
    stages: Annotated[tuple[StageSection, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ValueError(f"stages: expected names that differ, got {', '.join(names)}")
        if self.compose is not None and self.machine.pictures == "device":
            raise ValueError("compose: objects are pasted on the processor, so machine.pictures must be disk or memory")
        if self.sampling.hard and self.network.weights is None:
            raise ValueError("sampling.hard: expected network.weights, with which clips are followed; got none")
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


def shipped_recipes() -> dict[str, Path]:
    """The recipes that come with the package, by name."""
    folder = _BESIDE_CODE if _BESIDE_CODE.is_dir() else _IN_REPOSITORY
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find_recipe(name: str) -> Path:
    """The recipe of that path, or the shipped one of that name.

    Raises:
        ConfigError: there is neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = shipped_recipes()
    if name in shipped:
        return shipped[name]
    raise ConfigError(f"{name}: expected a recipe's file, or one of the recipes {', '.join(shipped)}; found neither")


def load_recipe(path: Path, changes: Mapping[str, Any] = MappingProxyType({})) -> Recipe:
    """Reads a recipe.

    Args:
        path: A `.toml` file.
        changes: Other values than the file's by key, such as `{"stages.0.epochs": 3}`; a number in a key counts the entries of a list.

    Raises:
        ConfigError: there is no such file, it is not TOML, or a key is unknown or a value out of range; the message names it.
    """
    try:
        values = parse_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: expected a recipe, {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: expected a recipe in TOML ({error})") from error
    for key, value in changes.items():
        _set(values, key, value)
    old = find_old_keys(values)
    if old:
        raise ConfigError(f"{path}: {'; '.join(old)}")
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'recipe'}: {_explain(fault)}" for fault in error.errors())
        raise ConfigError(f"{path}: {faults}") from error


def _explain(fault: Any) -> str:
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
    elif value is None:
        place.pop(last, None)  # the default holds
    else:
        place[last] = value


def _child(place: Any, name: str, key: str) -> Any:
    if isinstance(place, list):
        if not name.isdecimal() or len(name) > 6 or int(name) >= len(place):
            raise ConfigError(f"{key}: expected a number below {len(place)}, got {name!r}")
        return place[int(name)]
    child = place.setdefault(name, {})
    if not isinstance(child, dict | list):
        raise ConfigError(f"{key}: expected a section before the dot, but {name} is a value")
    return child
