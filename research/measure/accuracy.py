"""Accuracy of us, the published network and the neighbours on the reference sequences, all in one run.

    python -m research.measure.accuracy [--shared ../shared] [--workers 2]

Writes `docs/results/accuracy.md`, its plot of accuracy against speed, and the table in README.md. The neighbours need opencv-contrib,
which `make bench` installs.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fear.config import TrackerConfig
from fear.evaluation import Options, Spec, evaluate
from fear.loading.load import describe, load
from fear.runtime.processor import processor
from research.measure.provenance import provenance

HERE = Path(__file__).parent
PAGE = """# Accuracy and speed

All trackers on the same {clips} of public benchmarks, in one run on one machine. None of the clips was used in training.
{workers} processes ran side by side, each tracker on one thread. {ran}.

{provenance}

- *AUC*: mean success rate at 21 overlap thresholds. *AO*: mean overlap. *SR0.5*, *SR0.75*: share of frames with an overlap above 0.5 and
  0.75. *precision*: share of frames whose centre is at most 20 pixels off. *normalised*: mean share of frames whose centre is off by at
  most 0 to 0.5 sizes of the box (51 thresholds, as in TrackingNet).
- *fps*: frames after the first per second of `update`. Reading and decoding pictures does not count.
- *rules*: `default` is what users get. `always 192 pixels` does not shrink the search of steady targets. `published rules` is the published
  code's way: 256 pixels, no window, no penalty, no smoothing.

{table}

![AUC over frames per second, one point for each tracker](speed.png)

## AUC of each clip, default rules

![AUC of each clip, one mark for each tracker](sequences.png)

{detail}"""
PLAIN = TrackerConfig(window=0, penalty=0, size_rate=None, template_context=0.2, search_size=256, steady_search_size=None)
WIDE = TrackerConfig(steady_search_size=None)
"""Small searches suit networks that have learned them."""
OURS = ("fear-xs", "fear-nano")


def main() -> None:
    """Evaluates with the default rules, and FEAR's networks once more with wide searches and with the published rules."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared", help="folder with data/sequences, official, peers")
    parser.add_argument("--output", type=Path, default=HERE.parents[1] / "results" / "accuracy")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="run again what is there already")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(options.output, ignore_errors=True)
    published, root = f"published:{options.shared / 'official'}", options.shared / "data" / "sequences"
    nano = options.shared / "peers" / "nanotrack"
    rows = []
    for title, config, names in (
        ("default", TrackerConfig(), [*OURS, published, "opencv:nano", "opencv:csrt", "opencv:kcf", "opencv:mil"]),
        ("always 192 pixels", WIDE, [*OURS, published]),
        ("published rules", PLAIN, ["fear-xs", published]),
    ):
        output = options.output / title.replace(" ", "-")
        evaluate(
            root, [Spec(name, config, nano=nano) for name in names], output=output, options=Options(workers=options.workers), on_done=_show
        )
        trackers = json.loads((output / "summary.json").read_text())["trackers"]
        rows += [(name, title if name in (*OURS, published) else "its own", trackers[name]["mean"]) for name in names]
    columns = ("auc", "ao", "sr50", "sr75", "precision", "norm_precision", "fps")
    lines = ["| tracker | rules | AUC | AO | SR0.5 | SR0.75 | precision | normalised | fps |", "|---|---|" + "---|" * len(columns)]
    for name, rules, mean in rows:
        title = "published FEAR-XS" if name == published else name
        lines.append(f"| {title} | {rules} | " + " | ".join(f"{mean[c]:.1f}" if c == "fps" else f"{mean[c]:.3f}" for c in columns) + " |")
    table = "\n".join(lines)
    report = (options.output / "default" / "report.md").read_text(encoding="utf-8").replace(published, "published FEAR-XS")
    about, detail = report.split("\n\n")[1], report.split("## AUC by sequence\n\n")[1]
    (HERE.parents[1] / "docs" / "results").mkdir(parents=True, exist_ok=True)
    shown = {  # each network with the same rules
        "published FEAR-XS" if name == published else name: mean for name, rules, mean in rows if rules in ("its own", "default")
    }
    plot_speed(shown, HERE.parents[1] / "docs" / "results" / "speed.png")
    target = HERE.parents[1] / "docs" / "results" / "accuracy.md"
    target.write_text(
        PAGE.format(
            clips=_clips(about),
            workers=options.workers,
            ran="; ".join(f"{name} ran on {_runs_on(name)}" for name in OURS),
            provenance=provenance("python -m research.measure.accuracy --fresh"),
            table=table,
            detail=detail.partition("## Where")[0].rstrip() + "\n",
        ),
        encoding="utf-8",
    )
    write_readme(shown, about)
    print(f"{table}\nwrote {target} and the table in README.md")


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


def write_readme(means: dict[str, dict[str, float]], about: str) -> None:
    """Puts the short table between its two marks."""
    names = {
        "fear-xs": "**fear-xs**, in the package",
        "fear-nano": "**fear-nano**, in the package",
        "published FEAR-XS": "published FEAR-XS, in our runtime",
        "opencv:nano": "NanoTrack v2 (OpenCV)",
        "opencv:csrt": "CSRT (OpenCV)",
        "opencv:kcf": "KCF (OpenCV)",
        "opencv:mil": "MIL (OpenCV)",
    }
    lines = ["| tracker | AUC | AO | SR0.5 | precision | fps, one thread |", "|---|---|---|---|---|---|"]
    for name, mean in means.items():
        scores = " | ".join(f"{mean[key]:.3f}" for key in ("auc", "ao", "sr50", "precision"))
        lines.append(f"| {names[name]} | {scores} | {mean['fps']:.0f} |")
    path = HERE.parents[1] / "README.md"
    head, start, rest = path.read_text(encoding="utf-8").partition("<!-- accuracy: written by make bench -->\n")
    _, end, tail = rest.partition("<!-- /accuracy -->")
    ran = "; ".join(f"{name} ran on {_runs_on(name)}" for name in OURS)
    note = (
        f"{_clips(about)} of public benchmarks, none of them used in training; {processor()}, one thread, each tracker with its "
        f"default rules; {ran}."
    )
    path.write_text(f"{head}{start}\n" + "\n".join(lines) + f"\n\n{note}\n\n{end}{tail}", encoding="utf-8")


def _clips(about: str) -> str:
    """`34 clips (2539 frames)`, from the report's sentence about the sequences."""
    sequences, frames = (int(word) for word in about.partition(". ")[0].replace(",", "").split() if word.isdecimal())
    return f"{sequences} clips ({frames} frames)"


def _runs_on(model: str) -> str:
    return describe(load(model, threads=1)).replace("OnnxNetwork", "ONNX Runtime").replace("OpenVinoNetwork", "OpenVINO")


def _show(done: int, total: int) -> None:
    print(f"\r{done}/{total}", end="\n" if done == total else "", flush=True)


if __name__ == "__main__":
    main()
