"""JSON and TOML from files that anybody may have written: whatever is wrong with them is a `ValueError`."""

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
