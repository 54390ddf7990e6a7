"""Data sets, by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fear.datasets.base import Reader, Sequence
from fear.datasets.folder import read_folder
from fear.errors import DatasetError

__all__ = ["READERS", "Sequence", "read"]

READERS: dict[str, Reader] = {"folder": read_folder}


def read(dataset: str, root: Path, names: Iterable[str] | None = None) -> list[Sequence]:
    """Reads the sequences of a data set.

    Raises:
        DatasetError: an unknown name, or a tree of another layout.
    """
    if dataset not in READERS:
        raise DatasetError(f"dataset: expected one of {', '.join(READERS)}; got {dataset!r}")
    return READERS[dataset](root, names)
