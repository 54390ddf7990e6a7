"""Who walks the paths: the installation that `FEAR_JOURNEYS` names, such as that of the wheel in an empty environment, or this one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fear.geometry.boxes import Box
from fear.media.image import Image

PYTHON = os.environ.get("FEAR_JOURNEYS", "")
"""The other installation's Python. Empty for this one; then commands run within this process, since starting is most of their time."""

ENVIRONMENT = {name: value for name, value in os.environ.items() if not (PYTHON and name == "PYTHONPATH")}
"""Of its processes: modules of this installation must not come along."""

Command = Callable[..., str]
"""Runs a command or a program with these arguments, and returns what it prints."""


class Clip(NamedTuple):
    """A video and what is known about it."""

    path: Path
    images: list[Image]
    boxes_xywh: list[Box]
    """Of the target; in the frames without it, where it was last."""

    @property
    def box(self) -> str:
        """The first box as `--box` takes it."""
        return ",".join(f"{value:.1f}" for value in self.boxes_xywh[0])
