"""Checkpoint → `embed.onnx` and `match.onnx`.

The graphs take crops as uint8 pictures, (N, H, W, 3). Normalisation, sigmoid and exponential are part of the graphs, so that no program
that uses them can get these wrong. Number and side of the search crops are free.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from fear.config import STRIDE, NetworkConfig
from fear.network import FearNetwork, merge_spread

OPSET = 18
_INDUCTOR_FOLDER = "TORCHINDUCTOR_CACHE_DIR"
"""The environment variable by which torch's compiler, which nothing here uses, finds its cache folder."""
_SMALL = 1024  # weights of fewer numbers stay float32, such as the first convolution's, which `merge_spread` divides after rounding


class Embed(nn.Module):
    """The network's `encode_template` with pictures as input."""

    def __init__(self, network: FearNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, template: Tensor) -> Tensor:
        return self.network.encode_template(template.permute(0, 3, 1, 2))  # (N, H, W, 3) → (N, 3, H, W)


class Match(nn.Module):
    """The network's `match` with pictures as input and scores after the sigmoid."""

    def __init__(self, network: FearNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, search: Tensor, template_features: Tensor) -> tuple[Tensor, ...]:
        logits, boxes_ltrb, embedding = self.network.match(search.permute(0, 3, 1, 2), template_features)
        return logits.sigmoid(), boxes_ltrb, embedding


def sample_inputs(config: NetworkConfig, batch: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Returns smooth random template and search crops: (1, T, T, 3) and (batch, S, S, 3), uint8.

    The noise is enlarged from an eighth of the size, since cameras do not make pictures of independent pixels.
    """
    generator = torch.Generator().manual_seed(seed)

    def pictures(count: int, size: int) -> Tensor:
        coarse = torch.rand(count, 3, size // 8, size // 8, generator=generator) * 255
        return nn.functional.interpolate(coarse, size=(size, size), mode="bilinear").permute(0, 2, 3, 1).to(torch.uint8).contiguous()

    return pictures(1, config.template_size), pictures(batch, config.search_size)


def write_onnx(network: FearNetwork, folder: Path, half_storage: bool = False) -> None:
    """Writes both graphs.

    Args:
        network: Folded, in evaluation mode.
        folder: An existing folder.
        half_storage: Store the weights as float16; they are widened when the graph is loaded, and the computation stays float32.
    """
    network = merge_spread(network)
    template, search = sample_inputs(network.config, batch=2)
    with torch.no_grad():  # the exporter is slower with tensors of inference mode
        features = network.encode_template(template.permute(0, 3, 1, 2)).expand(2, -1, -1, -1)
        features = network.merge(features, features).clone()
    write_graph(Embed(network), {"template": template}, ["features"], folder / "embed.onnx", half_storage)
    inputs = {"search": search, "template_features": features}
    write_graph(Match(network), inputs, ["scores", "boxes", "embedding"], folder / "match.onnx", half_storage)


def write_graph(
    module: nn.Module, inputs: dict[str, Tensor], outputs: list[str], path: Path, half_storage: bool = False, fixed: bool = False
) -> None:
    """Writes one graph. Where it has the input `search`, number and side of the search crops are free.

    Args:
        module: Takes the inputs by position.
        inputs: Examples by the names that the graph gives them.
        outputs: Names of what the module returns.
        path: The file to write.
        half_storage: As for `write_onnx`.
        fixed: The graph takes inputs of the shapes of the examples alone. Such a graph is traced three times as fast.
    """
    model = trace_graph(module, inputs, outputs, fixed)
    if half_storage:
        _store_half(model)
    onnx.checker.check_model(model)
    onnx.save_model(model, path)


def trace_graph(module: nn.Module, inputs: dict[str, Tensor], outputs: list[str], fixed: bool = False) -> onnx.ModelProto:
    """Returns the graph that `write_graph` writes, with its weights in float32."""
    dynamic = None
    if "search" in inputs and not fixed:
        batch, side = torch.export.Dim("N", min=1, max=1024), STRIDE * torch.export.Dim("cells", min=2, max=64)
        dynamic = {0: batch, 1: side, 2: side}, {0: batch}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), _inductor_elsewhere():
        warnings.simplefilter("ignore")  # the exporter warns about its own code
        program = torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes=dynamic,
            dynamo=True,
            opset_version=OPSET,
            verbose=False,
            external_data=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    program.optimize()
    model: onnx.ModelProto = program.model_proto
    _remove_machine_names(model.graph)
    return model


@contextmanager
def _inductor_elsewhere() -> Iterator[None]:
    """A folder for torch's compiler that is gone afterwards, unless the user chose one.

    torch.export imports a part of the compiler that makes its cache folder, and without this leaves it empty among the temporary files.
    """
    if _INDUCTOR_FOLDER in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="fear-") as folder:
        os.environ[_INDUCTOR_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[_INDUCTOR_FOLDER]


def _remove_machine_names(graph: onnx.GraphProto) -> None:
    """Removes paths of this machine, lines of code and invented names, which the exporter writes into the graph."""
    for node in graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in (*graph.value_info, *graph.input, *graph.output):
        value.ClearField("metadata_props")
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param.startswith("s"):  # the exporter's name for the number of cells
                dim.dim_param = "cells"
    graph.ClearField("metadata_props")


def _store_half(model: onnx.ModelProto) -> None:
    """Turns weights into float16 with a cast after each; runtimes fold the cast when they load the graph."""
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _SMALL:
            continue
        values = numpy_helper.to_array(tensor)
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        graph.node.insert(0, node)
