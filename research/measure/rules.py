"""The rules around the network, one changed at a time, on the reference sequences.

    python -m research.measure.rules [--shared ../shared] [--workers 2]

Writes `docs/results/rules.md`: mean AUC of the default weights and of the published network. w of the dual template is a rule here too: the
published network was trained without it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fear.config import NetworkConfig, TrackerConfig
from fear.datasets import Clip, read
from fear.evaluation.metrics import measure
from fear.loading.load import load
from fear.loading.reference import find_model
from fear.media.reader import Frame
from fear.runtime.protocol import Crops, Floats, Maps, Network
from fear.tracking.loop import follow
from fear.tracking.tracker import MultiTracker
from research.measure.provenance import provenance

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Rules:
    """One row of the table."""

    title: str
    changes: dict[str, Any] = field(default_factory=dict)
    weight: float | None = None
    """w; the network's own where None."""
    every: int = 1
    """1 shows all frames; n shows only every n-th one, so that targets move n times as fast."""


TABLE = (
    Rules("default"),
    Rules(
        "all off (published rules)",
        {
            "window": 0,
            "penalty": 0,
            "size_rate": None,
            "template_context": 0.2,
            "search_size": 256,
            "steady_search_size": None,
            "dynamic_template": False,
            "camera_motion": False,
            "redetection": False,
        },
    ),
    Rules("no window", {"window": 0}),
    Rules("no penalty", {"penalty": 0}),
    Rules("size not smoothed", {"size_rate": None}),
    Rules("search 192 pixels, always", {"steady_search_size": None}),
    Rules("search 256 pixels, always (published)", {"search_size": 256, "steady_search_size": None}),
    Rules("search 224 pixels while not steady", {"search_size": 224}),
    *(Rules(f"search 192 pixels, {side} while steady", {"steady_search_size": side}) for side in (128, 160, 176)),
    Rules("steady from a score of 0.9", {"steady_score": 0.9}),
    Rules("steady up to a step of 0.15", {"steady_step": 0.15}),
    Rules("size rate 0.9", {"size_rate": 0.9}),
    Rules("template 0.2 boxes around (published)", {"template_context": 0.2}),
    Rules("template 0.3 boxes around", {"template_context": 0.3}),
    Rules("static template alone", {"dynamic_template": False}),
    *(Rules(f"dynamic template every {frames} frames", {"update_interval": frames}) for frames in (10, 20, 40)),
    Rules("dynamic template with w 0.2, every 40 frames", {"update_interval": 40}, 0.2),
    Rules("no second search where the camera moved", {"camera_motion": False}),
    Rules("no re-detection", {"redetection": False}),
    *(
        Rules(f"{speed} as fast: {title}", changes, every=every)
        for every, speed in ((2, "twice"), (3, "three times"))
        for title, changes in (
            ("default", {}),
            ("search 192 pixels, always", {"steady_search_size": None}),
        )
    ),
)


PAGE = """# Rules around the network

Mean AUC on the 34 reference clips. Each row changes one rule of `fear.TrackerConfig`; the first row is what users get. One clip that is
lost or found moves the mean by more than 0.01, so differences below 0.005 mean little. The defaults were chosen on these clips. In rows
with "twice" or "three times as fast" only each second or third frame is shown. Rows and networks that were not measured are not shown.

{provenance} Rows that an earlier run measured with the same rules keep their figures.

{table}
"""


class Job(NamedTuple):
    """One row for one network."""

    model: str
    rules: Rules
    root: Path


class _Weighted:
    """A network with another w."""

    def __init__(self, network: Network, weight: float | None) -> None:
        self._network = network
        self.dynamic_weight = network.dynamic_weight if weight is None else weight

    @property
    def config(self) -> NetworkConfig:
        return self._network.config

    def encode_template(self, template_crops: Crops) -> Floats:
        return self._network.encode_template(template_crops)

    def match(self, search_crops: Crops, template_features: Floats) -> Maps:
        return self._network.match(search_crops, template_features)


@cache
def _network(model: str) -> Network:
    return load(model, runtime="onnx", threads=1)  # float32: what `auto` takes differs from machine to machine


@cache
def _clips(root: Path) -> list[tuple[Clip, list[Frame]]]:
    return [(clip, list(clip)) for clip in read("folder", root)]


def fingerprint(job: Job) -> str:
    """A text that names all that decides the result: the weights and the rules."""
    checkpoint = find_model(job.model).checkpoint
    content = b"" if checkpoint is None else checkpoint.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")  # of safetensors, which tells the scores; the numbers behind it are the weights
    digest = hashlib.sha256(content[header:]).hexdigest()[:16]
    return json.dumps([digest, TrackerConfig.from_dict(job.rules.changes).to_dict(), job.rules.weight, job.rules.every])


def mean_auc(job: Job) -> float:
    """Tracks every clip; the mean of their AUC."""
    tracker = MultiTracker(_Weighted(_network(job.model), job.rules.weight), config=TrackerConfig.from_dict(job.rules.changes))
    scores = []
    for clip, frames in _clips(job.root):
        truth = clip.boxes_xywh[:: job.rules.every]
        boxes = [step.tracks[0].box_xywh for step in follow(tracker, frames[:: job.rules.every], [truth[0].tolist()])]
        scores.append(measure(np.array(boxes), truth, np.ones(len(boxes)))[0].auc)
    return float(np.mean(scores))


def main() -> None:
    """Runs all rows and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--models", nargs="*", help="measure only these; the page shows earlier results of the others")
    options = parser.parse_args()
    models = {"fear-xs": "fear-xs", "fear-nano": "fear-nano"}
    models["published FEAR-XS"] = f"published:{options.shared / 'official'}"
    memory = HERE.parents[1] / "results" / "rules.json"
    known: dict[str, float] = json.loads(memory.read_text(encoding="utf-8")) if memory.is_file() else {}
    jobs = [Job(model, rules, options.shared / "data" / "sequences") for model in models.values() for rules in TABLE]
    wanted = [models[title] for title in options.models or models]
    with ProcessPoolExecutor(options.workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [job for job in jobs if fingerprint(job) not in known and job.model in wanted]
        for job, auc in zip(waiting, pool.map(mean_auc, waiting), strict=True):
            known[fingerprint(job)] = auc
            memory.parent.mkdir(parents=True, exist_ok=True)
            memory.write_text(json.dumps(known, indent=1), encoding="utf-8")
            print(f"{job.model} {job.rules.title}: {auc:.4f}", flush=True)
            write_page(known, models, jobs)  # after each row, so that the page of an interrupted run shows what was measured
    write_page(known, models, jobs)


def write_page(known: Mapping[str, float], models: Mapping[str, str], jobs: Iterable[Job]) -> None:
    """Writes the page with all results so far.

    Args:
        known: AUC by fingerprint.
        models: Networks by what the page calls them.
        jobs: All cells.
    """
    found = {(job.model, job.rules.title): f"{known[fingerprint(job)]:.4f}" for job in jobs if fingerprint(job) in known}
    # the page has no empty cell: networks without the default rules, and rows that some network lacks, are left out
    shown = {title: model for title, model in models.items() if (model, TABLE[0].title) in found}
    head = ["| rules | " + " | ".join(shown) + " |", "|---|" + "---|" * len(shown)]
    rows = [
        f"| {r.title} | " + " | ".join(found[model, r.title] for model in shown.values()) + " |"
        for r in TABLE
        if all((model, r.title) in found for model in shown.values())
    ]
    page = PAGE.format(provenance=provenance("python -m research.measure.rules"), table="\n".join([*head, *rows]))
    (HERE.parents[1] / "docs" / "results" / "rules.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
