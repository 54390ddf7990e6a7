"""Writes the pages of the documentation site that follow from the code; mkdocs-gen-files runs this file at every build.

- `reference/commands.md`: each command of `fear` with its arguments and options, read from the typer application.
- `reference/recipe.md`: each key of a training recipe with its type, range, default and meaning, read from the pydantic models, and the
  recipes that come with the project.
- `changelog.md`: the project's changelog.

The pages exist only while the site is built, so nobody can edit them by hand.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import griffe
import mkdocs_gen_files
import typer
from pydantic import BaseModel

from fear.cli import app
from fear.training.recipe import Recipe

ROOT = Path(__file__).parents[1]

COMMANDS = """# Commands

This page is generated from the program. `fear COMMAND --help` prints the same text.

Every command ends with exit code 0 on success, 2 on a wrong argument, and 1 on any other error. An error is one line on stderr. It says
what was expected and what was found.
"""

RECIPE = """# Recipe keys

This page is generated from the models in `fear.training.recipe`. A recipe is one TOML file; `fear train RECIPE` runs it. Every key can
be changed on the command line: `--set stages.0.epochs=3`. A number in the path counts the entries of a list, from 0. A wrong key or value
is an error that names it. [Train](../guides/train.md) explains how the sections work together.
"""


KINDS_OF_OPTIONS = {"int": "INT", "int range": "INT", "float": "NUMBER", "float range": "NUMBER", "path": "PATH"}
"""How the page calls the types of options; the others are text."""

KINDS = {"integer": "whole number", "number": "number", "boolean": "`true` or `false`", "string": "text"}
"""How the page calls the types of a JSON schema."""


def main() -> None:
    """Writes all generated pages."""
    write("reference/commands.md", "\n".join([COMMANDS, *command_sections(typer.main.get_command(app), "fear")]))
    write("reference/recipe.md", "\n".join([RECIPE, *recipe_sections(Recipe), *shipped_recipes()]))
    write("changelog.md", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def write(path: str, text: str) -> None:
    """Adds one page to the site."""
    with mkdocs_gen_files.open(path, "w") as file:
        file.write(text)


def command_sections(command: Any, name: str) -> Iterator[str]:
    """One section for each command, groups of commands resolved.

    Args:
        command: A command or group as typer builds it; its classes are private to typer, so they are not named here.
        name: What the user types.
    """
    commands = getattr(command, "commands", None)
    if commands is not None:
        for child in sorted(commands):
            yield from command_sections(commands[child], f"{name} {child}")
        return
    context = command.make_context(name, [], resilient_parsing=True)
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    required = [f"{p.opts[0]} {p.metavar or p.name.upper()}" for p in options if p.required]
    usage = " ".join([name, *(p.metavar or p.name.upper() for p in arguments), *required])
    yield f"## {name}\n\n{command.help}\n\n```bash\n{usage}\n```\n"
    records = [p.get_help_record(context) for p in (*arguments, *options)]
    rows = [(f"`{_names(record[0])}`", _cell(record[1])) for record in records if record is not None]
    if rows:
        yield table(("argument or option", "meaning"), rows)


def recipe_sections(model: type[BaseModel], title: str = "Top level", path: str = "") -> Iterator[str]:
    """One section for a model of the recipe and one for each model inside it.

    Args:
        model: A pydantic model.
        title: The heading.
        path: The TOML path of this section.
    """
    described = griffe.load(model.__module__, search_paths=[ROOT / "src"])[model.__name__]
    properties = model.model_json_schema()["properties"]
    rows, inner = [], []
    for name, field in model.model_fields.items():
        child = _model_inside(field.annotation)
        docstring = described.members[name].docstring if name in described.members else None
        meaning = field.description or (docstring.value if docstring else "")
        if child is None:
            default = "required" if field.is_required() else _default(field.default)
            rows.append((f"`{name}`", _values(properties[name]), default, _cell(meaning)))
        else:
            repeated = properties[name].get("type") == "array"
            inner.append((child, f"[[{path}{name}]]" if repeated else f"[{path}{name}]", f"{path}{name}."))
    heading = title if title == "Top level" else f"`{title}`"
    yield f"## {heading}\n\n{(model.__doc__ or '').strip()}\n\n" + table(("key", "values", "default", "meaning"), rows)
    for child, section, inner_path in inner:
        yield from recipe_sections(child, section, inner_path)


def shipped_recipes() -> Iterator[str]:
    """The recipes of the project, whole, with what their first comment says."""
    yield "## Recipes of the project\n"
    for path in sorted((ROOT / "recipes").glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        name = tomllib.loads(text)["name"]
        yield (
            f'??? example "recipes/{path.name}: {name}"\n\n    ```toml\n'
            + "".join(f"    {line}\n" for line in text.splitlines())
            + "    ```\n"
        )


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines) + "\n"


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    """The model of a field that is a section, an optional section or a list of sections."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_inside(part)
        if found is not None:
            return found
    return None


def _values(schema: dict[str, Any]) -> str:
    """What a key accepts, in words, from its JSON schema."""
    if "anyOf" in schema:
        return " or ".join(_values(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema["type"] == "array":
        parts = schema.get("prefixItems") or [schema["items"]]
        return f"list of {' and '.join(_values(part) for part in parts)}"
    kind = KINDS[schema["type"]]
    if schema.get("multipleOf"):
        kind = f"multiple of {schema['multipleOf']}"
    for key, word in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below")):
        if key in schema:
            kind += f" {word} {schema[key]:g}"
    return kind


def _default(value: Any) -> str:
    """A default as TOML would write it; nothing where the key is simply absent."""
    if value is None or value == "" or value == ():
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{list(value) if isinstance(value, tuple) else value}`"


def _cell(text: str) -> str:
    """Text on one line that does not end a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _names(text: str) -> str:
    """The names of an option; of its type only what helps: `--threads <int range>` becomes `--threads INT`."""
    head, found, kind = _cell(text).partition(" <")
    if not found or not head.startswith("-"):
        return head
    return f"{head} {KINDS_OF_OPTIONS.get(kind.removesuffix('>'), 'TEXT')}"


main()
