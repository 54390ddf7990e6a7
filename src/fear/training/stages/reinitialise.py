"""Units of blocks that learned the wrong thing are initialised again.

In a block without expansion each filter belongs to one channel of its input. A filter that started with the wrong sign cannot change places
with another one: it falls silent or stays a poor substitute, and its share of the error remains, however long the block learns. So from
time to time some units of every block are initialised again. A block keeps them if its error falls within one cycle; otherwise it goes
back to its earlier weights. Where a block has expanded channels to spare, weak units are initialised first.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fear.network.backbones import InvertedResidual


class Reinitialisation:
    """Cycles of initialising, learning and judging, for each block apart.

    Args:
        blocks: The blocks that learn, by the place of their error among all errors.
        cycle: Steps between two initialisations.
        until: From this step on the best weights learn undisturbed.
        seed: The same seed initialises the same units in the same way.
    """

    def __init__(self, blocks: dict[int, InvertedResidual], cycle: int, until: int, seed: int) -> None:
        self._blocks, self._cycle, self._until = blocks, cycle, until
        self._generator = torch.Generator().manual_seed(seed)
        self._best: dict[int, tuple[float, dict[str, Tensor]]] = {}
        self._sums: dict[int, float] = dict.fromkeys(blocks, 0.0)
        self.kept = 0
        """How often a block became better."""

    def observe(self, step: int, errors: list[Tensor]) -> None:
        """Counts the errors of a step; at the end of a cycle judges the last units and initialises new ones.

        Args:
            step: Number of this step, from 0.
            errors: The errors of all pieces, scalars.
        """
        place = step % self._cycle
        if step >= self._until:
            return
        if place >= self._cycle // 2:  # in the first half the new units learn and are not judged
            for number in self._blocks:
                self._sums[number] += float(errors[number].detach())
        if place == self._cycle - 1:
            for number, block in self._blocks.items():
                self._judge(number, block)
                if step + self._cycle < self._until:
                    reinitialise_units(block, self._generator)

    def _judge(self, number: int, block: InvertedResidual) -> None:
        error, self._sums[number] = self._sums[number], 0.0
        if not math.isfinite(error):
            error = math.inf
        if number not in self._best or error < self._best[number][0]:
            self.kept += number in self._best
            self._best[number] = error, {name: value.detach().clone() for name, value in block.state_dict().items()}
        else:
            block.load_state_dict(self._best[number][1])


@torch.no_grad()
def reinitialise_units(block: InvertedResidual, generator: torch.Generator) -> None:
    """Gives new filters to one to three units of a block without expansion, and to one in ten units of an expanded block."""
    filters, reader = block.conv_dw.weight, block.conv_pwl.weight  # (K, 1, k, k), (N, K, 1, 1)
    expanded = isinstance(block.conv_pw, nn.Conv2d)
    count = max(1, len(filters) // 10) if expanded else int(torch.randint(1, 4, (), generator=generator))
    strength = filters.flatten(1).norm(dim=1) * reader[:, :, 0, 0].norm(dim=0)
    chances = 1 / (strength + 1e-3 * strength.max() + 1e-12) if expanded else torch.ones(len(filters))
    spread = filters.square().mean().sqrt()
    for unit in torch.multinomial(chances.cpu(), min(count, len(filters)), generator=generator).tolist():
        if not expanded and torch.rand((), generator=generator) < 0.4:
            filters[unit].neg_()
        else:
            filters[unit] = spread * torch.randn(filters[unit].shape, generator=generator).to(filters)
        if isinstance(block.conv_pw, nn.Conv2d):
            rows = block.conv_pw.weight
            rows[unit] = rows.square().mean().sqrt() * torch.randn(rows[unit].shape, generator=generator).to(rows)
        reader[:, unit] = 0  # the output does not change until the unit has learned something
