from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from fear.cli.assignments import parse_assignments
from fear.errors import ConfigError
from fear.training.recipe import Recipe, load_recipe

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))
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


def test_defaults_are_the_papers(small: Path) -> None:
    recipe = load_recipe(small)
    assert (recipe.losses.triplet, recipe.losses.regression, recipe.losses.classification) == (0.5, 1, 1)
    assert (recipe.sampling.distance, recipe.sampling.distance_limit, recipe.sampling.distance_epoch) == (70, 150, 15)
    assert recipe.sampling.search_scale == (0.65, 1.35)


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
        ("stages.0.kind=dance", r"stages\.0\.kind: .*'track'.*got 'dance'"),
        ("stages.0.batch=5", "at least one batch of 5, got 4"),
        ("stages.0.kind=blocks", "needs a section distill"),
        ("stages.0.schedule=plateau", "looks at validation"),
        ("sampling.without_boxes=true", "learns from boxes"),
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
