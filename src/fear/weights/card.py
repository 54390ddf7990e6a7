"""What is known about a set of weights: one object that travels with them.

A checkpoint holds it as JSON in the safetensors header, an exported folder as `config.json`.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from safetensors import SafetensorError, safe_open

from fear.config import NetworkConfig
from fear.errors import ConfigError, WeightsError

FORMAT = 1
"""Counts up when older programs could misread newer files."""

_HEADER_KEY = "fear"

_FORMER_OPTIONS = {"merge": "sum", "update": "similarity"}
"""Keys of the network that earlier versions wrote, and the only value that this version still runs."""


@dataclass(frozen=True, slots=True)
class WeightsCard:
    """Configuration, origin and measured quality of weights.

    Attributes:
        network: The network that the weights fit.
        licence: SPDX name.
        provenance: How the weights came about, and whom to thank.
        dynamic_weight: w of the dual template, as trained; 0 where the weights were made without it.
        parameters: Learnable numbers that take part in every frame, batch norms folded.
        template_parameters: Those of the templates' own encoder, where there is one.
        macs: Multiply-accumulates of one `match` call for one target.
        scores: Measured quality by name, such as `{"auc": 0.7}`, with the data they were measured on in `scores_on`.
        scores_on: What the scores were measured on.
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

    def to_json(self) -> str:
        """JSON that `from_json` reads."""
        return json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, source: Path) -> Self:
        """Reads a card.

        Raises:
            WeightsError: `source` holds something else, or was written by a newer version.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            version = values.pop("format")
            if version != FORMAT:
                raise WeightsError(f"{source}: expected format {FORMAT}, got {version}; it needs another version of fear-tracker")
            network = dict(values["network"])
            for key, only in _FORMER_OPTIONS.items():
                if network.pop(key, only) != only:
                    raise WeightsError(f"{source}: expected {key} {only!r}, got {values['network'][key]!r}; see research/stark")
            return cls(**values | {"network": NetworkConfig.from_dict(network)})
        except (ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
            raise WeightsError(f"{source}: expected the description of a FEAR network, got something else ({error})") from error


def read_card(path: Path) -> WeightsCard:
    """The card of a checkpoint file or an exported folder; needs no torch.

    Raises:
        WeightsError: neither of them, or damaged.
    """
    if path.is_dir():
        description = path / "config.json"
        if not description.is_file():
            raise WeightsError(f"{path}: expected an exported network with config.json, found {sorted(p.name for p in path.iterdir())[:8]}")
        return WeightsCard.from_json(description.read_text(encoding="utf-8"), description)
    if not path.is_file():
        raise WeightsError(f"{path}: expected a .safetensors checkpoint or an exported folder, found nothing there")
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: expected a .safetensors checkpoint, got another or a damaged file ({error})") from error
    if _HEADER_KEY not in metadata:
        raise WeightsError(f"{path}: expected a checkpoint of this package, its header has no entry '{_HEADER_KEY}'")
    return WeightsCard.from_json(metadata[_HEADER_KEY], path)


def header(card: WeightsCard) -> dict[str, str]:
    """The card as safetensors metadata."""
    return {_HEADER_KEY: card.to_json()}
