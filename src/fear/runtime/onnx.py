"""ONNX Runtime: the runtime that every system has."""

from __future__ import annotations

from pathlib import Path

from fear.errors import ConfigError, WeightsError
from fear.runtime.memory import lacks_memory, memory_named, too_little_memory
from fear.runtime.protocol import Crops, Floats, Maps, require_template_shapes
from fear.telemetry import telemetry_off
from fear.weights.card import WeightsCard, checked_sha256, read_card

with telemetry_off():
    import onnxruntime

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "coreml": "CoreMLExecutionProvider"}
_OUTPUTS = ("scores", "boxes", "embedding")


class OnnxNetwork:
    """An exported network on ONNX Runtime. Several threads may use it.

    Args:
        folder: Exported network: `embed.onnx`, `match.onnx`, `config.json`.
        device: `cpu`, `cuda` or `coreml`.
        threads: Number of threads; None leaves it to ONNX Runtime.
        card: The card of the folder, if it was read already.

    Raises:
        ConfigError: this ONNX Runtime does not have the device.
        WeightsError: a graph is missing or damaged.
        FearError: there is too little memory.
    """

    def __init__(self, folder: Path, device: str = "cpu", threads: int | None = None, card: WeightsCard | None = None) -> None:
        card = card or read_card(folder)
        self.config, self.dynamic_weight = card.network, card.dynamic_weight
        provider = _provider(device)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 3

        def session(part: str) -> onnxruntime.InferenceSession:
            path = folder / f"{part}.onnx"
            checked_sha256(path, card)
            try:
                return onnxruntime.InferenceSession(path, options, providers=[provider])
            except Exception as error:  # the errors of ONNX Runtime have no other base class in common
                if lacks_memory(error):
                    raise too_little_memory(path, "this network on ONNX Runtime", error) from error
                reason = " ".join(str(error).split())[-160:]
                raise WeightsError(f"{path}: expected a network that ONNX Runtime can run ({reason})") from error

        self._embed, self._match = session("embed"), session("match")
        shapes = self._embed.get_inputs()[0].shape, self._embed.get_outputs()[0].shape
        require_template_shapes(self.config, *shapes, folder / "embed.onnx")

    def encode_template(self, template_crops: Crops) -> Floats:
        """See `Network.encode_template`."""
        with memory_named(self.config.name, "ONNX Runtime"):
            features: Floats = self._embed.run(None, {"template": template_crops})[0]
        return features

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        """See `Network.match`."""
        with memory_named(self.config.name, "ONNX Runtime"):
            return Maps(*self._match.run(_OUTPUTS, {"search": search_crops, "template_features": template_features}))


def _provider(device: str) -> str:
    available = onnxruntime.get_available_providers()
    devices = [name for name, provider in _PROVIDERS.items() if provider in available]
    if device in devices:
        return _PROVIDERS[device]
    remedy = "; device 'cuda' needs a CUDA build of ONNX Runtime: pip install onnxruntime-gpu" if device == "cuda" else ""
    raise ConfigError(f"device: expected one that this ONNX Runtime has ({', '.join(devices)}), got {device!r}{remedy}")
