"""Puts weights that training produced into the package, as checkpoint and exported graphs.

    python scripts/package_weights.py runs/distill_xs/weights.safetensors [--name fear-xs] [--provenance "…"]
    python scripts/package_weights.py src/fear/weights/fear-xs/checkpoint.safetensors --summary results/accuracy/default/summary.json

Batch norms are folded, weights rounded to float16 and exported; the export is compared with torch. With pictures an int8 form of `match`
is calibrated on them and goes beside it, for `auto` to choose where it is faster. With a summary of `fear eval` the measured scores go
into the card.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

import fear.weights
from fear.export import count_macs
from fear.loading.convert import export_checkpoint
from fear.network import fold, load_checkpoint, save_checkpoint
from fear.runtime.protocol import QUANTISED
from fear.weights.card import read_card, write_folder_card


def main() -> None:
    """Parses, folds, exports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--name", help="of the model; the checkpoint's own by default")
    parser.add_argument("--provenance", help="the checkpoint's own by default")
    parser.add_argument("--summary", type=Path, help="summary.json of `fear eval`")
    parser.add_argument("--tracker", default="fear-xs", help="the tracker's name in the summary")
    parser.add_argument("--scores-on", default="34 reference sequences, docs/results.md", help="what the summary was measured on")
    parser.add_argument("--output", type=Path, help="folder; the package's own by default")
    parser.add_argument("--pictures", type=Path, help="folder with pictures of clips, to make the int8 form from")
    parser.add_argument("--least-overlap", type=float, help="of the int8 form's boxes with the float network's, see `fear export`")
    options = parser.parse_args()

    network, card = load_checkpoint(options.checkpoint)
    network = fold(network)
    name = options.name or card.network.name
    scores, scores_on = card.scores, card.scores_on
    if options.summary:
        mean = json.loads(options.summary.read_text(encoding="utf-8"))["trackers"][options.tracker]["mean"]
        scores, scores_on = {key: round(mean[key], 4) for key in ("auc", "ao", "sr50", "precision")}, options.scores_on
    network.config = replace(network.config, name=name)
    card = replace(
        card,
        network=network.config,
        provenance=options.provenance or card.provenance,
        macs=count_macs(network),
        scores=scores,
        scores_on=scores_on,
    )
    target = options.output or Path(fear.weights.__file__).parent / "packaged" / name
    with tempfile.TemporaryDirectory() as temporary:
        checkpoint = Path(temporary) / "checkpoint.safetensors"
        save_checkpoint(network, checkpoint, card, torch.float16)
        same = options.checkpoint.resolve() == (target / "checkpoint.safetensors").resolve()  # only its card changes, so int8 stays true
        kept = list(target.glob(f"{QUANTISED}.*")) if same and not options.pictures else []
        for path in kept:
            shutil.copy(path, temporary)
        report = export_checkpoint(checkpoint, target, precision="fp16")
        shutil.copy(checkpoint, target / "checkpoint.safetensors")
        print(f"wrote {target}; largest difference between export and torch {report.largest:.1e}")
        for path in kept:
            shutil.copy(Path(temporary) / path.name, target)
        if options.pictures:
            quantised = Path(temporary) / "int8"
            report = export_checkpoint(checkpoint, quantised, "openvino", "int8", options.pictures, options.least_overlap)
            for suffix in (".xml", ".bin"):
                shutil.copy(quantised / f"match{suffix}", target / f"{QUANTISED}{suffix}")
            print(f"int8: best cell equal in {report.agreement:.0%} of crops, at most one beside it in {report.near:.0%}")
        write_folder_card(read_card(target), target)  # with digests of the graphs that were added


if __name__ == "__main__":
    main()
