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
PLAIN = TrackerConfig(window=0, penalty=0, size_rate=None)


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
    target = HERE.parent / "docs" / "results" / "accuracy.md"
    target.parent.mkdir(parents=True, exist_ok=True)
    head = (options.output / "default" / "report.md").read_text().split("\n\n")[1]
    detail = (options.output / "default" / "report.md").read_text().split("## AUC by sequence\n\n")[1].replace(published, "published")
    target.write_text(
        f"# Accuracy on the reference sequences\n\nMade by `make bench`. {head} {options.workers} processes side by side.\n\n"
        f"{table}\n\n## AUC by sequence, default rules\n\n{detail}",
        encoding="utf-8",
    )
    print(f"{table}\nwrote {target}")


def _show(done: int, total: int) -> None:
    print(f"\r{done}/{total}", end="\n" if done == total else "", flush=True)


if __name__ == "__main__":
    main()
