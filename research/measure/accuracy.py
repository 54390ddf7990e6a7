"""Accuracy of our networks, the published network and OpenCV's trackers on the reference clips, measured in one run.

    python -m research.measure.accuracy [--shared ../shared] [--workers 2]

Writes `docs/results/accuracy.md`, its plot of accuracy against speed, and the table in README.md. OpenCV's trackers need
opencv-contrib, which `make bench` installs.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fear.config import TrackerConfig
from fear.evaluation import Options, Spec, evaluate
from fear.evaluation.tables import markdown_table
from fear.loading.load import computed_by, describe, load
from fear.runtime.processor import processor
from research.measure.progress import show_progress
from research.measure.provenance import provenance

HERE = Path(__file__).parent
PAGE = """# Accuracy and speed

All trackers on the same {clips} of public benchmarks, in one run on one machine. None of the clips was used in training.
Processes side by side: {workers}, each tracker on one thread.

{provenance}

- *AUC*: mean success rate at 21 overlap thresholds. *AO*: mean overlap. *SR0.5*, *SR0.75*: share of frames with an overlap above 0.5 and
  0.75. *precision*: share of frames whose centre is at most 20 pixels off. *normalised*: mean share of frames whose centre is off by at
  most 0 to 0.5 sizes of the box (51 thresholds, as in TrackingNet).
- *fps*: frames after the first per second of `update`. Reading and decoding pictures does not count.
- *rules*: `default` is what users get. `always 192 pixels` does not shrink the search of steady targets. `published rules` is the published
  code's way: 256 pixels, no window, no penalty, no smoothing, no dynamic template, no re-detection.
- *runtime*: what was the fastest for the network and the side of its searches on this machine. int8 is less exact than float32.

{table}

![AUC over frames per second, one point for each tracker](speed.png)

## AUC of each clip, default rules

![AUC of each clip, one mark for each tracker](sequences.png)

{detail}"""
PLAIN = TrackerConfig(
    window=0,
    penalty=0,
    size_rate=None,
    template_context=0.2,
    search_size=256,
    steady_search_size=None,
    dynamic_template=False,
    camera_motion=False,
    redetection=False,
)
WIDE = TrackerConfig(steady_search_size=None)
"""Every search has 192 pixels: smaller ones suit only networks that were trained with them."""
OURS = ("fear-xs", "fear-nano")
PUBLISHED = "published FEAR-XS"
TITLES = {
    "fear-xs": "**fear-xs**, in the package",
    "fear-nano": "**fear-nano**, in the package",
    PUBLISHED: "published FEAR-XS, in our runtime",
    "opencv:nano": "NanoTrack v2 (OpenCV)",
    "opencv:csrt": "CSRT (OpenCV)",
    "opencv:kcf": "KCF (OpenCV)",
    "opencv:mil": "MIL (OpenCV)",
}


class Row(NamedTuple):
    """One tracker with one set of rules."""

    tracker: str
    rules: str
    mean: dict[str, float]
    clips: dict[str, dict[str, Any]]
    """Scores of each clip."""
    runtime: str
    """What computed it."""


def _model() -> str:
    """The processor without the list of what it can do."""
    return re.split(r" (?=(?:amx|avx|sse|asimd|neon)\w*\b)", processor(), maxsplit=1)[0]


def main() -> None:
    """Evaluates with the default rules, and FEAR's networks once more with wide searches and with the published rules."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared", help="folder with data/sequences, official, peers")
    parser.add_argument("--output", type=Path, default=HERE.parents[1] / "results" / "accuracy")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="measure again what was measured before")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(options.output, ignore_errors=True)
    networks = [*OURS, PUBLISHED]
    rows = [
        *run("default", TrackerConfig(), [*networks, "opencv:nano", "opencv:csrt", "opencv:kcf", "opencv:mil"], options),
        *run("always 192 pixels", WIDE, networks, options),
        *run("published rules", PLAIN, ["fear-xs", PUBLISHED], options),
    ]
    default = [row for row in rows if row.rules in ("its own", "default")]  # each network with the same rules
    pages = HERE.parents[1] / "docs" / "results"
    pages.mkdir(parents=True, exist_ok=True)
    plot_speed({row.tracker: row.mean for row in default}, pages / "speed.png")
    (pages / "accuracy.md").write_text(page(rows, default, options.workers), encoding="utf-8")
    write_readme(default)
    print(f"{table(rows)}\nwrote {pages / 'accuracy.md'} and the table in README.md")


