from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from fear.cli.assignments import parse_assignments
from fear.errors import ConfigError
from fear.training.old_keys import REMOVED, RENAMED
from fear.training.recipe import Recipe, find_recipe, load_recipe, shipped_recipes
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

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))
SECTION_KEYS: dict[str, type[Section]] = {
    "network": NetworkSection,
    "data": DataSection,
    "sampling": SamplingSection,
    "photometric": PhotometricSection,
    "compose": ComposeSection,
    "losses": LossSection,
    "anchor": AnchorSection,
    "distill": DistillSection,
    "validation": ValidationSection,
    "machine": MachineSection,
    "stages": StageSection,
}
SMALL = """
name = "small"
[[data]]
dataset = "folder"
root = "here"
[[stages]]
name = "track"
epochs = 1
samples = 4
batch = 2
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_loads_and_is_named_as_its_file(path: Path) -> None:
    assert load_recipe(path).name == path.stem


def test_the_promised_recipes_are_there() -> None:
    assert {"got10k", "full", "own_videos", "fear_m", "fear_l", "distill_xs", "smoke"} <= {path.stem for path in RECIPES}


def test_changes_reach_values_sections_and_lists(small: Path) -> None:
    recipe = load_recipe(
        small, {"seed": 3, "machine.devices": 2, "stages.0.rate": 0.5, "network.preset": "fear-m", "data.0.root": "/elsewhere"}
    )
    assert (recipe.seed, recipe.machine.devices, recipe.stages[0].rate) == (3, 2, 0.5)
    assert recipe.network.config().backbone == "resnet50"
    assert recipe.data[0].root == Path("/elsewhere")


def test_written_recipe_reads_back_equal(small: Path) -> None:
    recipe = load_recipe(small, {"network.weights": "fear-xs"})
    assert Recipe.model_validate(tomllib.loads(recipe.to_toml())) == recipe


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("lerning=1", "lerning: unknown key"),
        ("stages.0.rat=1", r"stages\.0\.rat: unknown key"),
        ("stages.0.rate=-1", r"stages\.0\.rate: expected otherwise .*got -1"),
        ("stages.0.rate=inf", r"stages\.0\.rate: expected otherwise .*finite.*got inf"),
        ("losses.negative=inf", r"losses\.negative: .*finite"),
        ("data.0.weight=inf", r"data\.0\.weight: .*finite"),
        ("stages.0.rate=nan", r"stages\.0\.rate: "),
        ("stages.0.kind=dance", r"stages\.0\.kind: .*'track'.*got 'dance'"),
        ("stages.0.batch=5", "at least one batch of 5, got 4"),
        ("stages.0.kind=blocks", "needs a section distill"),
        ("stages.0.schedule=plateau", "looks at validation"),
        ("sampling.without_boxes=true", "learns from boxes"),
        ("distill.turn=0.3", r"distill\.turn: this key is called distill\.rotate now"),
        ("losses.region=inside", r"losses\.region: this key was removed, because positive cells form a diamond"),
        ("stages.0.weight_decay=0", r"stages\.0\.weight_decay: this key was removed"),
        ("sampling.sides=[128]", r"sampling\.sides: this key is called sampling\.search_sides now"),
        ("sampling.hard=true", r"sampling\.hard: expected network\.weights"),
        ("network.preset=fear-xxl", "one of fear-nano, fear-xs, fear-m, fear-l; got 'fear-xxl'"),
        ("stages.1.rate=1", "a number below 1, got '1'"),
        ("name.a=1", "expected a section before the dot, but name is a value"),
    ],
)
def test_mistakes_are_named(small: Path, change: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_recipe(small, parse_assignments([change]))


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a recipe, No such file"):
        load_recipe(tmp_path / "no.toml")
    (tmp_path / "broken.toml").write_text("name = ")
    with pytest.raises(ConfigError, match="expected a recipe in TOML"):
        load_recipe(tmp_path / "broken.toml")
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(ConfigError, match="name: expected a value, got none; data: expected a value"):
        load_recipe(tmp_path / "empty.toml")


def test_every_key_has_a_docstring_for_the_reference() -> None:
    assert all(field.description for key, field in Recipe.model_fields.items() if key not in SECTION_KEYS)
    for name, section in SECTION_KEYS.items():
        assert section.__doc__
        for key, field in section.model_fields.items():
            assert field.description, f"{name}.{key}"


def test_every_key_is_set_by_a_recipe_or_has_a_purpose() -> None:
    """Keys that no shipped recipe sets must say why they are there."""
    with_purpose = {
        "seed": "runs are repeated with other samples to compare them",
        "network.width": "members of other sizes are tried out",
        "network.search_size": "members of other sizes are tried out",
    }
    used: set[str] = set()
    for path in RECIPES:
        for section, part in tomllib.loads(path.read_text(encoding="utf-8")).items():
            entries = part if isinstance(part, list) else [part]
            used |= {f"{section}.{key}" for entry in entries if isinstance(entry, dict) for key in entry} | {section}
    known = {key for key in Recipe.model_fields if key not in SECTION_KEYS}
    known |= {f"{name}.{key}" for name, section in SECTION_KEYS.items() for key in section.model_fields}
    assert known - used == set(with_purpose)


def test_old_keys_are_no_keys_of_today() -> None:
    known = {f"{name}.{key}" for name, section in SECTION_KEYS.items() for key in section.model_fields}
    assert set(RENAMED.values()) <= known
    assert not (RENAMED.keys() | REMOVED.keys()) & known


def test_recipes_that_were_never_run_say_so_in_their_first_line() -> None:
    first = {path.stem: path.read_text(encoding="utf-8").splitlines()[0] for path in RECIPES}
    assert {name for name, line in first.items() if "NEVER RUN TO ITS END" not in line} == {"smoke", "distill_nano", "default_nano"}


def test_shipped_recipes_are_found_by_name(tmp_path: Path) -> None:
    assert find_recipe("own_videos").name == "own_videos.toml"
    assert set(shipped_recipes()) == {path.stem for path in RECIPES}
    mine = tmp_path / "mine.toml"
    mine.write_text(SMALL)
    assert find_recipe(str(mine)) == mine
    with pytest.raises(ConfigError, match=r"nothing: expected a recipe's file, or one of the recipes .*own_videos.*; found neither"):
        find_recipe("nothing")
