"""Variants of fear-xs from many starts on long and short clips, with paired intervals over clips.

    python -m research.measure.starts [--shared ../shared] [--only TITLE …]

One run per clip depends on chance; runs from many starts tell smaller differences. Runs begin every 300 frames of `data/long` and every
40 of `data/sequences`, forwards and backwards, and last at most 300 frames. Each variant keeps its runs in one file for each data set;
what is there is not run again. OpenCV's trackers need opencv-contrib. Writes `docs/results/starts.md`. `fear eval --anchors` has the
protocol of VOT, whose runs are longer.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fear.config import TrackerConfig
from fear.datasets import read
from fear.datasets.clip import Clip
from fear.evaluation.metrics import SUCCESS_THRESHOLDS, Floats
from fear.evaluation.starts import FAILED, GRACE
from fear.evaluation.statistics import compare
from fear.evaluation.trackers import Spec, create
from fear.geometry.boxes import iou
from fear.tracking.loop import follow
from fear.tracking.protocol import BoxTracker
from research.measure.provenance import provenance

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "results"
EVERY = {"long": 300, "sequences": 40}
"""Frames between two starts in one direction, by data set."""
LONGEST, SHORTEST = 300, 20
"""Frames of one run."""
PAGE = """# Many starts

One run per clip depends on chance: a tracker that loses its target early has a bad run, whatever it does elsewhere. Here runs begin every
300 frames of the 22 long clips and every 40 frames of the 34 short ones, forwards and backwards, and last at most 300 frames. AUC is the
mean over clips of the mean over their runs. A run ends lost where none of its last ten scored frames overlaps the truth by more than 0.1.
*Absent* is the share of the frames without the target in which `lost` was true, *false* its share of the frames with an overlap above
0.5. The difference from the first row is paired over clips, with its 95 % interval by bootstrap. Our networks and the published one run
in float32 on OpenVINO. For OpenCV's trackers `lost` is true where their `update` reports that it found nothing; NanoTrack hardly ever
does.

{provenance}

