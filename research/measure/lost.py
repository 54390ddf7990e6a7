"""Do score and similarity tell a followed target from a lost one? Measured on the reference sequences.

    python -m research.measure.lost [--shared ../shared] [--model fear-xs]

A frame counts as followed with an overlap above 0.5, as lost with an overlap of 0. Writes `docs/results/lost.md`.
"""

from __future__ import annotations

import argparse
import multiprocessing
from functools import partial
from pathlib import Path

import numpy as np

from fear.datasets import read
from fear.datasets.clip import Clip
from fear.evaluation.metrics import Floats
from fear.geometry.boxes import iou
from fear.tracking.loop import follow
from fear.tracking.tracker import MultiTracker
from research.measure.provenance import provenance

HERE = Path(__file__).parent
PAGE = """# Followed or lost?

How well do `score`, `similarity` and `lost` tell a followed target from a lost one? Measured with {model} (float32) on the reference clips:
{followed} frames with an overlap above 0.5 count as followed, {lost} frames with an overlap of 0 count as lost.

{provenance}

{table}

`lost` is true in {lost_flagged} of the lost frames and in {followed_flagged} of the followed ones.
"""


def track(model: str, clip: Clip) -> Floats:
    """Score, similarity, overlap and `lost` of every frame after the first that shows the target, (F', 4)."""
    steps = follow(MultiTracker(model, runtime="onnx", threads=1), clip, [clip.boxes_xywh[0].tolist()])
    shown = [step for step in steps if step.index > 0 and clip.visible[step.index]]
    overlaps = iou([step.tracks[0].box_xywh for step in shown], clip.boxes_xywh[[step.index for step in shown]])
    tracks = [step.tracks[0] for step in shown]
    return np.array([(one.score, one.similarity, overlap, one.lost) for one, overlap in zip(tracks, overlaps, strict=True)])


def roc_area(followed: Floats, lost: Floats) -> float:
    """Chance that a followed frame has a higher value than a lost one; ties count half."""
    return float(((followed[:, None] > lost).mean() + (followed[:, None] >= lost).mean()) / 2)


def main() -> None:
    """Tracks, compares, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared", help="folder with data/sequences")
    parser.add_argument("--model", default="fear-xs")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    sequences = read("folder", options.shared / "data" / "sequences")
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        rows = np.concatenate(pool.map(partial(track, options.model), sequences, chunksize=1))
    followed, lost = rows[rows[:, 2] > 0.5], rows[rows[:, 2] <= 0]
    lines = [
        "| signal | ROC area | followed frames: 1st, 5th, 50th percentile | lost frames: 50th, 95th percentile |",
        "|---|---|---|---|",
    ]
    for column, name in enumerate(("score", "similarity")):
        low = ", ".join(f"{value:.2f}" for value in np.percentile(followed[:, column], (1, 5, 50)))
        high = ", ".join(f"{value:.2f}" for value in np.percentile(lost[:, column], (50, 95)))
        lines.append(f"| {name} | {roc_area(followed[:, column], lost[:, column]):.3f} | {low} | {high} |")
    text = PAGE.format(
        model=options.model,
        followed=len(followed),
        lost=len(lost),
        provenance=provenance("python -m research.measure.lost"),
        table="\n".join(lines),
        lost_flagged=f"{lost[:, 3].mean():.1%}",
        followed_flagged=f"{followed[:, 3].mean():.1%}",
    )
    target = HERE.parents[1] / "docs" / "results" / "lost.md"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(f"{text}\nwrote {target}")


if __name__ == "__main__":
    main()
