"""int8 for OpenVINO: quantisation after training, and control of it by the resulting boxes; NNCF does both.

The convolutions of `match` are quantised. Products, sums and the correlation with the template stay in float, since OpenVINO's processor
plugin does not compile a quantised correlation. With a least overlap, layers go back to float one by one until the boxes overlap enough;
those come first whose quantisation changes the boxes most.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from fear.export.pairs import Pair
from fear.geometry.boxes import Box, iou
from fear.geometry.cells import best_cell, box_at
from fear.telemetry import telemetry_off

with telemetry_off():
    import openvino

_KEPT = ("MatMul", "Multiply", "Subtract", "Divide", "ReduceSum", "Add")
_JUDGED = 1 / 3  # share of the pairs that the overlap is measured on; the others calibrate

Inputs = dict[str, Any]


def quantise(
    model: openvino.Model, embed: openvino.CompiledModel, pairs: Sequence[Pair], least_overlap: float | None = None
) -> openvino.Model:
    """Returns the graph of `match` with int8 convolutions.

    Args:
        model: `match` as exported, with free shapes; the result has free shapes too.
        embed: The compiled graph that encodes templates.
        pairs: Crops to calibrate with, all of one side.
        least_overlap: Mean overlap with the float network's boxes, 0 to 1, on a third of the pairs, which takes minutes; None: no control.
    """
    logging.getLogger("nncf").setLevel(logging.ERROR)
    with telemetry_off():
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
    """Returns a function that measures how much the boxes of another graph overlap with those of `network`: the mean, and each.

    NNCF calls it with another graph and with all or some of the inputs `judged`.
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
    row, column = best_cell(scores[0, 0])  # the network's own choice: the rules of a tracker would hide its errors
    centre_x, centre_y, width, height = box_at(boxes_ltrb[0], row, column)
    return centre_x - width / 2, centre_y - height / 2, width, height
