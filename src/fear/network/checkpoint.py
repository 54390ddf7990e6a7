"""Networks to and from files: our checkpoints, and ImageNet weights of other libraries. Pickles are refused, and no tensor is skipped."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from urllib.parse import urlsplit
from urllib.request import url2pathname

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fear.errors import WeightsError
from fear.network.backbones import BEYOND_STRIDE_16
from fear.network.network import FearNetwork, build_network, parameter_count, template_parameter_count
from fear.weights.card import WeightsCard, header, read_card, require_tensors, tensors_sha256
from fear.weights.store import download, require_sha256, written_whole


def save_checkpoint(network: FearNetwork, path: Path, card: WeightsCard, dtype: torch.dtype = torch.float32) -> WeightsCard:
    """Writes weights and card into one `.safetensors` file.

    Args:
        network: Its configuration, w and numbers of parameters replace those of the card.
        path: Written whole or not at all.
        card: Licence, provenance, scores.
        dtype: Type of the stored floats; float16 halves the file.

    Returns:
        The card as written, with a digest of the tensors.
    """
    state = {
        name: (tensor.to(dtype) if tensor.is_floating_point() else tensor).contiguous().cpu()
        for name, tensor in network.state_dict().items()
    }
    card = dataclasses.replace(
        card,
        network=network.config,
        dynamic_weight=round(network.dynamic_weight.item(), 6),
        parameters=parameter_count(network),
        template_parameters=template_parameter_count(network),
        sha256=_digest(state),
        files={},
    )
    with written_whole(path) as unfinished:
        save_file(state, unfinished, metadata=header(card))
        unfinished.chmod(0o644)  # safetensors makes files that only their owner may read
    return card


def load_checkpoint(path: Path) -> tuple[FearNetwork, WeightsCard]:
    """Reads a checkpoint; the network is in evaluation mode.

    Raises:
        WeightsError: not a checkpoint, damaged, or with missing or unexpected keys, which are listed.
    """
    card = read_card(path)
    network = build_network(card.network)
    stored = load_file(path)
    state = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in stored.items()}
    load_exactly(network, state, path)
    require_tensors({name: tensor.numpy() for name, tensor in stored.items()}, card, path)
    return network.eval(), card


def _digest(state: Mapping[str, Tensor]) -> str:
    return tensors_sha256({name: tensor.numpy() for name, tensor in state.items()})


def load_imagenet(network: FearNetwork, source: str | Path, sha256: str | None = None, cache: Path | None = None) -> None:
    """Loads a classifier's weights into the backbone: torchvision's ResNet-50 and RegNetX-8GF, timm's `fbnetc_100`.

    Layers beyond stride 16, the classifier's head and counters are left out; anything else must fit.

    Args:
        network: Changed in place.
        source: A `.safetensors` or torch `.pth` file, or its http(s) or file URL.
        sha256: Expected digest of the file; required for an http(s) URL.
        cache: Where a download is kept; the cache folder by default.

    Raises:
        WeightsError: another digest, or a file that does not fit; missing and unexpected keys are listed.
        RuntimeMissingError: pooch, which downloads, is not installed.
    """
    path = _local_file(str(source), sha256, cache)
    if not path.is_file():
        raise WeightsError(f"{path}: expected a file with ImageNet weights, found nothing there")
    if sha256 is not None:
        require_sha256(path, sha256)
    beyond = BEYOND_STRIDE_16[network.config.backbone]
    state = {name: tensor for name, tensor in _read_state(path).items() if not name.startswith(beyond)}
    # files of old versions have no counters; they matter only where batch norms average without momentum
    counters = {name: tensor for name, tensor in network.backbone.state_dict().items() if name.endswith("num_batches_tracked")}
    load_exactly(network.backbone, counters | state, path)


def load_exactly(module: nn.Module, state: Mapping[str, Tensor], source: Path) -> None:
    """Fills every parameter and buffer of a module.

    Raises:
        WeightsError: missing or unexpected keys, other shapes or kinds of numbers; they are listed.
    """
    own = module.state_dict()
    faults = []
    for what, names in (("missing", own.keys() - state.keys()), ("unexpected", state.keys() - own.keys())):
        if names:
            faults.append(f"{len(names)} keys {what}: {_some(sorted(names))}")
    both = sorted(own.keys() & state.keys())
    shapes = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(own[name].shape)}" for name in both if state[name].shape != own[name].shape
    ]
    if shapes:
        faults.append(f"{len(shapes)} of another shape: {_some(shapes)}")
    # torch would convert them: whole numbers have lost what makes weights, and of complex ones it drops a part
    kinds = [
        f"{name} {state[name].dtype} instead of {own[name].dtype}"
        for name in both
        if state[name].is_floating_point() != own[name].is_floating_point()
    ]
    if kinds:
        faults.append(f"{len(kinds)} of another type: {_some(kinds)}")
    if faults:
        raise WeightsError(f"{source}: expected weights of {type(module).__name__}; " + "; ".join(faults))
    module.load_state_dict(dict(state))


def _some(names: list[str]) -> str:
    shown = [name if name.isprintable() else repr(name) for name in names[:6]]  # a message is one line
    return ", ".join(shown) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _read_state(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError, RuntimeError, ValueError, EOFError, LookupError, AttributeError, UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise WeightsError(f"{path}: expected a .safetensors or torch file with nothing but tensors by name ({reason})") from error
    if not isinstance(loaded, dict) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise WeightsError(f"{path}: expected tensors by name, got {type(loaded).__name__}")
    return loaded


def _local_file(source: str, sha256: str | None, cache: Path | None) -> Path:
    """The file itself; what lies at an address is downloaded."""
    address = urlsplit(source)
    if address.scheme == "file":
        return Path(url2pathname(address.path))
    if "://" not in source:
        return Path(source)
    if sha256 is None:
        raise WeightsError(f"{source}: expected the file's SHA-256 with a URL, got none; or download it and give its path")
    return download(source, sha256, cache)
