"""What is known about a set of weights: one object that travels with them.

A checkpoint holds its card as JSON in the safetensors header, an exported folder as `config.json`. Cards can be read without torch.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from fear.config import NetworkConfig
from fear.errors import ConfigError, DamagedWeightsError, WeightsError
from fear.parsing import one_line, parse_json
from fear.weights.store import sha256_of

FORMAT = 1
"""This number goes up when older versions could misread newer files."""

_HEADER_KEY = "fear"

_DIGEST_KEY = "network_sha256"
"""Key of the digest of what decides how the weights are used; files of earlier versions have none."""

_FORMER_OPTIONS = {"merge": "sum", "update": "similarity"}
"""Keys of the network that earlier versions wrote, and the only value that this version still runs."""

_LARGEST_WEIGHT = 2
"""Of the dynamic template. Training does not keep w within 0 and 1; what is far outside is a mistake."""

_FLOATS = ("F16", "F32")
"""Types of weights, in the words of safetensors. Others cannot be read by numpy, or were never written by this package."""

_COUNTERS, _COUNTER = "num_batches_tracked", "I64"
"""End of the names of batch norms' counters, and their type."""

_GRAPH_SUFFIXES = (".onnx", ".xml", ".bin")


@dataclass(frozen=True, slots=True)
class WeightsCard:
    """Configuration, origin and measured quality of weights.

    Attributes:
        network: The network that the weights fit.
        licence: SPDX name.
        provenance: How the weights were made, and from whose work.
        dynamic_weight: w of the dual template, as trained; 0 where the weights were made without it.
        parameters: Number of parameters that take part in every frame, batch norms folded.
        template_parameters: Number of parameters of the separate template encoder; 0 where there is none.
        macs: Multiply-accumulates of one `match` call for one target.
        scores: Measured quality by name, such as `{"auc": 0.7}`; `scores_on` names the data.
        scores_on: What the scores were measured on.
        sha256: Digest of the tensors of the checkpoint, see `tensors_sha256`; empty in files of earlier versions.
        files: SHA-256 of each graph of an exported folder, by file name; empty in checkpoints and in folders of earlier versions.
    """

    network: NetworkConfig
    licence: str
    provenance: str
    dynamic_weight: float = 0.0
    parameters: int = 0
    template_parameters: int = 0
    macs: int = 0
    scores: dict[str, float] = field(default_factory=dict)
    scores_on: str = ""
    sha256: str = ""
    files: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Returns JSON that `from_json` reads."""
        values = dataclasses.asdict(self)
        return json.dumps({"format": FORMAT, **values, _DIGEST_KEY: _digest(values)}, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, source: Path) -> Self:
        """Reads a card.

        Args:
            text: What `to_json` wrote, in this version or an earlier one.
            source: The file that it comes from, for messages.

        Raises:
            WeightsError: the text is something else, or was written by a newer version.
            DamagedWeightsError: the network is not the one that was written.
        """
        try:
            values: dict[str, Any] = parse_json(text)
            version = values.pop("format")
            if isinstance(version, bool):
                raise ValueError("format: expected a whole number")
            digest = values.pop(_DIGEST_KEY, None)
            changed = digest is not None and digest != _digest(values)
            network = dict(values["network"])
            former = {key: network.pop(key, only) for key, only in _FORMER_OPTIONS.items()}
            config = NetworkConfig.from_dict(network) if version == FORMAT else None
            card = None if config is None else cls(**values | {"network": config})
            if card is not None:
                card._check()
        except (ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
            raise WeightsError(f"{source}: expected the description of a FEAR network, got something else ({one_line(error)})") from error
        if card is None:
            raise WeightsError(f"{source}: expected format {FORMAT}, got {version!r}; it needs another version of fear-tracker")
        if changed:
            raise DamagedWeightsError(f"{source}: network or dynamic_weight was changed by hand or by damage; take an undamaged copy")
        if former != _FORMER_OPTIONS:
            raise WeightsError(f"{source}: expected a network with {_FORMER_OPTIONS}, got {former}; see research/stark")
        return card

    def _check(self) -> None:
        """Checks kinds and ranges of what a file said."""
        texts = (self.licence, self.provenance, self.scores_on, self.sha256, *self.files, *self.files.values(), *self.scores)
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("expected text for licence, provenance, scores_on, sha256 and files")
        counts = (self.parameters, self.template_parameters, self.macs)
        if not all(_is_number(count) and isinstance(count, int) and count >= 0 for count in counts):
            raise ValueError("expected whole numbers from 0 up for parameters and macs")
        if not _is_number(self.dynamic_weight) or not abs(self.dynamic_weight) <= _LARGEST_WEIGHT:
            raise ValueError(f"dynamic_weight: expected a number up to {_LARGEST_WEIGHT}, got {self.dynamic_weight!r}")
        if not all(_is_number(score) for score in self.scores.values()):
            raise ValueError("expected numbers for scores")


def _is_number(value: object) -> bool:
    """Whether JSON holds a number there; Python counts its `true` and `false` as numbers too."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _digest(values: Mapping[str, Any]) -> str:
    """SHA-256 of `network`, without its name, and of `dynamic_weight` as a card holds them."""
    network = {key: value for key, value in values["network"].items() if key != "name"}
    text = json.dumps([network, values.get("dynamic_weight", 0.0)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_card(path: Path) -> WeightsCard:
    """Reads the card of a checkpoint or of an exported folder.

    Raises:
        WeightsError: `path` is neither of them, or is damaged.
    """
    if path.is_dir():
        description = path / "config.json"
        if not description.is_file():
            raise WeightsError(f"{path}: expected an exported network with config.json, found {sorted(p.name for p in path.iterdir())[:8]}")
        try:
            text = description.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise WeightsError(f"{description}: expected JSON in UTF-8, got other bytes ({error})") from error
        return WeightsCard.from_json(text, description)
    if not path.is_file():
        raise WeightsError(f"{path}: expected a .safetensors checkpoint or an exported folder, found nothing there")
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            types = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118  # it is no dictionary
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: expected a .safetensors checkpoint, got another or a damaged file ({one_line(error)})") from error
    if _HEADER_KEY not in metadata:
        raise WeightsError(f"{path}: expected a checkpoint of this package, its header has no entry '{_HEADER_KEY}'")
    card = WeightsCard.from_json(metadata[_HEADER_KEY], path)
    _require_types(types, path)
    return card


def _require_types(types: Mapping[str, str], path: Path) -> None:
    """Checks the types of a checkpoint's tensors, before anything is converted.

    Raises:
        WeightsError: a tensor has another type than this package writes.
    """
    for name, found in types.items():
        expected = (_COUNTER,) if name.endswith(_COUNTERS) else _FLOATS
        if found not in expected:
            raise WeightsError(
                f"{path}: expected tensors of type {' or '.join(expected)}, got {found} for {name!r}; convert them to that type"
            )


def header(card: WeightsCard) -> dict[str, str]:
    """Returns the card as safetensors metadata."""
    return {_HEADER_KEY: card.to_json()}


def tensors_sha256(tensors: Mapping[str, NDArray[Any]]) -> str:
    """Returns the SHA-256 of tensors: of name, type, shape and bytes of each, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tensor.shape}\n".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def require_tensors(tensors: Mapping[str, NDArray[Any]], card: WeightsCard, source: Path) -> None:
    """Checks the tensors of a checkpoint against its card; a card without a digest passes.

    Raises:
        DamagedWeightsError: they have another digest.
    """
    if card.sha256 and (found := tensors_sha256(tensors)) != card.sha256:
        raise DamagedWeightsError(f"{source}: expected tensors with SHA-256 {one_line(card.sha256)}, got {found}; take an undamaged copy")


def write_folder_card(card: WeightsCard, folder: Path) -> WeightsCard:
    """Writes `config.json` of an exported folder, with a digest of every graph that lies there; returns the card as written."""
    graphs = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix in _GRAPH_SUFFIXES)
    card = dataclasses.replace(card, files={path.name: sha256_of(path) for path in graphs})
    (folder / "config.json").write_text(card.to_json() + "\n", encoding="utf-8")
    return card


def checked_sha256(graph: Path, card: WeightsCard) -> str:
    """Returns the SHA-256 of a graph of an exported folder, or nothing if there is no such file.

    Args:
        graph: The file.
        card: The card of the folder. A card of earlier versions, without any digests of files, lets every graph pass.

    Raises:
        DamagedWeightsError: the card holds another digest, or digests of other files alone.
    """
    if not graph.is_file():
        return ""
    found = sha256_of(graph)
    if not card.files:
        return found
    if graph.name not in card.files:
        known = ", ".join(card.files)
        raise DamagedWeightsError(f"{graph}: expected its SHA-256 in config.json, got {one_line(known)} alone; take an undamaged copy")
    if found != (expected := card.files[graph.name]):
        raise DamagedWeightsError(f"{graph}: expected SHA-256 {one_line(expected)}, got {found}; take an undamaged copy or export again")
    return found
