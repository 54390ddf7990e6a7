"""Scores on long clips of our networks, the published network and OpenCV's trackers, measured in one run.

    python -m research.measure.long [--shared ../shared] [--workers 2] [--anchors 200] [--trackers fear-xs,opencv:nano]

Writes `docs/results/long.md` and `docs/results/long.png`: scores, long-term measures, how often trackers say that they are lost, paired
intervals over clips, and the overlap over time of the clips on which the first tracker fails. With `--anchors` trackers also run from many
starts. OpenCV's trackers need opencv-contrib.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tabulate import tabulate

from fear.datasets import read
from fear.datasets.clip import Clip
from fear.evaluation import Evaluation, Options, Spec, evaluate
from fear.evaluation.jobs import Job
from fear.evaluation.metrics import Floats
from fear.evaluation.results import read_outcome
from fear.geometry.boxes import iou
from research.measure.progress import show_progress
from research.measure.provenance import provenance

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "results"
PAGE = """# Long clips

How the trackers do on clips of hundreds of frames, in which targets hide and come back. All trackers ran in one run on the same machine.

{provenance}

{report}

## Frames without the target, by clip

How many of the absent frames each tracker flags as lost.

{absence}

## Clips on which {first} fails

A clip fails where the AUC is below {failed}. The plot shows the overlap over time, smoothed over 15 frames; where the target is absent, the
lines are interrupted.

![overlap over time](long.png)
"""
FAILED = 0.5
"""AUC below which a clip counts as failed."""
_SMOOTH = 15  # frames


def main() -> None:
    """Evaluates and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared", help="folder with data/long, official, peers")
    parser.add_argument("--output", type=Path, default=HERE.parents[1] / "results" / "long")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--anchors", type=int, help="distance between many starts, in frames")
    parser.add_argument("--clips", help="only these, separated by commas")
    parser.add_argument("--trackers", help="separated by commas; by default ours, the published network, NanoTrack v2 and VitTrack")
    options = parser.parse_args()
    published = f"published:{options.shared / 'official'}"
    names = options.trackers.split(",") if options.trackers else ["fear-xs", "fear-nano", published, "opencv:nano", "opencv:vit"]
    peers = options.shared / "peers"
    specs = [Spec(name, nano=peers / "nanotrack", vit=peers / "vittrack") for name in names]
    clips = tuple(options.clips.split(",")) if options.clips else None
    root = options.shared / "data" / "long"
    run = Options(sequences=clips, anchors=options.anchors, workers=options.workers)
    found = evaluate(root, specs, output=options.output, options=run, on_done=show_progress)
    plot_failures(found, specs, read("folder", root), DOCS / "long.png")
    report = (options.output / "report.md").read_text(encoding="utf-8").partition("\n## Where ")[0]
    report = report.partition("\n\n")[2].replace("![success](success.png) ![precision](precision.png)\n\n", "")
    text = PAGE.format(
        provenance=provenance("python -m research.measure.long" + (f" --anchors {options.anchors}" if options.anchors else "")),
        report=report.replace(published, "published FEAR-XS").strip(),
        absence=absence_by_clip(found, specs, read("folder", root)),
        first=names[0],
        failed=FAILED,
    )
    (DOCS / "long.md").write_text(text, encoding="utf-8")
    print(f"{found.table}\nwrote {DOCS / 'long.md'}")


def absence_by_clip(found: Evaluation, specs: list[Spec], clips: list[Clip]) -> str:
    """A table of the clips that have frames without the target: their number, and how many of them each tracker flags."""
    rows = []
    for clip in clips:
        if clip.name in found.summary["trackers"][specs[0].name]["sequences"] and not clip.visible.all():
            runs = [read_outcome(Job(spec, clip, found.output / "results" / spec.folder_name)) for spec in specs]
            rows.append([clip.name, int((~clip.visible).sum()), *(int(run.lost[~clip.visible].sum()) for run in runs)])
    return str(tabulate(rows, ["clip", "absent frames", *(_title(spec) for spec in specs)], tablefmt="github"))


def _title(spec: Spec) -> str:
    return "published FEAR-XS" if spec.name.startswith("published:") else spec.name


def plot_failures(found: Evaluation, specs: list[Spec], clips: list[Clip], path: Path) -> None:
    """Draws the overlap of every tracker over time, one row for each clip on which the first tracker fails."""
    scores = found.summary["trackers"][specs[0].name]["sequences"]
    failed = [clip for clip in clips if clip.name in scores and (scores[clip.name]["auc"] or 0.0) < FAILED]
    figure = Figure(figsize=(9, 1.8 * max(len(failed), 1)), layout="constrained")
    FigureCanvasAgg(figure)
    for row, clip in enumerate(failed):
        axes = figure.add_subplot(len(failed), 1, row + 1, title=clip.name, ylabel="overlap", ylim=(0, 1))
        for spec in specs:
            outcome = read_outcome(Job(spec, clip, found.output / "results" / spec.folder_name))
            axes.plot(smooth(iou(outcome.boxes_xywh, clip.boxes_xywh)), label=_title(spec), linewidth=1)
        axes.grid(alpha=0.3)
        if row == 0:
            axes.legend(fontsize="x-small", ncols=len(specs))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def smooth(overlaps: Floats) -> Floats:
    """The mean overlap of the frames around each frame; NaN where the target is absent."""
    known = np.isfinite(overlaps)
    window = np.ones(_SMOOTH)
    sums, counts = np.convolve(np.where(known, overlaps, 0), window, "same"), np.convolve(known, window, "same")
    return np.where(known, sums / np.maximum(counts, 1), np.nan)


if __name__ == "__main__":
    main()
