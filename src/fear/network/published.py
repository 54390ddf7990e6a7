"""Reads the published FEAR-XS from its two CoreML files.

The files hold the network with folded batch norms and float16 weights, without the dual template. `Tracker.mlmodel` holds the whole
network, `TrackerInit.mlmodel` its backbone a second time. Layers are recognised by their names in the files.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fear.config import FEAR_XS
from fear.errors import RuntimeMissingError, WeightsError
from fear.network.checkpoint import load_exactly
from fear.network.network import FearNetwork, build_network
from fear.weights.card import WeightsCard

CARD = WeightsCard(
    network=replace(FEAR_XS, name="fear-xs-published", folded=True),
    licence="MIT",
    provenance="Published FEAR-XS (github.com/PinataFarms/FEARTracker), imported from its CoreML files; without the dual template.",
)

# names of the separable units (depthwise, pointwise) after the backbone
_SEPARABLE = {
    "score_fusion.encode": ("input.126", "input.128"),
    "score_fusion.aggregate": ("input.133", "input.135"),
    "score_head.tower.0": ("input.151", "input.153"),
    "score_head.tower.1": ("input.155", "input.157"),
    "score_head.last": ("input", "var_1282"),
    "box_fusion.encode": ("input.129", "input.131"),
    "box_fusion.aggregate": ("input.137", "input.139"),
    "box_head.tower.0": ("input.141", "input.143"),
    "box_head.tower.1": ("input.145", "input.147"),
    "box_head.last": ("input.149", "x"),
}
_BACKBONE_END = "input.125"  # the AdjustLayer, last convolution before the heads

Convolution = tuple[Tensor, Tensor]
"""Weight (O, I/groups, K, K) and bias (O,)."""


def import_published(tracker: Path, tracker_init: Path) -> FearNetwork:
    """Reads the published network.

    Args:
        tracker: `Tracker.mlmodel`
        tracker_init: `TrackerInit.mlmodel`

    Returns:
        A folded FEAR-XS in evaluation mode, with w = 0.

    Raises:
        WeightsError: not those files, or files that contradict each other.
        RuntimeMissingError: coremltools is not installed.
    """
    layers, init_layers = _convolutions(tracker), _convolutions(tracker_init)
    network = build_network(CARD.network)
    state = _backbone_state(network, layers, tracker)
    for name, (depthwise, pointwise) in _SEPARABLE.items():
        if depthwise not in layers or pointwise not in layers:
            raise WeightsError(
                f"{tracker}: expected layers {depthwise} and {pointwise} of the published network, found {sorted(layers)[:6]}…"
            )
        weight, bias = _absorb_bias(layers[depthwise], layers[pointwise])
        state |= {f"{name}.0.weight": layers[depthwise][0], f"{name}.1.weight": weight, f"{name}.1.bias": bias}
    # the published files have the scaling of the outputs folded in; the heads' own is undone
    state["score_head.last.1.weight"] = state["score_head.last.1.weight"] * 10
    state["score_head.last.1.bias"] = state["score_head.last.1.bias"] * 10
    state |= {"box_head.scale": torch.tensor(1.0), "box_head.shift": torch.tensor(0.0), "dynamic_weight": torch.tensor(0.0)}
    load_exactly(network, state, tracker)
    _require_same_backbone(state, _backbone_state(network, init_layers, tracker_init), tracker_init)
    return network.eval()


def _backbone_state(network: FearNetwork, layers: Mapping[str, Convolution], source: Path) -> dict[str, Tensor]:
    """Returns the convolutions of the file up to the AdjustLayer, under our names; ours run in the same order."""
    names = [f"backbone.{name}" for name, part in network.backbone.named_modules() if isinstance(part, nn.Conv2d)] + ["adjust.0"]
    order = list(layers)
    if len(order) < len(names) or (_BACKBONE_END in order and order.index(_BACKBONE_END) != len(names) - 1):
        raise WeightsError(
            f"{source}: expected {len(names)} convolutions in the backbone of the published network, found {len(order)} in all"
        )
    state = {}
    for name, layer in zip(names, order, strict=False):
        state[f"{name}.weight"], state[f"{name}.bias"] = layers[layer]
    return state


def _require_same_backbone(state: Mapping[str, Tensor], init_state: Mapping[str, Tensor], source: Path) -> None:
    different = [name for name, tensor in init_state.items() if tensor.shape != state[name].shape or not torch.equal(tensor, state[name])]
    if different:
        raise WeightsError(f"{source}: expected the backbone of the other file, {len(different)} tensors differ, such as {different[0]}")


def _absorb_bias(depthwise: Convolution, pointwise: Convolution) -> Convolution:
    """Returns the pointwise convolution with both biases; between two convolutions without activation a bias can move behind both."""
    weight, bias = pointwise
    return weight, bias + weight[:, :, 0, 0] @ depthwise[1]


def _convolutions(path: Path) -> dict[str, Convolution]:
    """Returns all convolutions of a CoreML file by name, in order."""
    if not path.is_file():
        raise WeightsError(f"{path}: expected a CoreML file, found nothing there")
    logging.getLogger("coremltools").setLevel(logging.ERROR)  # it warns that Apple's runtime is missing, which is not needed to read a file
    try:
        from coremltools.proto import Model_pb2
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise RuntimeMissingError("reading CoreML files needs coremltools: pip install 'fear-tracker[export]'") from error
    model = Model_pb2.Model()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise WeightsError(f"{path}: expected a CoreML file, got another or a damaged one ({error})") from error
    layers: dict[str, Convolution] = {}
    for layer in model.neuralNetwork.layers:
        if layer.WhichOneof("layer") == "convolution":
            part = layer.convolution
            weight = _values(part.weights).reshape(part.outputChannels, part.kernelChannels, *part.kernelSize)
            bias = _values(part.bias) if part.hasBias else np.zeros(part.outputChannels, np.float32)
            layers[layer.name] = torch.from_numpy(weight.copy()), torch.from_numpy(bias.copy())
    if not layers:
        raise WeightsError(f"{path}: expected a CoreML neural network with convolutions, found none")
    return layers


def _values(parameters: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    if parameters.float16Value:
        return np.frombuffer(parameters.float16Value, np.float16).astype(np.float32)
    return np.array(parameters.floatValue, np.float32)
