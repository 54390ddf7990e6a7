"""The networks of the FEAR family, in torch. Only training, conversion, export and the torch runtime import this package."""

from fear.network.checkpoint import load_checkpoint, load_imagenet, save_checkpoint
from fear.network.network import (
    Encoder,
    FearNetwork,
    Prediction,
    build_network,
    channels_last,
    fold,
    merge_spread,
    parameter_count,
    template_parameter_count,
)

__all__ = [
    "Encoder",
    "FearNetwork",
    "Prediction",
    "build_network",
    "channels_last",
    "fold",
    "load_checkpoint",
    "load_imagenet",
    "merge_spread",
    "parameter_count",
    "save_checkpoint",
    "template_parameter_count",
]
