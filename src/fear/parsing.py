"""JSON and TOML from files that anybody may have written: whatever is wrong with them is a `ValueError`. Their texts fit into one line."""

from __future__ import annotations

import json
import tomllib
from typing import Any

_MARK = "\ufeff"  # the byte order mark with which editors of Windows begin files in UTF-8


def parse_json(text: str | bytes) -> Any:
    """Reads JSON.

    Raises:
        ValueError: It is something else, or is nested too deeply.
    """
    try:
        return json.loads(text.removeprefix(_MARK) if isinstance(text, str) else text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def parse_toml(text: str) -> dict[str, Any]:
    """Reads TOML.

    Raises:
        ValueError: It is something else, is nested too deeply, or holds a number of thousands of digits.
    """
    try:
        return tomllib.loads(text.removeprefix(_MARK))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def one_line(text: object) -> str:
    """Returns the text with single spaces instead of line breaks and other white space, for the one line of a message."""
    return " ".join(str(text).split())