def run(title: str, config: TrackerConfig, trackers: list[str], options: argparse.Namespace) -> list[Row]:
    """Evaluates trackers with one set of rules."""
    published, nano = f"published:{options.shared / 'official'}", options.shared / "peers" / "nanotrack"
    names = [published if name == PUBLISHED else name for name in trackers]
    output = options.output / title.replace(" ", "-")
    specs = [Spec(name, config, nano=nano) for name in names]
    evaluate(options.shared / "data" / "sequences", specs, output=output, options=Options(workers=options.workers), on_done=show_progress)
    found = json.loads((output / "summary.json").read_text(encoding="utf-8"))["trackers"]
    return [
        Row(tracker, "its own" if tracker.startswith("opencv:") else title, one["mean"], one["sequences"], _runtime(one["key"]))
        for tracker, one in zip(trackers, (found[name] for name in names), strict=True)
    ]


def _runtime(key: dict[str, Any]) -> str:
    """What computed a row: the runtime and precision of our networks, or the version of OpenCV."""
    return computed_by(key["runtime"]) if "runtime" in key else f"OpenCV {key['opencv']}"


def page(rows: list[Row], default: list[Row], workers: int) -> str:
    """The whole page.

    Args:
        rows: All rows.
        default: Those that are compared clip by clip.
        workers: Processes that ran side by side.
    """
    clips = default[0].clips
    detail = [[clip, str(scores["frames"]), *(f"{row.clips[clip]['auc']:.3f}" for row in default)] for clip, scores in clips.items()]
    return PAGE.format(
        clips=_count(default[0]),
        workers=workers,
        provenance=provenance(f"python -m research.measure.accuracy --fresh --workers {workers}"),
        table=table(rows),
        detail=markdown_table(["clip", "frames", *(row.tracker for row in default)], detail) + "\n",
    )


def table(rows: list[Row]) -> str:
    """Mean scores of all rows."""
    columns = ("auc", "ao", "sr50", "sr75", "precision", "norm_precision")
    cells = [[row.tracker, row.rules, row.runtime, *(f"{row.mean[c]:.3f}" for c in columns), f"{row.mean['fps']:.1f}"] for row in rows]
    return markdown_table(["tracker", "rules", "runtime", "AUC", "AO", "SR0.5", "SR0.75", "precision", "normalised", "fps"], cells)


def plot_speed(means: dict[str, dict[str, float]], path: Path) -> None:
    """AUC over frames per second, one point a tracker."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="frames per second, one thread", ylabel="AUC", xscale="log", title="up and to the right is better")
    for name, mean in means.items():
        ours = name in OURS
        axes.scatter(mean["fps"], mean["auc"], s=70 if ours else 40, color="#2ecc71" if ours else "#34495e", zorder=3)
        axes.annotate(name, (mean["fps"], mean["auc"]), xytext=(6, 5), textcoords="offset points", fontsize=9)
    axes.grid(alpha=0.3, which="both")
    axes.margins(0.22, 0.1)
    figure.savefig(path, dpi=120)


def write_readme(default: list[Row]) -> None:
    """Puts the short table between its two marks."""
    scores = ("auc", "ao", "sr50", "precision")
    cells = [[TITLES[row.tracker], *(f"{row.mean[key]:.3f}" for key in scores), f"{row.mean['fps']:.0f}"] for row in default]
    note = (
        f"{_count(default[0])} of public benchmarks, none of them used in training; {_model()}, one thread, each tracker with its "
        f"default rules; {_ran()}."
    )
    path = HERE.parents[1] / "README.md"
    head, start, rest = path.read_text(encoding="utf-8").partition("<!-- accuracy: written by make bench -->\n")
    _, end, tail = rest.partition("<!-- /accuracy -->")
    short = markdown_table(["tracker", "AUC", "AO", "SR0.5", "precision", "fps, one thread"], cells)
    path.write_text(f"{head}{start}\n{short}\n\n{note}\n\n{end}{tail}", encoding="utf-8")


def _count(row: Row) -> str:
    return f"{len(row.clips)} clips ({sum(scores['frames'] for scores in row.clips.values())} frames)"


def _ran() -> str:
    """What computes the networks of the package on this machine."""
    return "; ".join(f"{model} ran on {computed_by(describe(load(model, threads=1)))}" for model in OURS)


if __name__ == "__main__":
    main()
