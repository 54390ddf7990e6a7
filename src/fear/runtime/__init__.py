"""Who runs the network: OpenVINO, ONNX Runtime or torch, behind one protocol."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from fear.errors import ConfigError, RuntimeMissingError, WeightsError
from fear.runtime.base import Maps, Network
from fear.weights import Weights, resolve

__all__ = ["Maps", "Network", "load"]

# by measured speed on x86, fastest first; with the package that each needs
_PACKAGES = {"openvino": "openvino", "onnx": "onnxruntime", "torch": "torch"}


def load(model: str | Path, *, runtime: str = "auto", device: str = "cpu", threads: int | None = None) -> Network:
    """Loads a network onto a runtime.

    Args:
        model: A known name, a `.safetensors` checkpoint, or an exported folder.
        runtime: `openvino`, `onnx`, `torch`, or `auto` for the fastest that is installed.
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
    chosen = _fastest(weights, device) if runtime == "auto" else runtime
    if not _installed(chosen):
        raise RuntimeMissingError(f"runtime {chosen}: expected the package {_PACKAGES[chosen]}, which is not installed")
    if chosen == "torch":
        if weights.checkpoint is None:
            raise WeightsError(f"{model}: runtime torch runs a .safetensors checkpoint, got an exported folder")
        from fear.runtime.pytorch import TorchNetwork

        return TorchNetwork(weights.checkpoint, device, threads)

    folder = weights.folder or _export(weights.checkpoint)
    if chosen == "openvino":
        from fear.runtime.openvino import OpenVinoNetwork

        return OpenVinoNetwork(folder, device, threads)
    from fear.runtime.onnx import OnnxNetwork

    return OnnxNetwork(folder, device, threads)


def _installed(runtime: str) -> bool:
    return importlib.util.find_spec(_PACKAGES[runtime]) is not None


def _can_export() -> bool:
    return _installed("torch") and importlib.util.find_spec("onnxscript") is not None


def _fastest(weights: Weights, device: str) -> str:
    order = [runtime for runtime in _PACKAGES if _installed(runtime)]
    if weights.checkpoint is None or (weights.folder is None and _can_export()):
        order = [runtime for runtime in order if runtime != "torch"] or order
    elif weights.folder is None or device != "cpu":  # graphics cards are torch's
        order = [runtime for runtime in order if runtime == "torch"]
    if not order:
        raise RuntimeMissingError(
            "a .safetensors checkpoint needs torch: pip install 'fear-tracker[export]'; or export it elsewhere and use the exported folder"
        )
    return order[0]


def _export(checkpoint: Path | None) -> Path:
    """The checkpoint as an exported folder, made once and kept in the cache under the digest of its content."""
    if checkpoint is None or not _can_export():
        raise RuntimeMissingError(f"{checkpoint}: running a checkpoint here needs torch and onnxscript: pip install 'fear-tracker[export]'")
    from fear.export import export_to_cache

    return export_to_cache(checkpoint)