{table}
"""


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    title: str
    model: str = "fear-xs"
    rules: dict[str, Any] = field(default_factory=dict)


VARIANTS = (
    Variant("fear-xs"),
    Variant("static template alone", rules={"dynamic_template": False}),
    *(Variant(f"{side} pixels while steady", rules={"steady_search_size": side}) for side in (128, 160, 192)),
    Variant("without the camera's motion", rules={"camera_motion": False}),
    Variant("without re-detection", rules={"redetection": False}),
    Variant("published FEAR-XS", "published:{shared}/official"),
    Variant("fear-nano", "fear-nano"),
    Variant("NanoTrack v2 (OpenCV)", "opencv:nano"),
    Variant("VitTrack (OpenCV)", "opencv:vit"),
)


def starts(clip: Clip, every: int) -> Iterator[NDArray[np.int64]]:
    """The frames of every run; a start without the target moves on to the next frame that shows it."""
    order, shown = np.arange(len(clip)), np.asarray(np.isfinite(clip.boxes_xywh).all(axis=1))
    for direction in (1, -1):
        frames, visible, done = order[::direction], shown[::direction], set[int]()
        for wanted in range(0, len(clip), every):
            later = np.flatnonzero(visible[wanted:])
            first = wanted + int(later[0]) if len(later) else len(clip)
            if first not in done and len(clip) - first >= SHORTEST:
                done.add(first)
                yield frames[first : first + LONGEST]


def run(variant: Variant, data: str, shared: Path) -> dict[str, Floats]:
    """All runs of a variant on a data set: (F, 12) with box, score, similarity, lost, zero and true box, by clip, start and direction."""
    rules = TrackerConfig.from_dict(variant.rules)
    peers = shared / "peers"
    spec = Spec(variant.model.format(shared=shared), rules, "openvino", nano=peers / "nanotrack", vit=peers / "vittrack")
    return run_tracker(create(spec, threads=1), data, shared)


def run_tracker(tracker: BoxTracker, data: str, shared: Path) -> dict[str, Floats]:
    """All runs of a tracker, as from `run`."""
    found = {}
    for clip in read("folder", shared / "data" / data):
        frames = list(clip)
        for order in starts(clip, EVERY[data]):
            truth = clip.boxes_xywh[order]
            steps = follow(tracker, [frames[number] for number in order], [truth[0].tolist()])
            tracks = [step.tracks[0] for step in steps]
            rows = [(*track.box_xywh, track.score, track.similarity, float(track.lost), 0.0) for track in tracks]
            found[f"{data}/{clip.name}/{order[0]}/{order[1] - order[0]}"] = np.concatenate((np.array(rows), truth), axis=1)
    return found


@dataclass(frozen=True)
class Summary:
    """Figures of one variant."""

    by_clip: dict[str, float]
    """Mean AUC over the runs of each clip."""
    ends_lost: float
    absent: float
    false: float


def summarise(runs: dict[str, Floats]) -> Summary:
    """Measures all runs of a variant."""
    by_clip: dict[str, list[float]] = {}
    ends, lost_absent, absent, lost_good, good = [], 0, 0, 0, 0
    for name, rows in runs.items():
        boxes, lost, truth = rows[1:, :4], rows[1:, 6] > 0, rows[1:, 8:]
        shown = np.isfinite(truth).all(axis=1)
        overlaps = iou(boxes[shown], truth[shown])
        by_clip.setdefault(name.rsplit("/", 2)[0], []).append(float((overlaps[:, None] > SUCCESS_THRESHOLDS).mean()))
        ends.append(bool((overlaps[-GRACE:] <= FAILED).all()))
        absent, lost_absent = absent + int((~shown).sum()), lost_absent + int(lost[~shown].sum())
        good, lost_good = good + int((overlaps > 0.5).sum()), lost_good + int(lost[shown][overlaps > 0.5].sum())
    means = {clip: float(np.mean(scores)) for clip, scores in by_clip.items()}
    return Summary(means, float(np.mean(ends)), lost_absent / max(1, absent), lost_good / max(1, good))


def table(found: dict[str, dict[str, dict[str, Floats]]]) -> str:
    """The page's table, from the runs by variant and data set."""
    lines = ["| variant | long | short | together | difference | ends lost | absent | false |", "|---|---|---|---|---|---|---|---|"]
    first: Summary | None = None
    for title, sets in found.items():
        parts = [summarise(runs) for runs in sets.values()]
        together = summarise({name: rows for runs in sets.values() for name, rows in runs.items()})
        means = [f"{np.mean(list(part.by_clip.values())):.4f}" for part in (*parts, together)]
        difference = "the first row"
        if first is None:
            first = together
        else:
            difference = versus(together, first)
        shares = f"{together.ends_lost:.1%} | {together.absent:.0%} | {together.false:.1%}"
        lines.append(f"| {title} | {' | '.join(means)} | {difference} | {shares} |")
    return "\n".join(lines)


def versus(one: Summary, first: Summary) -> str:
    """The difference between two variants, with its interval."""
    clips = sorted(first.by_clip)
    pair = compare(*(np.array([each.by_clip[clip] for clip in clips]) for each in (one, first)))
    return f"{pair.difference:+.4f} ({pair.low:+.4f} to {pair.high:+.4f})"


def main() -> None:
    """Runs what is missing and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared", help="folder with data/long, data/sequences, official")
    parser.add_argument("--output", type=Path, default=HERE.parents[1] / "results" / "starts")
    parser.add_argument("--only", nargs="*", help="run these variants alone; the page shows all that were run")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, dict[str, Floats]]] = {}
    for variant in VARIANTS:
        for data in EVERY:
            path = options.output / f"{variant.title}.{data}.npz"
            if not path.is_file() and (options.only is None or variant.title in options.only):
                np.savez_compressed(path, **run(variant, data, options.shared))  # type: ignore[arg-type]
                print(f"{variant.title}, {data}: done", flush=True)
            if path.is_file():
                with np.load(path) as file:
                    found.setdefault(variant.title, {})[data] = {name: file[name] for name in file.files}
    complete = {title: sets for title, sets in found.items() if len(sets) == len(EVERY)}
    text = PAGE.format(provenance=provenance("python -m research.measure.starts"), table=table(complete))
    (DOCS / "starts.md").write_text(text, encoding="utf-8")
    print(f"{table(complete)}\nwrote {DOCS / 'starts.md'}")


if __name__ == "__main__":
    main()
