"""Who runs the network: OpenVINO, ONNX Runtime or torch, behind one protocol."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from fear.errors import ConfigError, RuntimeMissingError, WeightsError
from fear.loading.auto import fastest
from fear.runtime.protocol import QUANTISED, Maps, Network
from fear.weights import Weights, read_card, resolve

__all__ = ["Maps", "Network", "describe", "load"]

# with the package that each needs
_PACKAGES = {"openvino": "openvino", "onnx": "onnxruntime", "torch": "torch"}

_INT8 = "openvino int8"


def load(model: str | Path, *, runtime: str = "auto", device: str = "cpu", threads: int | None = None) -> Network:
    """Loads a network onto a runtime.

    Args:
        model: A known name, a `.safetensors` checkpoint, or an exported folder.
        runtime: `openvino`, `onnx`, `torch`, or `auto` for the fastest that is installed; the first time on a machine it is measured.
            With packaged weights that includes an int8 form, which only `auto` takes, where it is clearly the fastest.
        device: A device of that runtime.
        threads: None leaves it to the runtime.

    Raises:
        ConfigError: no such runtime, or not a positive number of threads.
        WeightsError: no such model, or a damaged one.
        RuntimeMissingError: the runtime is not installed, or cannot run this form of the model.
    """
    if runtime != "auto" and runtime not in _PACKAGES:
        raise ConfigError(f"runtime: expected auto, {', '.join(_PACKAGES)}; got {runtime!r}")
    if threads is not None and threads < 1:
        raise ConfigError(f"threads: expected at least one, got {threads}")
    weights = resolve(model)
    loaders = _loaders(weights, device, threads)
    if runtime == "auto":
        candidates = {name: loaders[name] for name in _candidates(weights, device)}
        if len(candidates) > 1:
            card = read_card(weights.folder or weights.checkpoint or Path(model))
            return fastest(candidates, _PACKAGES | {_INT8: "openvino"}, threads, card.network.name, handicapped={_INT8})
        return next(iter(candidates.values()))()
    if not _installed(runtime):
        raise RuntimeMissingError(f"runtime {runtime}: expected the package {_PACKAGES[runtime]}, which is not installed")
    return loaders[runtime]()


def describe(network: Network) -> str:
    """What computes a loaded network, and how exactly: `OnnxNetwork, float32`."""
    return f"{type(network).__name__}, {'int8' if getattr(network, 'quantised', False) else 'float32'}"


def _loaders(weights: Weights, device: str, threads: int | None) -> dict[str, Callable[[], Network]]:
    """What loads the network, by runtime; each imports its library when it is called."""

    def openvino() -> Network:
        from fear.runtime.openvino import OpenVinoNetwork

        return OpenVinoNetwork(_folder(weights), device, threads)

    def openvino_int8() -> Network:
        from fear.runtime.openvino import OpenVinoNetwork

        return OpenVinoNetwork(_folder(weights), device, threads, quantised=True)

    def onnx() -> Network:
        from fear.runtime.onnx import OnnxNetwork

        return OnnxNetwork(_folder(weights), device, threads)

    def torch() -> Network:
        if weights.checkpoint is None:
            raise WeightsError(f"{weights.folder}: runtime torch runs a .safetensors checkpoint, got an exported folder")
        from fear.runtime.pytorch import TorchNetwork

        return TorchNetwork(weights.checkpoint, device, threads)

    return {"openvino": openvino, _INT8: openvino_int8, "onnx": onnx, "torch": torch}


def _installed(runtime: str) -> bool:
    return importlib.util.find_spec(_PACKAGES[runtime]) is not None


def _can_export() -> bool:
    return _installed("torch") and importlib.util.find_spec("onnxscript") is not None


def _candidates(weights: Weights, device: str) -> list[str]:
    """Runtimes that are installed, can run this form of the model, and may be the fastest there."""
    order = [runtime for runtime in _PACKAGES if _installed(runtime)]
    if weights.folder is not None and not (weights.folder / "match.onnx").is_file():  # exported in OpenVINO's own format
        return ["openvino"] if "openvino" in order else order
    if weights.checkpoint is None or (weights.folder is None and _can_export()) or (weights.folder is not None and device == "cpu"):
        order = [runtime for runtime in order if runtime != "torch"] or order  # torch is never the fastest on a processor
    else:
        order = [runtime for runtime in order if runtime == "torch"]  # graphics cards, and checkpoints that cannot be exported
    if weights.folder is not None and (weights.folder / f"{QUANTISED}.xml").is_file() and device == "cpu" and "openvino" in order:
        order.append(_INT8)
    if not order:
        raise RuntimeMissingError(
            "a .safetensors checkpoint needs torch: pip install 'fear-tracker[export]'; or export it elsewhere and use the exported folder"
        )
    return order


def _folder(weights: Weights) -> Path:
    """The exported folder of a model; a checkpoint is exported once and kept in the cache under the digest of its content."""
    if weights.folder is not None:
        return weights.folder
    if weights.checkpoint is None or not _can_export():
        raise RuntimeMissingError(
            f"{weights.checkpoint}: running a checkpoint here needs torch and onnxscript: pip install 'fear-tracker[export]'"
        )
    from fear.export import export_to_cache

    return export_to_cache(weights.checkpoint)
