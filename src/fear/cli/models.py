"""`fear models`: list the family and its weights."""

from __future__ import annotations

import sys

from rich.table import Table

from fear.cli.app import app
from fear.cli.console import Output


@app.command("models")
def models_command() -> None:
    """List the family and its known weights."""
    from fear.loading.reference import models

    table = Table(box=None, pad_edge=False)
    for column in ("model", "backbone", "parameters", "MACs", "dynamic w", "measured", "licence", "provenance"):
        table.add_column(column, justify="right" if column in ("parameters", "MACs", "dynamic w") else "left", overflow="fold")
    for model in models().values():
        card = model.card
        scores = ", ".join(f"{name} {value:.3f}" for name, value in card.scores.items())
        table.add_row(
            card.network.name,
            card.network.backbone,
            f"{card.parameters / 1e6:.2f} M" + (f" + {card.template_parameters / 1e6:.2f} M" if card.template_parameters else ""),
            f"{card.macs / 1e9:.2f} G",
            f"{card.dynamic_weight:.3f}" if model.has_weights else "–",
            f"{scores} ({card.scores_on})" if scores else "–",
            card.licence or "–",
            card.provenance,
        )
    Output(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)
