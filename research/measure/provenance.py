"""Where the figures of a page come from: the line below its introduction."""

from __future__ import annotations

import os
import subprocess
from datetime import date
from pathlib import Path

from fear.runtime.processor import processor


def provenance(command: str) -> str:
    """Says with which command, at which commit, on which machine and on which day a page was measured.

    Args:
        command: What writes the page.
    """
    today = date.today()
    return f"Command: `{command}`. Commit: {_commit()}. Machine: {processor()}, {os.cpu_count()} cores. Date: {today.day} {today:%B %Y}."


def _commit() -> str:
    """The short name of the commit, and whether the files differ from it."""

    def git(*arguments: str) -> str:
        return subprocess.run(("git", *arguments), cwd=Path(__file__).parent, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = " with changes" if git("status", "--porcelain", "--untracked-files=no") else ""
        return f"`{git('rev-parse', '--short', 'HEAD')}`{changed}"
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
