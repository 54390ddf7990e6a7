"""ONNX Runtime: everywhere."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from fear.errors import ConfigError, WeightsError
from fear.runtime.protocol import Crops, Floats, Maps
from fear.weights.card import read_card

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "coreml": "CoreMLExecutionProvider"}

_OUTPUTS = ("scores", "boxes", "embedding")


class OnnxNetwork:
    """An exported network on ONNX Runtime.

    Args:
        folder: Exported network: `embed.onnx`, `match.onnx`, `config.json`.
        device: `cpu`, `cuda` or `coreml`.
        threads: None leaves it to ONNX Runtime.
    """

    def __init__(self, folder: Path, device: str = "cpu", threads: int | None = None) -> None:
        card = read_card(folder)
        self.config, self.dynamic_weight = card.network, card.dynamic_weight
        if device not in _PROVIDERS or _PROVIDERS[device] not in onnxruntime.get_available_providers():
            raise ConfigError(f"device: expected one that this ONNX Runtime has ({onnxruntime.get_available_providers()}), got {device!r}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 3

        def session(part: str) -> onnxruntime.InferenceSession:
            path = folder / f"{part}.onnx"
            try:
                return onnxruntime.InferenceSession(path, options, providers=[_PROVIDERS[device]])
            except Exception as error:  # ONNX Runtime's errors share no base but this
                reason = " ".join(str(error).split())[-160:]
                raise WeightsError(f"{path}: expected a network that ONNX Runtime can run ({reason})") from error

        self._embed, self._match = session("embed"), session("match")

    def encode_template(self, template_crops: Crops) -> Floats:
        """See `Network.encode_template`."""
        features: Floats = self._embed.run(None, {"template": template_crops})[0]
        return features

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        """See `Network.match`."""
        return Maps(*self._match.run(_OUTPUTS, {"search": search_crops, "template_features": template_features}))
