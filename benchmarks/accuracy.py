"""Accuracy of us, the published network and the neighbours on the reference sequences, all in one run.

    python -m benchmarks.accuracy [--shared ../shared] [--workers 2]

Writes `docs/results/accuracy.md`. The neighbours need opencv-contrib; `make bench` installs it.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from fear.config import TrackerConfig
from fear.evaluation import evaluate
from fear.evaluation.trackers import Spec

HERE = Path(__file__).parent
PLAIN = TrackerConfig(window=0, penalty=0, size_rate=None, hold_score=0)


def main() -> None:
    """Evaluates with the default rules, and FEAR's networks once more with the published rules."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=HERE.parents[1] / "shared", help="folder with data/sequences, official, peers")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "accuracy")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="run again what is there already")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(options.output, ignore_errors=True)
    published, root = f"published:{options.shared / 'official'}", options.shared / "data" / "sequences"
    nano = options.shared / "peers" / "nanotrack"
    rows = []
    for title, config, names in (
        ("default", TrackerConfig(), ["fear-xs", published, "opencv:nano", "opencv:csrt", "opencv:kcf", "opencv:mil"]),
        ("published rules", PLAIN, ["fear-xs", published]),
    ):
        output = options.output / title.replace(" ", "-")
        evaluate("folder", root, [Spec(name, config, nano=nano) for name in names], output, workers=options.workers, on_done=_show)
        trackers = json.loads((output / "summary.json").read_text())["trackers"]
        rows += [(name, title if name in ("fear-xs", published) else "its own", trackers[name]["mean"]) for name in names]
    columns = ("auc", "ao", "sr50", "sr75", "precision", "norm_precision", "fps")
    lines = ["| tracker | rules | AUC | AO | SR0.5 | SR0.75 | precision | normalised | fps |", "|---|---|" + "---|" * len(columns)]
    for name, rules, mean in rows:
        shown = "published FEAR-XS" if name == published else name
        lines.append(f"| {shown} | {rules} | " + " | ".join(f"{mean[c]:.1f}" if c == "fps" else f"{mean[c]:.3f}" for c in columns) + " |")
    table = "\n".join(lines)
    report = (options.output / "default" / "report.md").read_text(encoding="utf-8").replace(published, "published FEAR-XS")
    about, detail = report.split("\n\n")[1], report.split("## AUC by sequence\n\n")[1]
    target = HERE.parent / "docs" / "results" / "accuracy.md"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(
        f"# Accuracy on the reference sequences\n\nMade by `make bench`: {options.workers} processes side by side. {about}\n\n"
        f"{table}\n\n## AUC by sequence, default rules\n\n{detail}",
        encoding="utf-8",
    )
    write_readme(
        {"published FEAR-XS" if name == published else name: mean for name, rules, mean in rows if rules != "published rules"}, about
    )
    print(f"{table}\nwrote {target} and the table in README.md")


def write_readme(means: dict[str, dict[str, float]], about: str) -> None:
    """Puts the short table between its two marks."""
    names = {
        "fear-xs": "**fear-xs**, these weights",
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
    path = HERE.parent / "README.md"
    head, start, rest = path.read_text(encoding="utf-8").partition("<!-- accuracy: written by make bench -->\n")
    _, end, tail = rest.partition("<!-- /accuracy -->")
    counted = about.partition(". ")[0]
    note = (
        f"{counted} of public benchmarks, none of them used in training; all trackers in the same run ([more](docs/results/accuracy.md))."
    )
    path.write_text(f"{head}{start}\n" + "\n".join(lines) + f"\n\n{note}\n\n{end}{tail}", encoding="utf-8")


def _show(done: int, total: int) -> None:
    print(f"\r{done}/{total}", end="\n" if done == total else "", flush=True)


if __name__ == "__main__":
    main()
