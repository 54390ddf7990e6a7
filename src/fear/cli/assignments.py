"""The one grammar of `--set`, which every command with that option shares: `KEY=VALUE`.

KEY is a name, or names with dots between them. VALUE is written as in TOML: a number, `true` or `false`, text in quotes, a list in square
brackets. `null` and `none` mean no value, which TOML cannot say. Anything else is text without quotes, such as a path.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import typer

from fear.parsing import parse_toml

_WORDS = {"null": None, "none": None, "true": True, "false": False}


def parse_assignment(text: str) -> tuple[str, Any]:
    """Splits one `KEY=VALUE` and reads its value.

    Raises:
        typer.BadParameter: there is no key, or no equals sign.

    Example:
        >>> parse_assignment("stages.0.rate=3e-4")
        ('stages.0.rate', 0.0003)
        >>> parse_assignment("validation.root=own/held out")
        ('validation.root', 'own/held out')
    """
    key, found, value = text.partition("=")
    key = key.strip()
    if not found or not key:
        raise typer.BadParameter(f"expected KEY=VALUE, got {text!r}", param_hint="--set")
    return key, parse_value(value)


def parse_value(text: str) -> Any:
    """Reads a value; text that is no TOML value is taken as it stands."""
    text = text.strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        values = parse_toml(f"value = {text}")
    except ValueError:
        return text
    return values["value"] if len(values) == 1 else text  # the text may hold further lines


def parse_assignments(texts: Iterable[str] | None) -> dict[str, Any]:
    """All assignments of a command line; where a key comes twice, the last one holds."""
    return dict(parse_assignment(text) for text in texts or ())


def parse_rules(texts: Iterable[str] | None) -> dict[str, float | bool | None]:
    """The rules of trackers among `--set` options: assignments whose values are numbers, `true`, `false` or `null`.

    Raises:
        typer.BadParameter: a value is something else.
    """
    rules = parse_assignments(texts)
    for name, value in rules.items():
        if value is not None and not isinstance(value, bool | int | float):
            raise typer.BadParameter(f"expected a number, true, false or null for {name}, got {value!r}", param_hint="--set")
    return rules
