"""int8 for OpenVINO: quantisation after training, and its control by the boxes that come out (both NNCF's).

The convolutions of `match` are quantised. Products, sums and the template's part stay as they are, since OpenVINO's processor plugin does
not compile a quantised correlation. Plain quantisation costs what it costs; with a least overlap, layers go back to float one by one, those
first whose quantisation moves the boxes most, until the overlap is reached.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import openvino

from fear.config import TrackerConfig
from fear.geometry.boxes import Box, iou
from fear.loading.crops import Pair
from fear.tracking.decode import decode

_KEPT = ("MatMul", "Multiply", "Subtract", "Divide", "ReduceSum", "Add")
_BARE = TrackerConfig(window=0, penalty=0, size_rate=None)  # the network's own choice, without rules that hide its errors
_JUDGED = 1 / 3  # of the pairs; the others calibrate

Inputs = dict[str, Any]


def quantise(model: openvino.Model, embed: openvino.CompiledModel, pairs: list[Pair], least_overlap: float | None = None) -> openvino.Model:
    """The graph of `match` with int8 convolutions.

    Args:
        model: As exported, with free shapes; it keeps them.
        embed: Compiled.
        pairs: Crops to calibrate with; those of one side.
        least_overlap: Mean overlap with the float network's boxes, 0 to 1, on a third of the pairs; None: no control. It takes minutes.
    """
    logging.getLogger("nncf").setLevel(logging.ERROR)
    import nncf

    inputs = [{"search": pair.search, "template_features": embed([pair.template])[0]} for pair in pairs]
    options: dict[str, Any] = {
        "preset": nncf.QuantizationPreset.MIXED,
        "ignored_scope": nncf.IgnoredScope(types=list(_KEPT), validate=False),
    }
    if least_overlap is None:
        return nncf.quantize(model, nncf.Dataset(inputs), subset_size=len(inputs), **options)
    free = {port.get_any_name(): port.partial_shape for port in model.inputs}
    model.reshape({name: list(value.shape) for name, value in inputs[0].items()})  # quantised graphs of free shapes do not compile
    judged = round(len(inputs) * _JUDGED)
    overlap = overlap_with(inputs[:judged], openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}))
    result: openvino.Model = nncf.quantize_with_accuracy_control(
        model,
        nncf.Dataset(inputs[judged:]),
        nncf.Dataset(inputs[:judged]),
        overlap,
        max_drop=1 - least_overlap,
        drop_type=nncf.DropType.ABSOLUTE,
        subset_size=len(inputs) - judged,
        **options,
    )
    result.reshape(free)
    return result


def overlap_with(
    judged: list[Inputs], network: openvino.CompiledModel
) -> Callable[[openvino.CompiledModel, Iterable[Inputs]], tuple[float, list[float]]]:
    """A function that tells how much another graph's boxes overlap with this network's: the mean, and each.

    NNCF hands over the inputs that it judges by, all of these or some.
    """
    truth = {_key(one): _box(network, one) for one in judged}

    def overlap(other: openvino.CompiledModel, chosen: Iterable[Inputs]) -> tuple[float, list[float]]:
        values = [float(iou(_box(other, one), truth[_key(one)])) for one in chosen]
        return float(np.mean(values)), values

    return overlap


def _key(one: Inputs) -> bytes:
    return bytes(one["search"].tobytes())


def _box(network: openvino.CompiledModel, one: Inputs) -> Box:
    answer = network(one)
    scores, boxes_ltrb = (answer[port] for port in network.outputs[:2])
    return decode(scores[0, 0], boxes_ltrb[0], (1.0, 1.0), _BARE).box_xywh
