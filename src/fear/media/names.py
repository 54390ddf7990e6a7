"""Names of files as people write them."""

from __future__ import annotations

from pathlib import Path

from fear.errors import FearError


def exists(path: Path) -> bool:
    """Whether something has this name; no file has a name that is too long or holds a NUL."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def home_path(path: Path) -> Path:
    """A path that begins with `~` lies in the home folder, unless there is something of this very name.

    Shells replace the sign only where a word begins with it, so not in `--output=~/seen.mp4`.

    Raises:
        FearError: There is no such user, or no home folder.
    """
    if path.parts[:1] and path.parts[0].startswith("~") and not exists(Path(path.parts[0])):
        try:
            return path.expanduser()
        except RuntimeError as error:
            raise FearError(f"{path}: expected the name of a user with a home folder after ~, or a full path ({error})") from error
    return path
