"""Results that others have made, shown beside ours: one text file of boxes for each clip, as the toolkits write them.

    DIR/NAME.txt                OTB, LaSOT, UAV123, NFS, TrackingNet, pytracking and pysot
    DIR/NAME/NAME_001.txt       GOT-10k, of several runs the first
    DIR/…/NAME.txt              one folder deeper, as in `tracker/lasot/NAME.txt`

A line is `x,y,w,h`, separated by commas, tabs, spaces or semicolons. `NAME_time.txt` beside it holds seconds, where it is there.

Toolkits write boxes as the data set does: those of OTB and UAV123 count pixels from 1, others from 0. The first box of a result is
usually the given one. Where it says otherwise in most clips, it is believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from fear.annotations.formats.text import number_lines, read_text
from fear.datasets.clip import Clip
from fear.datasets.files import find, read_boxes
from fear.errors import ConfigError, DatasetError
from fear.evaluation.jobs import Job, Outcome
from fear.evaluation.metrics import Floats
from fear.evaluation.ownership import claim_tracker
from fear.evaluation.results import write_outcome
from fear.evaluation.trackers import Spec

_FROM_ONE = ("otb", "uav123")
_EQUAL = 0.05  # pixels by which the first box may differ from the given one, since toolkits round


def adopt_results(name: str, folder: Path, dataset: str, clips: Sequence[Clip], results: Path) -> Path:
    """Copies results of others into the folder of an evaluation.

    Args:
        name: What the report calls them.
        folder: Where they lie.
        dataset: Name of the layout.
        clips: Of the evaluation, with the frames before their targets appear; those without a result are left out.
        results: Folder `results` of the evaluation.

    Returns:
        The folder of the tracker.

    Raises:
        ConfigError: The name is empty, or holds only dots, slashes and spaces.
        DatasetError: There are no results of these clips, or one of them is damaged or too short.
    """
    if not name.strip("./\\ "):
        raise ConfigError(f"results: expected NAME=DIR with a name for the report, got {name}={folder}")
    files = _find(folder, clips)
    known = [clip for clip in clips if clip.name in files]
    seen = {clip.name: clip.from_first_box() for clip in known}
    boxes = {clip.name: _read(files[clip.name], clip)[-len(seen[clip.name]) :] for clip in known}
    origin = _origin(dataset, [(boxes[name], clip) for name, clip in seen.items()])
    key = {"tracker": name, "source": _digest(_texts(folder)), "results": f"of others, pixels counted from {origin}"}
    target = claim_tracker(results, Spec(name).folder_name, key)
    for whole in known:
        clip = seen[whole.name]
        unknown = np.full(len(clip), np.nan)
        seconds = _seconds(files[clip.name], whole)[-len(clip) :]
        moved = boxes[clip.name] - (origin, origin, 0, 0)
        write_outcome(Job(Spec(name), clip, target), Outcome(moved, seconds, unknown, np.zeros(len(clip), bool)))
    return target


def _find(folder: Path, clips: Sequence[Clip]) -> dict[str, Path]:
    """The file of each clip that has one. Capital letters in names do not matter."""
    if not folder.is_dir():
        raise DatasetError(f"{folder}: expected a folder with results, found nothing there")
    files: dict[str, Path] = {}
    for path in _texts(folder):
        stem, inner = path.stem.lower(), path.parent.name.lower()
        files.setdefault(inner if stem == f"{inner}_001" else stem, path)
    found = {clip.name: files[clip.name.lower()] for clip in clips if clip.name.lower() in files}
    if not found:
        kinds = sorted({path.suffix for path in folder.rglob("*") if path.is_file()}) or ["none"]
        matlab = "; turn MATLAB's files into text first" if ".mat" in kinds else ""
        raise DatasetError(f"{folder}: expected results such as {clips[0].name}.txt, got files {', '.join(kinds)} of other names{matlab}")
    return found


def _texts(folder: Path) -> list[Path]:
    return find(folder, "*.txt", "*/*.txt", "*/*/*.txt")


def _read(path: Path, clip: Clip) -> Floats:
    """The boxes of a clip, (F, 4)."""
    boxes = read_boxes(path)
    if len(boxes) < len(clip):
        raise DatasetError(f"{path}: expected a box for each of {len(clip)} frames, got {len(boxes)}")
    return boxes[: len(clip)]  # an evaluation may look at the first frames alone


def _origin(dataset: str, pairs: Sequence[tuple[Floats, Clip]]) -> int:
    """The coordinate of the first pixel in results, 0 or 1."""
    votes = [0, 0]
    for boxes, clip in pairs:
        for origin in (0, 1):
            votes[origin] += int(np.abs(boxes[0] - (origin, origin, 0, 0) - clip.boxes_xywh[0]).max() <= _EQUAL)
    usual = int(dataset in _FROM_ONE)
    return 1 - usual if votes[1 - usual] > len(pairs) / 2 else usual


def _seconds(path: Path, clip: Clip) -> Floats:
    """Seconds of each frame; NaN where no file says them."""
    stem = path.stem.removesuffix("_001")
    times = path.with_name(f"{stem}_time.txt")
    if not times.is_file():
        return np.full(len(clip), np.nan)
    try:
        seconds = np.array([float(fields[0]) for _, fields in number_lines(read_text(times))])
    except ValueError as error:
        raise DatasetError(f"{times}: expected seconds, one line for each frame ({error})") from error
    return seconds[: len(clip)] if len(seconds) >= len(clip) else np.full(len(clip), np.nan)


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()
