"""OpenVINO: the fastest on x86 processors."""

from __future__ import annotations

from pathlib import Path

import openvino

from fear.runtime.base import Crops, Floats, Maps
from fear.weights.card import read_card


class OpenVinoNetwork:
    """An exported network on OpenVINO.

    Args:
        folder: Exported network: `embed` and `match` as `.xml` or `.onnx`, and `config.json`.
        device: `cpu` or another device name of OpenVINO.
        threads: None leaves it to OpenVINO.
    """

    def __init__(self, folder: Path, device: str = "cpu", threads: int | None = None) -> None:
        card = read_card(folder)
        self.config, self.dynamic_weight = card.network, card.dynamic_weight
        settings: dict[str, str | int] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        core = openvino.Core()

        def compiled(part: str) -> openvino.InferRequest:
            path = folder / f"{part}.xml"
            return core.compile_model(path if path.is_file() else folder / f"{part}.onnx", device.upper(), settings).create_infer_request()

        self._embed, self._match = compiled("embed"), compiled("match")

    def embed(self, template_crops: Crops) -> Floats:
        """See `Network.embed`."""
        self._embed.infer([template_crops], share_inputs=True)
        features: Floats = self._embed.get_output_tensor(0).data.copy()  # kept beyond the next call
        return features

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        """See `Network.match`."""
        self._match.infer([search_crops, template_features], share_inputs=True)
        return Maps(*(self._match.get_output_tensor(k).data for k in range(3)))
