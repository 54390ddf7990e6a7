"""Names of files as people write them."""

from __future__ import annotations

from pathlib import Path


def home_path(path: Path) -> Path:
    """A path that begins with `~` lies in the home folder, unless there is something of this very name.

    Shells replace the sign only where a word begins with it, so not in `--output=~/seen.mp4`.
    """
    if path.parts[:1] and path.parts[0].startswith("~") and not Path(path.parts[0]).exists():
        return path.expanduser()
    return path
