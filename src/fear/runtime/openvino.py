"""OpenVINO: the fastest on x86 processors."""

from __future__ import annotations

from pathlib import Path

import openvino

from fear.config import TrackerConfig
from fear.errors import WeightsError
from fear.geometry.context import search_side
from fear.runtime.compiled import compiled_once
from fear.runtime.protocol import QUANTISED, Crops, Floats, Maps
from fear.weights.card import read_card


class OpenVinoNetwork:
    """An exported network on OpenVINO.

    Args:
        folder: Exported network: `embed` and `match` as `.xml` or `.onnx`, and `config.json`.
        device: `cpu` or another device name of OpenVINO.
        threads: None leaves it to OpenVINO.
        quantised: Take the folder's int8 form of `match`.
    """

    def __init__(self, folder: Path, device: str = "cpu", threads: int | None = None, quantised: bool = False) -> None:
        card = read_card(folder)
        self.config, self.dynamic_weight = card.network, card.dynamic_weight
        self._folder, self._device = folder, device.upper()
        self.quantised, self._search_part = quantised, QUANTISED if quantised else "match"
        self._settings: dict[str, str | int | bool] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,  # two processes would pin themselves to the same core and halve each other's speed
        }
        if threads is not None:
            self._settings["INFERENCE_NUM_THREADS"] = threads
        self._core = openvino.Core()
        self._embed = self._compile("embed")
        sides = {search_side(TrackerConfig(), self.config, steady) for steady in (False, True)}
        self._match = {(1, side): self._compile(self._search_part, (1, side)) for side in sides}

    def _compile(self, part: str, crops: tuple[int, int] | None = None) -> openvino.InferRequest:
        path = self._folder / f"{part}.xml"
        graph = [path, path.with_suffix(".bin")] if path.is_file() else [self._folder / f"{part}.onnx"]

        def compiled() -> openvino.CompiledModel:
            model = self._core.read_model(graph[0])
            if crops is not None:  # fixed shapes compute faster than free ones
                batch, side = crops
                template = model.input("template_features").get_partial_shape()
                template[0] = batch
                model.reshape({"search": [batch, side, side, 3], "template_features": template})
            return self._core.compile_model(model, self._device, self._settings)

        try:
            if self._device != "CPU" or (crops is not None and crops[0] > 1):  # numbers of targets are many, and each would be kept
                return compiled().create_infer_request()
            return compiled_once(self._core, graph, crops, self._settings, compiled).create_infer_request()
        except RuntimeError as error:
            reason = " ".join(str(error).split())[-160:]
            raise WeightsError(f"{self._folder}: expected a network that OpenVINO can run on {self._device} ({reason})") from error

    def encode_template(self, template_crops: Crops) -> Floats:
        """See `Network.encode_template`."""
        self._embed.infer([template_crops], share_inputs=True)
        features: Floats = self._embed.get_output_tensor(0).data.copy()  # kept beyond the next call
        return features

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        """See `Network.match`; the first call with another number or size of crops compiles the network for it."""
        crops = search_crops.shape[0], search_crops.shape[1]
        if crops not in self._match:
            self._match[crops] = self._compile(self._search_part, crops)
        request = self._match[crops]
        request.infer([search_crops, template_features], share_inputs=True)
        return Maps(*(tensor.data for tensor in request.output_tensors[:3]))
