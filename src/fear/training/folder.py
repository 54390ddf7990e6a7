"""The folder of a run: who may begin in it, who may go on in it, and what a failed start leaves behind.

| file in the run's folder | holds |
|---|---|
| `recipe.toml` | the recipe as run, with every default |
| `difficulty.json` | with `sampling.hard`: how often each clip is drawn |
| `STAGE/time-step=K.ckpt`, `STAGE/epoch-step=K.ckpt` | what a run resumes from: saved every few minutes, on Ctrl-C, and after every epoch |
| `STAGE/metrics.csv` | losses and val_iou, also for TensorBoard; `metrics-000.csv` and so on before resumptions |
| `STAGE/batch.png`, `STAGE/curves.png` | the first batch of the last epoch; losses and val_iou over steps |
| `STAGE/weights.safetensors`, `weights.safetensors` | the weights that came out |
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fear.errors import ConfigError
from fear.parsing import parse_toml
from fear.training.recipe import Recipe

RECIPE = "recipe.toml"
_UNFINISHED = f".{RECIPE}"
"""The recipe while it is written; it stays where the run is killed meanwhile."""

_OURS: set[Path] = set()
"""Folders in which this process began or resumed a run."""

_CHECKPOINT = re.compile(r"-step=(?P<steps>\d+)(-v\d+)?\.ckpt$")
"""Names of checkpoints; Lightning adds a version where the name is taken."""

DIFFICULTY = "difficulty.json"
WEIGHTS = "weights.safetensors"

_BEFORE_RESULTS = ("metrics.csv", "hparams.yaml", "events.out.tfevents.*", "batch.png", "curves.png")
"""What lies in the folder of a stage before its first checkpoint."""


@contextmanager
def run_folder(recipe: Recipe, folder: Path, resume: bool) -> Iterator[None]:
    """Holds the folder of a run while it is prepared and while it runs.

    A new run begins only in an empty folder, since a recipe there may be the user's own. The recipe is not written before the run is
    prepared, see `begin`. A run that ends with an error before its first checkpoint leaves nothing behind, so that the same command can be
    given again.

    Raises:
        ConfigError: the folder holds something else, or no run to resume.
    """
    existed = folder.exists()
    if resume:
        _check_same(recipe, folder)
        _OURS.add(folder.resolve())
    elif not is_worker():
        _check_free(folder)
    try:
        yield
    except BaseException:
        if not resume and not is_worker() and not _is_taken(folder) and not _has_results(folder):
            _clear(recipe, folder)
            if not existed:
                _remove_if_empty(folder)
        raise


def begin(recipe: Recipe, folder: Path) -> None:
    """Writes the recipe as run: from here on the folder belongs to this run.

    Raises:
        ConfigError: another run began there in the meantime.
    """
    if is_worker():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if _is_taken(folder):
        raise ConfigError(f"{folder}: expected a new folder, got one in which another run began just now")
    _OURS.add(folder.resolve())
    unfinished = folder / _UNFINISHED
    unfinished.write_text(recipe.to_toml(), encoding="utf-8")
    unfinished.replace(folder / RECIPE)


def _is_taken(folder: Path) -> bool:
    """Whether a run of another process began there."""
    return (folder / RECIPE).exists() and folder.resolve() not in _OURS


def newest_checkpoint(stage_folder: Path) -> Path | None:
    """The checkpoint of the most steps that was written to its end; None where there is none."""
    found = [(int(match["steps"]), path) for path in stage_folder.glob("*.ckpt") if (match := _CHECKPOINT.search(path.name))]
    whole = [(steps, path) for steps, path in found if zipfile.is_zipfile(path)]
    return max(whole)[1] if whole else None


def remove_half_checkpoints(stage_folder: Path) -> None:
    """Removes checkpoints that were not written to their end, as on a full disk."""
    for path in stage_folder.glob("*.ckpt"):
        if not is_worker() and not zipfile.is_zipfile(path):
            path.unlink(missing_ok=True)


def set_aside(table: Path) -> None:
    """Renames the metrics of the part before a resumption, which the logger would delete."""
    if table.is_file() and not is_worker():
        earlier = len(list(table.parent.glob("metrics-*.csv")))
        table.rename(table.with_name(f"metrics-{earlier:03d}.csv"))


def is_worker() -> bool:
    """Whether the trainer of another process started this one, for a device of its own."""
    return os.environ.get("LOCAL_RANK", "0") != "0" or os.environ.get("NODE_RANK", "0") != "0"


def _check_same(recipe: Recipe, folder: Path) -> None:
    written = folder / RECIPE
    if not written.is_file():
        raise ConfigError(f"{folder}: expected a run to resume, found no {RECIPE} there")
    ours, theirs = (_flat(parse_toml(text)) for text in (recipe.to_toml(), written.read_text(encoding="utf-8")))
    differing = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
    if differing:
        told = "; ".join(f"{key} is {theirs.get(key, 'not set')!r} there and {ours.get(key, 'not set')!r} now" for key in differing)
        raise ConfigError(
            f"{written}: expected the recipe of that run, in which only the section machine may change: {told}. "
            f"This goes on with it: fear train {written} --output {folder} --resume"
        )


def _flat(values: Any, place: str = "") -> dict[str, Any]:
    """The values of a recipe by their key, without the section machine."""
    if isinstance(values, dict):
        entries = [(f"{place}.{name}" if place else name, value) for name, value in values.items()]
    elif isinstance(values, list) and values and isinstance(values[0], dict):
        entries = [(f"{place}.{number}", value) for number, value in enumerate(values)]
    else:
        return {place: values}
    return {key: value for name, part in entries if name != "machine" for key, value in _flat(part, name).items()}


def _check_free(folder: Path) -> None:
    """Checks that nothing would be overwritten; a recipe that a killed start left unfinished does not count."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: expected a new folder, got a file")
    names = sorted(path.name for path in folder.iterdir() if path.name != _UNFINISHED) if folder.exists() else []
    if names:
        found = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        raise ConfigError(f"{folder}: expected a new folder, or --resume to go on with the run there; got one that holds {found}")


def _has_results(folder: Path) -> bool:
    return any(folder.glob("*/*.ckpt")) or any(folder.rglob(WEIGHTS))


def _clear(recipe: Recipe, folder: Path) -> None:
    """Removes what a run wrote that has no results; the folder held nothing else when the run began."""
    for name in (DIFFICULTY, _UNFINISHED, RECIPE):
        (folder / name).unlink(missing_ok=True)
    for stage in recipe.stages:
        for pattern in _BEFORE_RESULTS:
            for path in (folder / stage.name).glob(pattern):
                path.unlink()
        _remove_if_empty(folder / stage.name)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
