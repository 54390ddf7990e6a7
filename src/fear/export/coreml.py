"""Checkpoint → CoreML packages for Apple's devices, made and checked on any system.

Only Apple's systems run CoreML. So the packages are checked by reading them back: inputs, outputs and shapes, and whether every weight of
the network is among theirs.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import io
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fear.errors import ExportError, RuntimeMissingError
from fear.export.onnx import Embed, Match
from fear.network import FearNetwork

_SMALLEST = 2048  # CoreML may fold weights of fewer numbers into other constants


def write_coreml(network: FearNetwork, folder: Path, precision: str, sides: Sequence[int]) -> dict[str, float]:
    """Writes `embed.mlpackage` and `match.mlpackage`; pictures go in as RGB images.

    Args:
        network: Folded, in evaluation mode.
        folder: An existing folder.
        precision: `fp32` or `fp16`, of weights and arithmetic.
        sides: Sides in pixels of the search crops that trackers cut; the whole search crop is always possible too.

    Returns:
        Largest difference of the weights, relative to the largest of its tensor, by package.

    Raises:
        RuntimeMissingError: coremltools is not installed.
        ExportError: a package has other inputs, outputs or weights than the network.
    """
    if importlib.util.find_spec("coremltools") is None:
        raise RuntimeMissingError("this export needs coremltools: pip install 'fear-tracker[export]'")
    logging.getLogger("coremltools").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):  # coremltools prints every pass of its compiler
        warnings.simplefilter("ignore")
        import coremltools

        config = network.config
        parts: list[tuple[str, torch.nn.Module, list[Tensor], list[str], list[str]]] = [
            ("embed", _FromImage(Embed(network)), [_image(config.template_size)], ["template"], ["features"]),
            (
                "match",
                _FromImage(Match(network)),
                [_image(config.search_size), torch.zeros(1, *config.template_shape)],
                ["search", "template_features"],
                ["scores", "boxes", "embedding"],
            ),
        ]
        differences = {}
        for name, module, examples, inputs, outputs in parts:
            with torch.no_grad():
                traced = torch.jit.trace(module.eval(), tuple(examples), check_trace=False)
            possible = {examples[0].shape[-1], *(sides if name == "match" else ())}
            shapes = [(1, 3, side, side) for side in sorted(possible, reverse=True)]
            shape = shapes[0] if len(shapes) == 1 else coremltools.EnumeratedShapes(shapes, default=shapes[0])
            first = coremltools.ImageType(inputs[0], shape=shape, color_layout=coremltools.colorlayout.RGB)
            others = [coremltools.TensorType(label, shape=value.shape) for label, value in zip(inputs[1:], examples[1:], strict=True)]
            package = coremltools.convert(
                traced,
                inputs=[first, *others],
                outputs=[coremltools.TensorType(label) for label in outputs],
                minimum_deployment_target=coremltools.target.iOS16,
                compute_precision=coremltools.precision.FLOAT16 if precision == "fp16" else coremltools.precision.FLOAT32,
                skip_model_load=True,
            )
            package.save(str(folder / f"{name}.mlpackage"))
            read_back = coremltools.models.MLModel(str(folder / f"{name}.mlpackage"), skip_model_load=True)
            _require_interface(read_back, name, inputs, outputs)
            learned = (network.template_encoder or network.backbone) if name == "embed" else _searching(network)
            differences[f"coreml {name} weights"] = _compare_weights(read_back, learned, 2e-3 if precision == "fp16" else 1e-6)
    return differences


def _searching(network: FearNetwork) -> FearNetwork:
    """Returns a copy without the separate template encoder."""
    part = copy.deepcopy(network)
    part.template_encoder = None
    return part


class _FromImage(torch.nn.Module):
    """Converts CoreML's images (1, 3, H, W) to the input of the exported graphs (1, H, W, 3)."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, image: Tensor, *rest: Tensor) -> Any:
        return self.module(image.permute(0, 2, 3, 1), *rest)


def _image(side: int) -> Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)) * 255


def _require_interface(package: Any, name: str, inputs: list[str], outputs: list[str]) -> None:
    description = package.get_spec().description
    found = [part.name for part in description.input], [part.name for part in description.output]
    if found != (inputs, outputs):
        raise ExportError(f"{name}.mlpackage: expected inputs {inputs} and outputs {outputs}, got {found[0]} and {found[1]}")


def _compare_weights(package: Any, module: torch.nn.Module, tolerance: float) -> float:
    """Finds every large weight of the network among the constants of the package and returns the largest difference."""
    import coremltools

    constants: dict[int, list[np.ndarray[Any, Any]]] = {}
    for part in coremltools.optimize.coreml.get_weights_metadata(package, weight_threshold=_SMALLEST).values():
        constants.setdefault(part.val.size, []).append(part.val.astype(np.float32).ravel())
    largest = 0.0
    for label, parameter in module.named_parameters():
        if parameter.numel() < _SMALLEST:
            continue
        truth = parameter.detach().numpy().ravel()
        candidates = constants.get(truth.size, [])
        difference = min((float(np.abs(truth - one).max() / np.abs(truth).max()) for one in candidates), default=float("inf"))
        if not difference <= tolerance:
            raise ExportError(f"{label}: expected these weights in the CoreML package within {tolerance}, got a difference of {difference}")
        largest = max(largest, difference)
    return largest
