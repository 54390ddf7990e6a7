"""Which data and which tracker the results in a folder belong to.

    OUTPUT/data.json                        the data set, and a digest of each clip
    OUTPUT/results/<tracker>/key.json       what decides the boxes: weights, rules, what computes

A tracker's folder belongs to one key. When another checkpoint or another rule comes under the same name, the folder moves to
`<tracker>@<digest of its key>` and comes back with its key, so that no result is shown for another tracker and none is lost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fear.datasets.clip import Clip
from fear.datasets.frames import VideoFrame
from fear.errors import DatasetError
from fear.evaluation.results import KINDS
from fear.parsing import parse_json
from fear.weights.store import write_text_whole

_REMEDY = "give another --output, or remove that folder"
_SHOWN = 8  # characters of a digest in the name of a folder


def claim_data(output: Path, dataset: str, max_frames: int | None, clips: Sequence[Clip]) -> list[str]:
    """Notes which data the results of a folder belong to. A folder that has none yet may belong to any data.

    Args:
        output: Folder of the evaluation.
        dataset: Name of the layout.
        max_frames: Number of frames to which clips are cut.
        clips: As they will be tracked.

    Returns:
        Names of all clips that the folder has results of, those of earlier calls first.

    Raises:
        DatasetError: The folder holds results of other data, or two clips would have the same files.
    """
    path = output / "data.json"
    _require_own_files([clip.name for clip in clips])
    digests = {clip.name: _digest_of_clip(clip) for clip in clips}
    claimed: dict[str, Any] = {"dataset": dataset, "max_frames": max_frames, "clips": digests}
    known = _read_data(path) if path.is_file() else None
    if known is not None and any((output / "results").rglob("*.txt")):
        other = sorted(name for name, digest in digests.items() if known["clips"].get(name, digest) != digest)
        for field in ("dataset", "max_frames"):
            if known[field] != claimed[field]:
                raise DatasetError(f"{output}: expected results with {field} {claimed[field]}, found some with {known[field]}; {_REMEDY}")
        if other:
            raise DatasetError(f"{output}: expected results of these clips, found those of other data under the name {other[0]}; {_REMEDY}")
        claimed["clips"] = known["clips"] | digests
    output.mkdir(parents=True, exist_ok=True)
    write_text_whole(path, json.dumps(claimed, indent=1) + "\n")
    return list(claimed["clips"])


def _read_data(path: Path) -> dict[str, Any]:
    """What `claim_data` wrote in an earlier call."""
    try:
        known = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: expected what an earlier evaluation wrote ({error}); {_REMEDY}") from error
    if not isinstance(known, dict) or not isinstance(known.get("clips"), dict) or not {"dataset", "max_frames"} <= known.keys():
        raise DatasetError(f"{path}: expected what an earlier evaluation wrote, got something else; {_REMEDY}")
    return known


def _require_own_files(names: Sequence[str]) -> None:
    """Checks that no clip has the name of another clip's file, such as `x_time` beside `x`."""
    files = {f"{name}_{kind}": name for name in names for kind in KINDS}
    clash = next((name for name in names if name in files), None)
    if clash is not None:
        raise DatasetError(f"{clash}: expected another name of this clip, which is that of a file with results of {files[clash]}")


def claim_tracker(results: Path, folder_name: str, key: dict[str, Any]) -> Path:
    """Makes the folder of a tracker belong to a key.

    Args:
        results: Folder `results`.
        folder_name: Name of the tracker's folder.
        key: As `trackers.identify` returns it.

    Returns:
        The folder, with the results of this key alone.
    """
    folder = results / folder_name
    if folder.is_dir() and read_key(folder) != key:
        _move_aside(folder)
    earlier = results / f"{folder_name}@{_digest_of_key(key)}"
    if not folder.is_dir() and earlier.is_dir():
        earlier.rename(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_text_whole(folder / "key.json", json.dumps(key, indent=1) + "\n")
    return folder


def read_key(folder: Path) -> dict[str, Any] | None:
    """The key of a tracker's folder; None where there is none."""
    try:
        key = parse_json((folder / "key.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return key if isinstance(key, dict) and isinstance(key.get("tracker"), str) else None


def tracker_folders(results: Path, first: Sequence[Path]) -> dict[str, Path]:
    """The folders of all trackers that have results, by the names that reports give them.

    Args:
        results: Folder `results`.
        first: Folders of the trackers of this call, which come first.
    """
    others = sorted(path.parent for path in results.glob("*/key.json") if path.parent not in first)
    named = {}
    for folder in (*first, *others):
        key = read_key(folder)
        if key is not None:
            suffix = f"@{_digest_of_key(key)}"
            named[key["tracker"] + (suffix if folder.name.endswith(suffix) else "")] = folder
    return named


def _move_aside(folder: Path) -> None:
    key = read_key(folder)
    target = folder.with_name(f"{folder.name}@{_digest_of_key(key) if key else 'unknown'}")
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{target.name.rpartition('-')[0] or target.name}-{number}")
    folder.rename(target)


def _digest_of_key(key: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:_SHOWN]


def _digest_of_clip(clip: Clip) -> str:
    """Changes when a clip becomes another one: by its first box, the number and names of its frames, or the size of its first file."""
    first = clip.frames[0]
    file = first.video if isinstance(first, VideoFrame) else first
    names = [f"{one.video.name}#{one.index}" if isinstance(one, VideoFrame) else one.name for one in clip.frames]
    size = file.stat().st_size if file.is_file() else 0
    content = json.dumps([clip.boxes_xywh[0].round(4).tolist(), names, size])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
