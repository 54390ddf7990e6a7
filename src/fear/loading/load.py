"""Loads a network onto a runtime: OpenVINO, ONNX Runtime or torch, behind one protocol."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

from fear.config import TrackerConfig
from fear.errors import ConfigError, FearError, RuntimeMissingError
from fear.geometry.context import search_sides
from fear.loading.auto import fastest
from fear.loading.convert import can_export, export_to_cache
from fear.loading.reference import Model, find_model
from fear.parsing import one_line
from fear.runtime.memory import lacks_memory, too_little_memory
from fear.runtime.protocol import QUANTISED, Maps, Network
from fear.signals import is_interruption
from fear.weights import WeightsCard

__all__ = ["Maps", "Network", "computed_by", "describe", "load"]

_PACKAGES = {"openvino": "openvino", "onnx": "onnxruntime", "torch": "torch"}
"""The package that each runtime needs."""

_MOST_THREADS = 1024

_INT8 = "openvino int8"

_TORCH_DEVICES = ("cuda", "mps")
"""Graphics cards; on them torch runs without further installation."""


def load(
    model: str | Path | Model,
    *,
    runtime: str = "auto",
    device: str = "cpu",
    threads: int | None = None,
    rules: TrackerConfig | None = None,
) -> Network:
    """Loads a network onto a runtime.

    Args:
        model: A known name, a `.safetensors` checkpoint, an exported folder, or `published:DIR`; see `find_model`.
        runtime: `openvino`, `onnx`, `torch`, or `auto` for the fastest that is installed and can be loaded. At the first use on a machine
            `auto` measures them, which takes some seconds, and remembers the answer. With packaged weights it may take an int8 form, where
            that is clearly the fastest; its boxes differ slightly from those of the float form. No other runtime takes the int8 form.
        device: A device of that runtime, such as `cpu` or `cuda`.
        threads: Number of threads of the network; None leaves it to the runtime.
        rules: Rules of the tracker that the network is for; the network is prepared for their search crops. None: the default rules.

    Raises:
        ConfigError: no such runtime or device, or not a positive number of threads.
        WeightsError: no such model, or a damaged one.
        RuntimeMissingError: the runtime is not installed, does not work, or cannot run this form of the model.
        FearError: there is too little memory.
    """
    if runtime != "auto" and runtime not in _PACKAGES:
        raise ConfigError(f"runtime: expected auto, {', '.join(_PACKAGES)}; got {runtime!r}")
    if not isinstance(device, str):
        raise ConfigError(f"device: expected its name, such as cpu or cuda, got {device!r}")
    if threads is not None and (not isinstance(threads, int) or isinstance(threads, bool) or not 1 <= threads <= _MOST_THREADS):
        raise ConfigError(f"threads: expected a whole number from 1 to {_MOST_THREADS}, got {threads!r}")
    found = find_model(model)
    rules = rules or TrackerConfig()
    sides = search_sides(rules, found.card.network)
    loaders = _loaders(found, device, threads, sides)
    if runtime == "auto":
        candidates = {name: loaders[name] for name in _candidates(found, device)}
    elif _installed(runtime):
        candidates = {runtime: loaders[runtime]}
    else:
        raise RuntimeMissingError(f"runtime {runtime}: expected the package {_PACKAGES[runtime]}, which is not installed")
    packages = _PACKAGES | {_INT8: "openvino"}
    try:
        return fastest(candidates, packages, threads, found.name, side=min(sides), handicapped={_INT8})  # of most frames
    except FearError:
        raise
    except (Exception, SystemExit) as error:  # a broken installation may raise anything, or end the process
        if is_interruption(error):
            raise KeyboardInterrupt from error
        raise _broken(runtime, list(dict.fromkeys(packages[name] for name in candidates)), error) from error


def _broken(runtime: str, packages: Sequence[str], error: BaseException) -> FearError:
    """What to raise where no candidate works and an error came that is none of ours."""
    if lacks_memory(error):
        return too_little_memory(f"runtime {runtime}", " or ".join(packages), error)
    if isinstance(error, OSError) and error.errno is not None:  # of a file of ours, such as in a full cache folder
        return FearError(f"runtime {runtime}: expected to read and write files, got {one_line(error)}")
    return RuntimeMissingError(
        f"runtime {runtime}: expected the package {' or '.join(packages)} to work, got {type(error).__name__}: {one_line(error)}; "
        f"pip install --force-reinstall {' '.join(packages)}, or take another runtime"
    )


def describe(network: Network) -> str:
    """Returns what computes a loaded network, and how exactly, such as `OnnxNetwork, float32`."""
    return f"{type(network).__name__}, {'int8' if getattr(network, 'quantised', False) else 'float32'}"


def computed_by(description: str) -> str:
    """Puts what `describe` returned into the words of the runtimes' makers.

    Example:
        >>> computed_by("OnnxNetwork, float32")
        'ONNX Runtime, float32'
    """
    names = {"OnnxNetwork": "ONNX Runtime", "OpenVinoNetwork": "OpenVINO", "TorchNetwork": "torch"}
    kind, comma, precision = description.partition(",")
    return names.get(kind, kind) + comma + precision


def _loaders(model: Model, device: str, threads: int | None, sides: Sequence[int]) -> dict[str, Callable[[], Network]]:
    """Functions that load the network, by runtime; each imports its library when it is called."""

    def openvino(quantised: bool = False) -> Network:
        from fear.runtime.openvino import OpenVinoNetwork

        folder, card = _folder(model)
        return OpenVinoNetwork(folder, device, threads, quantised, sides, card)

    def onnx() -> Network:
        from fear.runtime.onnx import OnnxNetwork

        folder, card = _folder(model)
        return OnnxNetwork(folder, device, threads, card)

    def torch() -> Network:
        checkpoint = model.require_checkpoint("runtime torch")
        from fear.runtime.pytorch import TorchNetwork

        return TorchNetwork(checkpoint, device, threads)

    return {"openvino": openvino, _INT8: lambda: openvino(quantised=True), "onnx": onnx, "torch": torch}


def _installed(runtime: str) -> bool:
    return importlib.util.find_spec(_PACKAGES[runtime]) is not None


def _candidates(model: Model, device: str) -> list[str]:
    """Runtimes that are installed, can run this form of the model, and may be the fastest on this device."""
    installed = [runtime for runtime in _PACKAGES if _installed(runtime)]
    exported = [runtime for runtime in installed if runtime != "torch"]
    on_card = device.startswith(_TORCH_DEVICES)
    if model.folder is None:
        # on a processor torch is never the fastest, so a checkpoint is exported where that is possible
        order = exported if not on_card and can_export() and exported else [name for name in installed if name == "torch"]
        if not order:
            raise RuntimeMissingError(
                f"{model.checkpoint}: a .safetensors checkpoint needs torch: pip install 'fear-tracker[export]'; "
                "or export it elsewhere and use the exported folder"
            )
        return order
    if not (model.folder / "match.onnx").is_file():  # exported in OpenVINO's own format
        order = [name for name in exported if name == "openvino"]
    elif on_card and model.checkpoint is not None:
        order = [name for name in installed if name == "torch"]
    else:
        order = exported
    if not order:
        raise RuntimeMissingError(_missing(model.folder, device))
    if device == "cpu" and "openvino" in order and (model.folder / f"{QUANTISED}.xml").is_file():
        order.append(_INT8)
    return order


def _missing(folder: Path, device: str) -> str:
    if device == "cpu":
        return f"{folder}: expected a runtime for this exported folder; pip install onnxruntime or openvino"
    return (
        f"device {device!r}: expected torch, which is not installed: pip install 'fear-tracker[export]'; "
        'or take runtime="onnx" with a CUDA build of ONNX Runtime (pip install onnxruntime-gpu)'
    )


def _folder(model: Model) -> tuple[Path, WeightsCard | None]:
    """The exported folder of a model and its card; a checkpoint is exported once and kept in the cache folder."""
    if model.folder is not None:
        return model.folder, model.card
    return export_to_cache(model.require_checkpoint("an export")), None
