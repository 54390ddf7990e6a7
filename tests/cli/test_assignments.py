from __future__ import annotations

from typing import Any

import pytest
import typer

from fear.cli.assignments import parse_assignment, parse_assignments, parse_rules


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=3", 3),
        ("a=3e-4", 3e-4),
        ("a=true", True),
        ("a=False", False),
        ("a=null", None),
        ("a=None", None),
        ("a=[128, 160]", [128, 160]),
        ('a="quoted = text"', "quoted = text"),
        ("a=own/held out", "own/held out"),
        ("a=published:folder", "published:folder"),
        ("a=x=y", "x=y"),
        ("a=", ""),
    ],
)
def test_values_are_read_as_in_toml_and_anything_else_is_text(text: str, value: Any) -> None:
    key, read = parse_assignment(text)
    assert (key, read) == ("a", value)
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["seed", "=3", ""])
def test_an_assignment_without_key_or_equals_sign_is_a_usage_error(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected KEY=VALUE"):
        parse_assignment(text)


def test_the_last_of_two_assignments_holds() -> None:
    assert parse_assignments(["a.b=1", "c=2", "a.b=3"]) == {"a.b": 3, "c": 2}
    assert parse_assignments(None) == {}


def test_rules_are_numbers_switches_or_nothing() -> None:
    assert parse_rules(["window=0.38", "dynamic_template=false", "size_rate=null"]) == {
        "window": 0.38,
        "dynamic_template": False,
        "size_rate": None,
    }
    with pytest.raises(typer.BadParameter, match="expected a number, true, false or null for window, got 'wide'"):
        parse_rules(["window=wide"])
