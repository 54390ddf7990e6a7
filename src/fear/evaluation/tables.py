"""Tables in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from tabulate import tabulate

ABSENT = "–"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts; the first column is aligned to the left, the others to the right."""
    table: str = tabulate(list(rows), head, tablefmt="github", disable_numparse=True, colalign=("left", *["right"] * (len(head) - 1)))
    return table


def number(value: float, digits: int = 3) -> str:
    """A number with some digits after the point, or a dash for NaN."""
    return ABSENT if math.isnan(value) else f"{value:.{digits}f}"
