"""torch: for checkpoints that were not exported, and for graphics cards."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from fear.network import FearNetwork, fold, load_checkpoint
from fear.runtime.protocol import Crops, Floats, Maps


class TorchNetwork:
    """A checkpoint, or a network in memory, on torch.

    Args:
        network: A `.safetensors` file or a network; it is copied and its batch norms folded.
        device: `cpu` or another device of torch, such as `cuda`.
        threads: None leaves it to torch; the setting is torch's own and holds for the whole process.
    """

    def __init__(self, network: Path | FearNetwork, device: str = "cpu", threads: int | None = None) -> None:
        if isinstance(network, Path):
            network, _ = load_checkpoint(network)
        self._network = fold(network).to(device)
        self._device = torch.device(device)
        self.config = network.config
        self.dynamic_weight = network.dynamic_weight.item()
        if threads is not None:
            torch.set_num_threads(threads)

    def _images(self, crops: Crops) -> Tensor:
        return torch.from_numpy(crops).to(self._device).permute(0, 3, 1, 2)  # (N, H, W, 3) → (N, 3, H, W)

    @torch.inference_mode()
    def encode_template(self, template_crops: Crops) -> Floats:
        """See `Network.encode_template`."""
        features: Floats = self._network.encode_template(self._images(template_crops)).cpu().numpy()
        return features

    @torch.inference_mode()
    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        """See `Network.match`."""
        template = torch.from_numpy(template_features).to(self._device)
        logits, boxes_ltrb, embedding = self._network.match(self._images(search_crops), template)
        return Maps(logits.sigmoid().cpu().numpy(), boxes_ltrb.cpu().numpy(), embedding.cpu().numpy())
