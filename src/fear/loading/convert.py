"""Conversions between the forms of a model: published files → checkpoint → exported folder.

This is the only place that calls `fear.export`. Conversions for `load` are made once and kept in the cache folder under the digest of what
they were made from.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fear.errors import RuntimeMissingError
from fear.parsing import one_line
from fear.weights.card import WeightsCard, read_card
from fear.weights.store import DISK_FULL, cache_folder, sha256_of, temporary_cache, written_whole

if TYPE_CHECKING:
    from fear.export import Report

_log = logging.getLogger(__name__)

_CALIBRATION, _COMPARED = 128, {"fp32": 8, "fp16": 8, "int8": 48}  # pairs of crops
_INSTALL = "pip install 'fear-tracker[export]'"


def can_export() -> bool:
    """Whether the packages that an export needs are installed."""
    return all(importlib.util.find_spec(package) is not None for package in ("torch", "onnxscript"))


def export_checkpoint(
    checkpoint: Path,
    folder: Path,
    format: str = "onnx",
    precision: str = "fp32",
    pictures: Path | None = None,
    least_overlap: float | None = None,
) -> Report:
    """Exports a checkpoint and compares the result with torch on crops as trackers cut them.

    Args:
        checkpoint: A `.safetensors` file.
        folder: Where `embed`, `match` and `config.json` go; made where it is missing. An earlier export there is replaced,
            and other files stay.
        format: `onnx`, `openvino` or `coreml`.
        precision: `fp32`; `fp16` stores the weights as float16 (CoreML also computes so); `int8` quantises, for OpenVINO.
        pictures: Folder of pictures that the crops are cut from; None renders some.
        least_overlap: For int8: layers stay in float until the boxes overlap with the float network's by this much in the mean, 0 to 1.

    Raises:
        ExportError: a runtime gives other values than torch; nothing is written.
        ConfigError: unknown format or precision, or the folder holds other things.
        RuntimeMissingError: a package that the export needs is not installed.
        DatasetError: there are no pictures in `pictures`.
        WeightsError: the file is not a checkpoint, or is damaged.
    """
    if not can_export():
        raise RuntimeMissingError(f"{checkpoint}: converting a checkpoint needs torch and onnxscript: {_INSTALL}")
    try:
        from fear.export import CropSet, check_request, export
    except Exception as error:  # a broken installation may raise anything
        raise _incomplete(checkpoint, error) from error
    from fear.loading.crops import cut_pairs

    check_request(folder, format, precision)
    config, compared = read_card(checkpoint).network, _COMPARED[precision]
    wide = compared // 2
    pairs = cut_pairs(config, wide, pictures) + cut_pairs(config, compared - wide, pictures, steady=True)
    calibration = cut_pairs(config, compared + _CALIBRATION, pictures, steady=True)[compared:] if precision == "int8" else []
    return export(checkpoint, folder, CropSet(pairs, calibration), format, precision, least_overlap)


def _incomplete(source: object, error: Exception) -> RuntimeMissingError:
    """What to raise where a package is there, but cannot be imported."""
    return RuntimeMissingError(
        f"{source}: converting needs torch and onnxscript, and one of them does not work ({type(error).__name__}: {one_line(error)}): "
        "pip install --force-reinstall torch onnxscript"
    )


def export_to_cache(checkpoint: Path) -> Path:
    """Returns the checkpoint as an ONNX folder in the cache folder; it is named by the content of the checkpoint and made once.

    Raises:
        RuntimeMissingError: a package that the export needs is not installed.
        ExportError: a runtime gives other values than torch.
    """
    name = f"export-{sha256_of(checkpoint)[:20]}"
    return _made_once(name, checkpoint, lambda unfinished: export_checkpoint(checkpoint, unfinished), last="config.json")


def _made_once(name: str, source: Path, make: Callable[[Path], object], last: str = "") -> Path:
    """A conversion in the cache folder, which is made where it is not there yet; in a temporary folder where the disk is full.

    Args:
        name: Of the file or folder.
        source: What is converted, for messages.
        make: Writes it to a path.
        last: File in the folder that tells that it is there.
    """
    place = cache_folder()
    if not (place / name / last).is_file():
        _log.info("converting %s for the runtimes, once; the result is kept in %s", source, place / name)
        try:
            _make(place / name, make)
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            place = temporary_cache()
            _log.warning("%s; converting into a temporary folder, for this run alone", error)
            if not (place / name / last).is_file():
                _make(place / name, make)
    return place / name


def _make(path: Path, make: Callable[[Path], object]) -> None:
    with written_whole(path, keep_existing=True) as unfinished:
        make(unfinished)


def published_checkpoint(folder: Path) -> Path:
    """Returns the published network of a folder as a checkpoint in the cache folder, made once.

    Args:
        folder: With `Tracker.mlmodel` and `TrackerInit.mlmodel`.

    Raises:
        RuntimeMissingError: torch or coremltools is not installed.
        WeightsError: these are not the published files.
    """
    parts = folder / "Tracker.mlmodel", folder / "TrackerInit.mlmodel"
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in parts if path.is_file())).hexdigest()
    return _made_once(f"published-{digest[:20]}.safetensors", folder, lambda unfinished: import_published(*parts, unfinished))


def import_published(tracker: Path, tracker_init: Path, output: Path) -> WeightsCard:
    """Writes the published network as a checkpoint and returns its card.

    Args:
        tracker: `Tracker.mlmodel`, the whole network.
        tracker_init: `TrackerInit.mlmodel`, its part for templates.
        output: The checkpoint to write, `.safetensors`.

    Raises:
        RuntimeMissingError: torch or coremltools is not installed.
        WeightsError: these are not the published files.
    """
    try:
        from fear.network import save_checkpoint
        from fear.network.published import CARD, import_published
    except ImportError as error:
        raise RuntimeMissingError(f"the published files need torch and coremltools: {_INSTALL}") from error
    return save_checkpoint(import_published(tracker, tracker_init), output, CARD)
