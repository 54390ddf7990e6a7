"""Merges batch norms into the convolutions before them: the same function with fewer operations.

The modules of our networks are registered in the order in which data passes them, and a batch norm always follows its convolution directly.
So the pairs can be read from the list of modules, whatever their names are.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Module = TypeVar("Module", bound=nn.Module)


def convolution_norm_pairs(module: nn.Module) -> Iterator[tuple[str, str]]:
    """Yields the name of every convolution that a batch norm follows, with the name of that norm."""
    before = ""
    for name, part in module.named_modules():
        if next(part.children(), None) is not None or isinstance(part, nn.Identity):
            continue
        if isinstance(part, nn.BatchNorm2d):
            yield before, name
        before = name


def fold_batch_norms(module: Module) -> Module:
    """Returns a copy, in evaluation mode, in which every batch norm is merged into its convolution."""
    folded = copy.deepcopy(module).eval()
    for convolution_name, norm_name in list(convolution_norm_pairs(folded)):
        convolution, norm = folded.get_submodule(convolution_name), folded.get_submodule(norm_name)
        if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
            raise TypeError(f"{norm_name} must stand right after its convolution, not after {convolution_name}")
        folded.set_submodule(convolution_name, fuse_conv_bn_eval(convolution, norm))
        folded.set_submodule(norm_name, nn.Identity())
    return folded
