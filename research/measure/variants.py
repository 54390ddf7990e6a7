"""Tracks the reference clips in six variants, which shows how much of a score is chance.

    python -m research.measure.variants [--shared ../shared] [--models fear-xs,fear-nano,published]

One target that is lost in one of 34 short clips moves the mean by up to 0.03, so a small difference between two networks says little.
Here each clip is also tracked from its 20th frame on, by every second frame, and all that backwards. Writes `docs/results/variants.md`.
"""

from __future__ import annotations

import argparse
import multiprocessing
from functools import partial
from pathlib import Path

import numpy as np

from fear.datasets import read
from fear.datasets.clip import Clip
from fear.evaluation.metrics import Floats, measure
from fear.loading.reference import find_model
from fear.tracking.loop import follow
from fear.tracking.tracker import MultiTracker
from research.measure.provenance import provenance

HERE = Path(__file__).parent
VARIANTS = {
    "as they are": slice(None),
    "from frame 20": slice(20, None),
    "every second frame": slice(None, None, 2),
    "backwards": slice(None, None, -1),
    "backwards, from frame 20": slice(-21, None, -1),
    "backwards, every second frame": slice(None, None, -2),
}
PAGE = """# Six variants of the same clips

Mean AUC with the default rules. The same targets are tracked six times: forwards and backwards, from the first frame, from frame 20, and
with every second frame. A clip that is lost in one order is followed in another, so the differences between the rows show how much of one
score is chance.

{provenance}

{table}
"""


def score(model: str, clip: Clip) -> Floats:
    """AUC of a clip in every variant, (6,); NaN where the first frame does not show the target."""
    tracker = MultiTracker(model, runtime="onnx", threads=1)  # float32 on every machine
    return np.array([_auc(tracker, clip.part(part)) for part in VARIANTS.values()])


def _auc(tracker: MultiTracker, clip: Clip) -> float:
    if not clip.visible[0]:
        return float("nan")
    steps = follow(tracker, clip, [clip.boxes_xywh[0].tolist()])
    boxes = np.array([step.tracks[0].box_xywh for step in steps])
    return measure(boxes, clip.boxes_xywh, np.ones(len(boxes)))[0].auc


def main() -> None:
    """Tracks every sequence in every variant with every model and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared", help="folder with data/sequences, official")
    parser.add_argument("--models", default="fear-xs,fear-nano,published", help="names, checkpoints, or `published`; comma-separated")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    sequences = read("folder", options.shared / "data" / "sequences")
    names = options.models.split(",")
    lines = ["| variant | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    scores = {}
    for name in names:
        model = f"published:{options.shared / 'official'}" if name == "published" else name
        find_model(model)  # a wrong name fails at once, not after minutes
        with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
            scores[name] = np.array(pool.map(partial(score, model), sequences, chunksize=1))  # (sequences, 6)
        print(f"{name}: {np.nanmean(scores[name]):.4f}", flush=True)
    for number, variant in enumerate(VARIANTS):
        lines.append(f"| {variant} | " + " | ".join(f"{np.nanmean(scores[name][:, number]):.3f}" for name in names) + " |")
    lines.append("| **all** | " + " | ".join(f"**{np.nanmean(scores[name]):.3f}**" for name in names) + " |")
    target = HERE.parents[1] / "docs" / "results" / "variants.md"
    page = PAGE.format(provenance=provenance("python -m research.measure.variants"), table="\n".join(lines))
    target.write_text(page, encoding="utf-8")
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
