"""The documentation describes the code as it is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import fear

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
MAP = (ROOT / "docs" / "design" / "map.md").read_text(encoding="utf-8")


def test_map_names_every_room() -> None:
    packages = {path.name for path in (ROOT / "src" / "fear").iterdir() if (path / "__init__.py").is_file()} - {"__pyinstaller"}  # a hook
    tree = set(re.findall(r"^[├└]─ (\w+)/", MAP, re.MULTILINE))
    assert tree == packages


def test_map_draws_the_packages_in_the_order_that_the_linter_holds() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    packages = re.findall(r"^[├└]─ (\w+)/", MAP, re.MULTILINE)
    assert packages == [layer.removeprefix("fear.") for layer in reversed(layers) if layer.removeprefix("fear.") in packages]


@pytest.mark.parametrize("room", re.findall(r"^[├└]─ (\w+)/", MAP, re.MULTILINE))
def test_readme_names_every_room_of_the_map(room: str) -> None:
    tree = (ROOT / "README.md").read_text(encoding="utf-8").partition("## The tree")[2].partition("## ")[0]
    assert re.search(rf"\b{room}\b", tree)


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "research" / "journal.md"], ids=lambda path: path.name
)
def test_links_of_pages_outside_the_site_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize(
    "page", [ROOT / "docs" / "results.md", *sorted((ROOT / "docs" / "results").glob("*.md"))], ids=lambda path: path.name
)
def test_results_have_no_empty_cell(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    empty = [line for line in text.splitlines() if line.startswith("|") and re.search(r"\| *[–-]? *(?=\|)", line.rstrip("|"))]
    assert not empty
    if page.name != "results.md":
        assert re.search(r"Command: `[^`]+`. Commit: `[^`]+`.*\. Machine: .+\. Date: .+\.", text), "says where its figures come from"


def test_every_public_name_has_its_place_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    missing = [name for name in fear.__all__ if name != "__version__" and not re.search(rf"\bfear\.{name}\b", page)]
    assert not missing


@pytest.mark.parametrize(
    "name",
    [
        "Model",
        "MultiTracker",
        "Track",
        "Tracker",
        "TrackerConfig",
        "VideoWriter",
        "draw_tracks",
        "evaluate",
        "models",
        "open_source",
        "track",
    ],
)
def test_help_of_public_names_stands_alone(name: str) -> None:
    documentation = getattr(fear, name).__doc__ or ""
    assert "Examples:" in documentation
    assert "Args:" in documentation or "Attributes:" in documentation or name == "models"  # which takes nothing
    assert ": as for" not in documentation.lower()


def test_programs_on_pages_are_those_of_the_examples() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    included = re.findall(r'^--8<-- "([^"]+)"$', text, re.MULTILINE)
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == {Path(name).name for name in included}
    assert all((ROOT / name).is_file() for name in included)


def test_no_page_loads_anything_from_elsewhere() -> None:
    for page in PAGES:
        assert not re.search(r"!\[[^\]]*\]\(\w+://|<(script|img|iframe)\b", page.read_text(encoding="utf-8")), page
