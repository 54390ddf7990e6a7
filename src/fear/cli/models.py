"""`fear models`: list the family and its weights."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fear.cli.app import app
from fear.cli.console import Output, out

if TYPE_CHECKING:
    from fear.loading.reference import Model

_WIDTH = 80

_COLUMNS = {
    "model": "its name, for `--model` and `fear.Tracker`",
    "backbone": "the part of the network that looks at a picture",
    "parameters": "numbers that were learned; behind the +, those of the encoder that sees templates alone",
    "MACs": "multiplications of one search in a crop of 256 pixels; less is faster",
    "AUC": "mean success rate, 0 to 1; more is better",
    "AO": "mean overlap with the true box, 0 to 1; more is better",
    "licence": "of the weights; – where this package holds none, and `fear train` makes them",
}


@app.command("models")
def models_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the cards of all models as JSON.")] = False,
) -> None:
    """List the family and its known weights."""
    from fear.loading.reference import models

    found = models()
    if as_json:
        typer.echo(json.dumps({name: _plain(model) for name, model in found.items()}, indent=1))
        return
    _print_table(found)


def _print_table(found: dict[str, Model]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column in ("model", "backbone", "licence") else "right")
    for name, model in found.items():
        card = model.card
        template = f" + {card.template_parameters / 1e6:.2f} M" if card.template_parameters else ""
        scores = (f"{card.scores[key]:.3f}" if key in card.scores else "–" for key in ("auc", "ao"))
        parameters, macs = f"{card.parameters / 1e6:.2f} M{template}", f"{card.macs / 1e9:.2f} G"
        table.add_row(name, card.network.backbone, parameters, macs, *scores, card.licence or "–")
    Output(highlight=False, width=_WIDTH).print(table)
    lines = [_paragraph(f"{column:<12}{meaning}", 12) for column, meaning in _COLUMNS.items()]
    lines += [""] + [_paragraph(f"{name:<12}{_origin(model)}", 12) for name, model in found.items()]
    out.print("\n" + "\n".join(lines), markup=False)


def _origin(model: Model) -> str:
    """Where the weights come from, and what their scores were measured on."""
    card = model.card
    return f"{card.provenance} Measured on {card.scores_on}." if card.scores else card.provenance


def _paragraph(text: str, indent: int) -> str:
    return textwrap.fill(text, _WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _plain(model: Model) -> dict[str, Any]:
    """A model as values for JSON: its card, and where its files lie."""
    places = {"checkpoint": model.checkpoint, "folder": model.folder}
    card: dict[str, Any] = json.loads(model.card.to_json())
    return card | {"has_weights": model.has_weights} | {key: path and str(path) for key, path in places.items()}
