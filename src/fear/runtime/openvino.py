"""OpenVINO: on most x86 processors the fastest runtime.

The graphs are compiled for one crop. Several crops are answered one after another: a graph for each number of crops would take 0.5 to 3 s
and 20 to 60 MB when the number of targets changes, and its answers would come about as late (see docs/design/runtimes.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from threading import Lock

import numpy as np

from fear.errors import ConfigError, WeightsError
from fear.runtime.compiled import compiled_once
from fear.runtime.memory import lacks_memory, memory_named, too_little_memory
from fear.runtime.protocol import QUANTISED, Crops, Floats, Maps, require_template_shapes
from fear.telemetry import telemetry_off
from fear.weights.card import WeightsCard, checked_sha256, read_card

with telemetry_off():
    import openvino


class OpenVinoNetwork:
    """An exported network on OpenVINO. Several threads may use it; their calls wait for each other.

    Args:
        folder: Exported network: `embed` and `match` as `.xml` or `.onnx`, and `config.json`.
        device: `cpu` or another device name of OpenVINO.
        threads: Number of threads; None leaves it to OpenVINO.
        quantised: Take the int8 form of `match` in the folder.
        sides: Sides in pixels of the search crops to prepare for; the first call with crops of another side takes longer.
        card: The card of the folder, if it was read already.

    Raises:
        ConfigError: this OpenVINO does not have the device.
        WeightsError: a graph is missing or damaged, or cannot run on the device.
        FearError: there is too little memory.
    """

    def __init__(
        self,
        folder: Path,
        device: str = "cpu",
        threads: int | None = None,
        quantised: bool = False,
        sides: Iterable[int] = (),
        card: WeightsCard | None = None,
    ) -> None:
        self._card = card or read_card(folder)
        self.config, self.dynamic_weight = self._card.network, self._card.dynamic_weight
        self._folder, self._device = folder, device.upper()
        self.quantised, self._search_part = quantised, QUANTISED if quantised else "match"
        self._settings: dict[str, str | int | bool] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,  # two processes would pin themselves to the same core and halve each other's speed
        }
        if threads is not None:
            self._settings["INFERENCE_NUM_THREADS"] = threads
        self._digests: dict[Path, str] = {}  # of each graph; two sides use the same one
        self._core = openvino.Core()
        self._require_device()
        self._embed = self._compile("embed")
        graph = self._embed.get_compiled_model()
        ports = graph.input(0), graph.output(0)
        crop, features = (port.shape if port.partial_shape.is_static else [str(port.partial_shape)] for port in ports)
        require_template_shapes(self.config, crop, features, self._folder)
        self._match = {side: self._compile(self._search_part, side) for side in dict.fromkeys(sides)}
        self._lock = Lock()  # inputs and outputs of a request belong to one call at a time

    def _require_device(self) -> None:
        available = self._core.available_devices
        known = {name.partition(".")[0] for name in available} | {"AUTO", "HETERO", "MULTI"}
        if self._device.partition(":")[0].partition(".")[0] not in known:
            raise ConfigError(f"device: expected one that this OpenVINO has ({', '.join(available)}), got {self._device!r}")

    def _compile(self, part: str, side: int | None = None) -> openvino.InferRequest:
        """Compiles one graph; `match` for one crop of this side, since fixed shapes compute faster than free ones."""
        path = self._folder / f"{part}.xml"
        graph = [path, path.with_suffix(".bin")] if path.is_file() else [self._folder / f"{part}.onnx"]
        for file in graph:
            if file not in self._digests:
                self._digests[file] = checked_sha256(file, self._card)

        def compiled() -> openvino.CompiledModel:
            model = self._core.read_model(graph[0])
            if side is not None:
                template = model.input("template_features").get_partial_shape()
                template[0] = 1
                model.reshape({"search": [1, side, side, 3], "template_features": template})
            return self._core.compile_model(model, self._device, self._settings)

        try:
            if self._device != "CPU":
                return compiled().create_infer_request()
            digests = [self._digests[file] for file in graph]
            return compiled_once(self._core, digests, side, self._settings, compiled).create_infer_request()
        except (RuntimeError, MemoryError) as error:
            if lacks_memory(error):
                raise too_little_memory(self._folder, "its network on OpenVINO", error) from error
            reason = " ".join(str(error).split())[-160:]
            raise WeightsError(f"{self._folder}: expected a network that OpenVINO can run on {self._device} ({reason})") from error

    def encode_template(self, template_crops: Crops) -> Floats:
        """See `Network.encode_template`."""
        with self._lock, memory_named(self.config.name, "OpenVINO"):
            self._embed.infer([template_crops], share_inputs=True)
            features: Floats = self._embed.get_output_tensor(0).data.copy()  # the next call would overwrite it
        return features

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        """See `Network.match`; the first call with another side of crops compiles the network for it."""
        side = search_crops.shape[1]
        answers = []
        with self._lock, memory_named(self.config.name, "OpenVINO"):
            if side not in self._match:
                self._match[side] = self._compile(self._search_part, side)
            request = self._match[side]
            for row in range(len(search_crops)):
                request.infer([search_crops[row : row + 1], template_features[row : row + 1]], share_inputs=True)
                answers.append([tensor.data.copy() for tensor in request.output_tensors[:3]])
        return Maps(*answers[0]) if len(answers) == 1 else Maps(*(np.concatenate(parts) for parts in zip(*answers, strict=True)))
