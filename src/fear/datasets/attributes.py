"""What makes the clips of a benchmark hard, as its toolkit says it.

Toolkits have a folder `att` with one file for each clip, which holds a 0 or a 1 for each attribute, in an order of their own. pysot's
tables, such as `OTB100.json`, list the attributes of a clip by name under `attr`. Either may lie in the root of the data set. Where there
is neither, clips have no attributes, and evaluation works without.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fear.datasets.files import find, read_flags
from fear.errors import DatasetError
from fear.parsing import parse_json

OTB = (
    "illumination variation",
    "out-of-plane rotation",
    "scale variation",
    "occlusion",
    "deformation",
    "motion blur",
    "fast motion",
    "in-plane rotation",
    "out of view",
    "background clutter",
    "low resolution",
)
"""In the order of `anno/att/NAME.txt` of the OTB toolkit."""

UAV123 = (
    "scale variation",
    "aspect ratio change",
    "low resolution",
    "fast motion",
    "full occlusion",
    "partial occlusion",
    "out of view",
    "background clutter",
    "illumination variation",
    "viewpoint change",
    "camera motion",
    "similar object",
)
"""In the order of `anno/UAV123/att/NAME.txt`."""

LASOT = (
    "illumination variation",
    "partial occlusion",
    "deformation",
    "motion blur",
    "camera motion",
    "rotation",
    "background clutter",
    "viewpoint change",
    "scale variation",
    "full occlusion",
    "fast motion",
    "out of view",
    "low resolution",
    "aspect ratio change",
)
"""In the order of `annos/att/NAME.txt` of the LaSOT toolkit."""

_FOLDERS = ("att", "anno/att", "annos/att", "anno/UAV123/att", "sequence_evaluation_config/att")


class Attributes:
    """Attributes of the clips below a root.

    Args:
        root: Folder of the data set.
        words: The attributes in the order of the toolkit's flags.

    Raises:
        DatasetError: A table is damaged.
    """

    def __init__(self, root: Path, words: Sequence[str]) -> None:
        self._words = words
        self._files = {path.stem.lower(): path for folder in _FOLDERS for path in find(root, f"{folder}/*.txt")}
        self._named: dict[str, tuple[str, ...]] = {}
        for table in find(root, "*.json"):
            self._named |= _read_table(table, words)

    def of(self, name: str) -> tuple[str, ...]:
        """The attributes of a clip; none where nothing says them. Capital letters in names do not matter.

        Raises:
            DatasetError: A file of flags is damaged.
        """
        path = self._files.get(name.lower())
        if path is None:
            return self._named.get(name.lower(), ())
        return tuple(word for word, flag in zip(self._words, read_flags(path, len(self._words)), strict=True) if flag)


def _read_table(table: Path, words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What a table of pysot says; nothing where it is another kind of JSON."""
    try:
        content = parse_json(table.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{table}: expected JSON, got: {error}") from error
    known = {_plain(word): word for word in words}
    entries = content.items() if isinstance(content, dict) else ()
    return {
        str(name).lower(): tuple(known.get(_plain(str(word)), str(word).lower()) for word in entry["attr"])
        for name, entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("attr"), list)
    }


def _plain(word: str) -> str:
    """An attribute without what the ways of writing it differ in: capitals, hyphens, plural."""
    return word.lower().replace("-", " ").replace("ration change", "ratio change").removesuffix("s")
