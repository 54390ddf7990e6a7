"""Units that learned the wrong thing begin again.

In a block without expansion each filter belongs to one channel of its input. One that started with the wrong sign cannot change places with
another: it falls silent or stays a poor substitute, and so does its share of the error, however long the block learns. So now and then some
units of every block are drawn anew; a block keeps them if it gets better within a cycle, and goes back to what it was if not. Weak units
are drawn first where a block has expanded channels to spare.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fear.network.backbones import InvertedResidual


class Redraws:
    """Cycles of drawing, learning and judging, for each block apart.

    Args:
        blocks: Those that learn, by their place among all errors.
        cycle: Steps between two draws.
        until: Step of the last judgement; from there on the best is left to learn undisturbed.
        seed: The same seed draws the same.
    """

    def __init__(self, blocks: dict[int, InvertedResidual], cycle: int, until: int, seed: int) -> None:
        self._blocks, self._cycle, self._until = blocks, cycle, until
        self._generator = torch.Generator().manual_seed(seed)
        self._best: dict[int, tuple[float, dict[str, Tensor]]] = {}
        self._sums: dict[int, float] = dict.fromkeys(blocks, 0.0)
        self.kept = 0
        """Draws that made a block better."""

    def observe(self, step: int, errors: list[Tensor]) -> None:
        """Counts the errors of a step's start; at the end of a cycle judges the last draws and makes new ones.

        Args:
            step: Number of this step, from 0.
            errors: Of all pieces, scalars.
        """
        place = step % self._cycle
        if step >= self._until:
            return
        if place >= self._cycle // 2:  # the first half is for learning
            for number in self._blocks:
                self._sums[number] += float(errors[number].detach())
        if place == self._cycle - 1:
            for number, block in self._blocks.items():
                self._judge(number, block)
                if step + self._cycle < self._until:
                    draw_again(block, self._generator)

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
def draw_again(block: InvertedResidual, generator: torch.Generator) -> None:
    """Gives one to three units of a block new filters, and of an expanded block one in ten."""
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
        reader[:, unit] = 0  # it says nothing until it has learned something
