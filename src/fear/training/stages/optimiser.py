"""The optimiser of a stage, and how its learning rate changes."""

from __future__ import annotations

import math
from typing import Any

import torch
from pytorch_optimizer import SOAP
from torch import Tensor

from fear.network import Encoder, FearNetwork
from fear.training.sections import StageSection

_FRESH = 0.1  # root mean square of freshly initialised weights, about: 1×1 convolutions of some hundred channels
_WEIGHT_DECAY = 1e-5
_SOAP_INTERVAL = 20  # steps between two computations of SOAP's eigenbases


def make_optimiser(network: FearNetwork, stage: StageSection, steps: int) -> Any:
    """Optimiser and schedule, as Lightning's `configure_optimizers` returns them.

    Args:
        network: Whose parameters learn, as far as they require a gradient.
        stage: Optimiser, rate and schedule.
        steps: Length of the stage.
    """
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    deep = {
        id(parameter) for encoder in encoders(network) for part in (encoder.backbone, encoder.adjust) for parameter in part.parameters()
    }
    shares = [stage.backbone_rate if id(parameter) in deep else 1.0 for parameter in learning]
    if network.config.folded:
        shares = [share * relative_rate(parameter) for share, parameter in zip(shares, learning, strict=True)]
    groups = [{"params": [parameter], "lr": stage.rate * share} for parameter, share in zip(learning, shares, strict=True)]
    optimiser: torch.optim.Optimizer
    if stage.optimiser == "soap":
        optimiser = SOAP(groups, lr=stage.rate, weight_decay=_WEIGHT_DECAY, precondition_frequency=_SOAP_INTERVAL)
    else:
        optimiser = torch.optim.AdamW(groups, lr=stage.rate, weight_decay=_WEIGHT_DECAY)
    if stage.schedule == "plateau":
        # the rate halves where tracking no longer improves (published code); a warm-up would overwrite it
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, mode="max", factor=0.5, patience=stage.patience)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": plateau, "monitor": "val_iou"}}

    def factor(step: int) -> float:
        rise = min(1.0, (step + 1) / (stage.warm_up + 1))
        return rise * (0.5 * (1 + math.cos(math.pi * min(1.0, step / steps))) + 1e-3) if stage.schedule == "cosine" else rise

    by_step = {"scheduler": torch.optim.lr_scheduler.LambdaLR(optimiser, factor), "interval": "step"}
    return {"optimizer": optimiser, "lr_scheduler": by_step}


def encoders(network: FearNetwork) -> list[FearNetwork | Encoder]:
    """Whatever has a backbone and an AdjustLayer: the network itself, and the encoder of the templates where they have their own."""
    return [network] if network.template_encoder is None else [network, network.template_encoder]


def relative_rate(parameter: Tensor) -> float:
    """The share of the learning rate at which a tensor of a folded network learns: its size, relative to that of fresh weights.

    Folded batch norms leave tensors whose root mean squares lie between 0.01 and 20, while the steps of Adam have one size for all of them.
    With one rate the small tensors would be thrown about and the large ones would hardly move.
    """
    if parameter.numel() == 1:  # w, and scale and shift of the boxes: numbers around one
        return 1 / _FRESH
    return max(float(parameter.detach().square().mean().sqrt()), 1e-3) / _FRESH
