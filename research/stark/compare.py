"""The paper's claims on trained networks: similarity against a learned head, weighted sum against concatenation, two templates against one.

    python -m research.stark.compare [--shared ../shared] [--steps 700] [--train-only]

All networks go on from the weights of fear-xs with the samples and losses of `recipes/default_xs.toml`, for the same number of steps. The
head learns afterwards while the rest is frozen, as in STARK. Each training and each row keeps its result under `results/stark`; what is
there is not done again. Tracking is measured from many starts on `data/long`, with paired intervals over clips, and written to
`docs/results/stark.md`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fear.config import TrackerConfig
from fear.evaluation.metrics import Floats
from fear.training.recipe import find_recipe, load_recipe
from fear.training.start import load_network
from research.measure.provenance import provenance
from research.measure.starts import run_tracker, summarise, versus
from research.stark.network import StarkNetwork
from research.stark.template import StarkTracker
from research.stark.training import Laboratory

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "results"
HEAD_SAMPLES = 3200
PAGE = """# FEAR and STARK, trained

FEAR merges its static and its dynamic template by a weighted sum, and the frame with the highest cosine similarity becomes the dynamic
template. STARK (arXiv 2103.17154) concatenates both and learns a head that chooses. The [cost](ablation.md) of both ways is one question;
this page asks which one follows better.

Each network goes on from the weights of fear-xs for {steps} steps of {batch} samples, with the same samples and losses
(`recipes/default_xs.toml`). Concatenation starts from weights that compute the same as the weighted sum. The head learns afterwards from
{head} samples, while the rest of the network is frozen, as in STARK; as with the similarity, the best frame of each interval is taken, if
its confidence is above 0.5. "One template" learns and follows with the static template alone.

{provenance}

{table}

Runs begin every 300 frames of the 22 long clips, forwards and backwards, and last at most 300 frames. AUC is the mean over clips of the
mean over their runs. A run ends lost where none of its last ten scored frames overlaps the truth by more than 0.1. The difference from
the first row is paired over clips, with its 95 % interval by bootstrap; where the interval contains 0, other clips might have given the
opposite result.
"""


def main() -> None:
    """Trains and measures what is missing, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared", help="folder with data/long, and what the recipe reads")
    parser.add_argument("--output", type=Path, default=HERE.parents[1] / "results" / "stark")
    parser.add_argument("--steps", type=int, default=700, help="of each training")
    parser.add_argument("--train-only", action="store_true", help="do not measure yet")
    options = parser.parse_args()
    rows = networks(options.output, options.steps)
    if options.train_only:
        for train in rows.values():
            train()
        return
    found: dict[str, dict[str, Floats]] = {}
    for title, train in rows.items():
        path = options.output / f"{title}.npz"
        if not path.is_file():
            tracker = StarkTracker(train(), TrackerConfig(dynamic_template=title != "one template"))
            np.savez_compressed(path, **run_tracker(tracker, "long", options.shared))  # type: ignore[arg-type]
            print(f"{title}: done", flush=True)
        with np.load(path) as file:
            found[title] = {name: file[name] for name in file.files}
    about = {"steps": options.steps, "batch": 8, "head": HEAD_SAMPLES, "provenance": provenance("python -m research.stark.compare")}
    text = PAGE.format(table=table(found), **about)
    (DOCS / "stark.md").write_text(text, encoding="utf-8")
    print(f"{table(found)}\nwrote {DOCS / 'stark.md'}")


def networks(output: Path, steps: int) -> dict[str, Callable[[], StarkNetwork]]:
    """What gives the network of each row; it is trained when it is asked for and not there yet."""
    stage = {"stages": [{"name": "templates", "kind": "track", "epochs": 1, "samples": steps * 8, "batch": 8} | _LEARNING]}
    recipe = load_recipe(find_recipe("default_xs"), stage | {"sampling.hard": False, "validation": None})
    laboratory = Laboratory(recipe, output)
    start = load_network("fear-xs")

    def weighted() -> StarkNetwork:
        return laboratory.templates(start, "weighted")

    def concatenated() -> StarkNetwork:
        return laboratory.templates(start, "concatenated", concatenate=True)

    return {
        "weighted sum, similarity (FEAR)": weighted,
        "weighted sum, learned head": lambda: laboratory.head(weighted(), "weighted-head", HEAD_SAMPLES),
        "concatenation, similarity": concatenated,
        "concatenation, learned head (STARK's way)": lambda: laboratory.head(concatenated(), "concatenated-head", HEAD_SAMPLES),
        "one template": lambda: laboratory.templates(start, "single", single=True),
    }


_LEARNING = {"rate": 4e-4, "freeze_norms": 0, "warm_up": 50, "average": 0.99, "backbone_rate": 0.5}


def table(found: dict[str, dict[str, Floats]]) -> str:
    """The page's table, from the runs of each row."""
    lines = ["| templates | AUC on long clips | difference | ends lost |", "|---|---|---|---|"]
    parts = {title: summarise(runs) for title, runs in found.items()}
    first = next(iter(parts.values()))
    for title, part in parts.items():
        mean = np.mean(list(part.by_clip.values()))
        difference = "the first row" if part is first else versus(part, first)
        lines.append(f"| {title} | {mean:.4f} | {difference} | {part.ends_lost:.1%} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
