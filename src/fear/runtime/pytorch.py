"""torch: for checkpoints that were not exported, and for graphics cards."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from fear.errors import ConfigError
from fear.network import FearNetwork, fold, load_checkpoint
from fear.runtime.memory import memory_named
from fear.runtime.protocol import Crops, Floats, Maps


class TorchNetwork:
    """A checkpoint, or a network in memory, on torch. Several threads may use it.

    Args:
        network: A `.safetensors` file, or a network, which is copied; batch norms are folded.
        device: `cpu` or another device of torch, such as `cuda`.
        threads: Number of threads; None leaves it to torch. The setting holds for all of torch in this process.

    Raises:
        ConfigError: this torch does not have the device.
        WeightsError: the file is not a checkpoint, or is damaged.
    """

    def __init__(self, network: Path | FearNetwork, device: str = "cpu", threads: int | None = None) -> None:
        if isinstance(network, Path):
            network, _ = load_checkpoint(network)
        try:
            self._device = torch.device(device)
            self._network = fold(network).to(self._device)
        except (RuntimeError, AssertionError) as error:  # torch's answers to an unknown or a missing device
            reason = str(error).partition("\n")[0][:160]
            raise ConfigError(f"device: expected one that this torch has, got {device!r} ({reason})") from error
        self.config = network.config
        self.dynamic_weight = network.dynamic_weight.item()
        if threads is not None:
            torch.set_num_threads(threads)

    def _images(self, crops: Crops) -> Tensor:
        return torch.from_numpy(crops).to(self._device).permute(0, 3, 1, 2)  # (N, H, W, 3) → (N, 3, H, W)

    @torch.inference_mode()
    def encode_template(self, template_crops: Crops) -> Floats:
        """See `Network.encode_template`."""
        with memory_named(self.config.name, "torch"):
            features: Floats = self._network.encode_template(self._images(template_crops)).cpu().numpy()
        return features

    @torch.inference_mode()
    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        """See `Network.match`."""
        with memory_named(self.config.name, "torch"):
            template = torch.from_numpy(template_features).to(self._device)
            logits, boxes_ltrb, embedding = self._network.match(self._images(search_crops), template)
            return Maps(logits.sigmoid().cpu().numpy(), boxes_ltrb.cpu().numpy(), embedding.cpu().numpy())
