"""Every way to name a model, turned into one object.

A model is a packaged name (`fear-xs`), a `.safetensors` checkpoint, an exported folder, or `published:DIR` for the files of the published
network. All commands and the Python interface understand the same four forms, by `find_model`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fear.config import PRESETS
from fear.errors import DamagedWeightsError, WeightsError
from fear.loading.convert import published_checkpoint
from fear.media.names import exists, home_path
from fear.weights import WeightsCard, packaged, read_card

_PUBLISHED = "published:"


@dataclass(frozen=True, slots=True)
class Model:
    """A model: what is known about it, and where its forms lie.

    Attributes:
        card: Configuration, origin and measured quality; its file was read once.
        checkpoint: A `.safetensors` file, for torch, export and training; None where there is none.
        folder: An exported folder, for OpenVINO and ONNX Runtime; None where there is none.

    Examples:
        >>> import fear
        >>> model = fear.models()["fear-xs"]
        >>> model.name, model.has_weights, model.card.licence
        ('fear-xs', True, 'MIT')
    """

    card: WeightsCard
    checkpoint: Path | None = None
    folder: Path | None = None

    @property
    def name(self) -> str:
        """The name of the network, such as `fear-xs`."""
        return self.card.network.name

    @property
    def has_weights(self) -> bool:
        """Whether there is a form of it that can run."""
        return self.checkpoint is not None or self.folder is not None

    def require_checkpoint(self, purpose: str) -> Path:
        """Returns the checkpoint.

        Args:
            purpose: What it is needed for, for the message.

        Raises:
            WeightsError: the model has none.
            DamagedWeightsError: the checkpoint is not the one that the card of the exported folder describes.
        """
        if self.checkpoint is None:
            found = "no weights" if self.folder is None else "a folder that is exported already"
            raise WeightsError(f"{self.folder or self.name}: {purpose} needs a .safetensors checkpoint, got {found}")
        if self.folder is not None:  # then `card` is that of the folder, and nothing has looked into the checkpoint yet
            _require_same_network(self.checkpoint, self.folder, self.card)
        return self.checkpoint


def _require_same_network(checkpoint: Path, folder: Path, card: WeightsCard) -> None:
    """Checks that a checkpoint holds the network of an exported folder; its tensors are checked against its own card when it is loaded.

    Raises:
        DamagedWeightsError: it holds another network.
    """
    own = read_card(checkpoint)
    for field in ("sha256", "dynamic_weight", "network"):
        expected, found = getattr(card, field), getattr(own, field)
        if found != expected:
            raise DamagedWeightsError(
                f"{checkpoint}: expected the network of {folder / 'config.json'} with {field} {expected}, got {found}; "
                "take an undamaged copy of the package"
            )


def find_model(reference: str | Path | Model) -> Model:
    """Finds a model.

    Args:
        reference: A packaged name, the path of a `.safetensors` checkpoint or of an exported folder, or `published:DIR` with the folder of
            the published CoreML files, which are converted once and kept in the cache folder. A `Model` is returned as it is.

    Raises:
        WeightsError: it is none of these, or its files are damaged.
        RuntimeMissingError: `published:DIR` needs a package that is not installed.
    """
    if isinstance(reference, Model):
        return reference
    if not isinstance(reference, str | Path) or not str(reference).strip():
        raise WeightsError(f"expected a model's name or path, got {reference!r}")
    text = str(reference)
    known = packaged()
    if text in known:
        checkpoint, folder = known[text]
        return Model(read_card(folder or checkpoint or Path(text)), checkpoint, folder)
    if text.startswith(_PUBLISHED):
        checkpoint = published_checkpoint(home_path(Path(text.removeprefix(_PUBLISHED))))
        return Model(read_card(checkpoint), checkpoint)
    path = home_path(Path(reference))
    if exists(path):
        return Model(read_card(path), folder=path) if path.is_dir() else Model(read_card(path), checkpoint=path)
    if text in PRESETS:
        raise WeightsError(f"{text}: a member of the family, but this package holds no weights for it; it has {', '.join(known)}")
    raise WeightsError(
        f"{text}: expected a known model ({', '.join(known)}), a .safetensors checkpoint, an exported folder or published:DIR; found none"
    )


def models() -> dict[str, Model]:
    """Returns the known models by name: those whose weights this package holds, and the other members of the family.

    The card of each says what the network is, where its weights come from and how well they were measured to track.

    Examples:
        >>> import fear
        >>> fear.models()["fear-xs"].card.licence
        'MIT'
        >>> [name for name, model in fear.models().items() if model.has_weights]
        ['fear-nano', 'fear-xs']
    """
    found = {name: find_model(name) for name in packaged()}
    for name, config in PRESETS.items():
        if name not in found:
            parameters, macs = _COUNTED[name]
            found[name] = Model(WeightsCard(config, "", "no weights in this package; train it", parameters=parameters, macs=macs))
    return found


_COUNTED = {
    "fear-nano": (494_608, 186_073_088),
    "fear-xs": (1_346_432, 461_393_920),
    "fear-m": (12_506_760, 5_307_695_104),
    "fear-l": (32_974_872, 10_635_542_528),
}
"""Parameters with batch norms folded, and multiply-accumulates of one search. torch counted them (tested); listing them needs no torch."""
