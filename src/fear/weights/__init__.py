"""The weights that come with the package, and how a model's name or path is understood."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from fear.config import PRESETS
from fear.errors import WeightsError
from fear.weights.card import WeightsCard, read_card

__all__ = ["Weights", "WeightsCard", "packaged", "read_card", "resolve"]

_PACKAGED = Path(__file__).parent / "packaged"


class Weights(NamedTuple):
    """Where the forms of one model lie; at least one of them is there."""

    checkpoint: Path | None
    """`.safetensors`, for torch."""
    folder: Path | None
    """Exported, for OpenVINO and ONNX Runtime."""


def packaged() -> dict[str, Weights]:
    """The models inside this package, by name."""
    found = {}
    for folder in sorted(path.parent for path in _PACKAGED.glob("*/config.json")):
        checkpoint = folder / "checkpoint.safetensors"
        found[folder.name] = Weights(checkpoint if checkpoint.is_file() else None, folder)
    return found


def resolve(model: str | Path) -> Weights:
    """Finds a model by name or path.

    Raises:
        WeightsError: neither a known name nor a checkpoint or exported folder.
    """
    known = packaged()
    if str(model) in known:
        return known[str(model)]
    path = Path(model)
    if str(model) in PRESETS and not path.exists():
        raise WeightsError(
            f"{model}: a member of the family, but this package holds no weights for it; it has {', '.join(known) or 'none'}"
        )
    if path.is_dir():
        read_card(path)
        return Weights(None, path)
    if path.is_file():
        read_card(path)
        return Weights(path, None)
    raise WeightsError(f"{model}: expected a known model ({', '.join(known) or 'none'}), a .safetensors checkpoint or an exported folder")


def family() -> list[tuple[WeightsCard, bool]]:
    """A card for every packaged model and every member of the family, and whether its weights are here."""
    cards = [(read_card(weights.folder), True) for weights in packaged().values() if weights.folder is not None]
    here = {card.network.name for card, _ in cards}
    for name, config in PRESETS.items():
        if name not in here:
            parameters, macs = _COUNTED[name]
            cards.append((WeightsCard(config, "", "no weights in this package; train it", parameters=parameters, macs=macs), False))
    return cards


# parameters with batch norms folded, and multiply-accumulates of one search; counted by torch, which need not be installed to list them
_COUNTED = {
    "fear-nano": (494_608, 186_073_088),
    "fear-xs": (1_346_432, 461_393_920),
    "fear-m": (12_506_760, 5_307_695_104),
    "fear-l": (32_974_872, 10_635_542_528),
}
