"""The protocol of many starts, and long-term measures, against the VOT toolkit's own analysis."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fear.errors import DatasetError
from fear.evaluation.longterm import LongRun, score_long_term
from fear.evaluation.metrics import Floats, has_target
from fear.evaluation.starts import (
    ClipRuns,
    Run,
    Start,
    choose_starts,
    ends_lost,
    expected_average_overlap,
    overlap_curve,
    run_overlaps,
    score_starts,
)

HEIGHT, WIDTH = 240, 320


def truth(frames: int, absent: slice = slice(0), seed: int = 0) -> Floats:
    """Whole pixels, since the toolkit rounds; partly outside the frame."""
    random = np.random.default_rng(seed)
    steps = np.cumsum(random.integers(-9, 10, (frames, 2)), axis=0)
    sides = random.integers(30, 60, (frames, 2))
    boxes: Floats = np.concatenate((np.add(steps, (150, 110)), sides), axis=1).astype(np.float64)
    boxes[absent] = np.nan
    return boxes


def tracked(boxes: Floats, lost: slice, seed: int) -> Floats:
    """The truth with noise, and somewhere else in some frames."""
    random = np.random.default_rng(seed)
    found: Floats = np.where(np.isfinite(boxes), boxes, 50.0) + random.integers(-6, 7, boxes.shape)
    found[lost, :2] = 400
    return found


def run(boxes: Floats, found: Floats) -> Run:
    return Run(run_overlaps(found, boxes, (HEIGHT, WIDTH)), has_target(boxes), 0.5)


# ------------------------------------------------------------------------------------------------------------------- starts
def test_starts_lie_apart_and_run_the_longer_way() -> None:
    assert choose_starts(truth(100), 30) == [Start(0, False), Start(30, False), Start(99, True), Start(69, True)]
    assert choose_starts(truth(11), 100) == [Start(0, False), Start(10, True)]
    assert choose_starts(truth(100), 30)[2].frames == slice(99, None, -1)


def test_starts_move_to_a_frame_that_shows_the_target() -> None:
    boxes = truth(100, absent=slice(25, 40))
    assert choose_starts(boxes, 30) == [Start(0, False), Start(40, False), Start(99, True), Start(69, True)]
    assert choose_starts(truth(100, absent=slice(60, 100)), 30) == [Start(0, False), Start(30, False), Start(59, True)]
    assert choose_starts(truth(100, absent=slice(0, 100)), 30) == []
    with pytest.raises(DatasetError, match="at least one frame, got 0"):
        choose_starts(boxes, 0)


def test_a_clip_that_is_too_short_for_the_curve_has_no_expected_average_overlap() -> None:
    overlaps = np.array([0.0, *[0.9] * 11])
    run = Run(overlaps, np.ones(12, bool), 0.9)
    assert expected_average_overlap([run], (4, 10)) == pytest.approx(0.9)
    assert expected_average_overlap([run], (8, 30)) == pytest.approx(0.9)  # as far as the clip reaches
    assert np.isnan(expected_average_overlap([run], (20, 30)))


def test_a_run_that_finds_the_target_again_does_not_end_lost() -> None:
    present = np.ones(40, bool)
    overlaps = np.full(40, 0.8)
    overlaps[20:36] = 0
    assert not ends_lost(overlaps, present)
    overlaps[20:] = 0.1
    assert ends_lost(overlaps, present)
    assert not ends_lost(overlaps[:22], present[:22])


# -------------------------------------------------------------------------------------------------------------- the toolkit
CLIPS = {"a": truth(120, seed=1), "b": truth(60, absent=slice(20, 26), seed=2), "c": truth(45, seed=3)}
EVERY, LOW, HIGH = 20, 15, 70


def all_runs() -> dict[str, dict[Start, tuple[Floats, Floats]]]:
    """Truth and tracked boxes of every run: some fail, some lose the target for nine frames only, some are lost at once."""
    lost = {0: slice(0), 1: slice(12, 21), 2: slice(25, None), 3: slice(1, None), 4: slice(8, 30)}
    runs: dict[str, dict[Start, tuple[Floats, Floats]]] = {}
    for clip, boxes in CLIPS.items():
        runs[clip] = {}
        for number, start in enumerate(choose_starts(boxes, EVERY)):
            part = boxes[start.frames]
            runs[clip][start] = part, tracked(part, lost[number % 5], seed=number)
    return runs


def test_agrees_with_the_vot_toolkit(tmp_path: Path) -> None:
    pytest.importorskip("vot", reason="needs the VOT toolkit (requirements-vot.txt)", exc_type=ImportError)
    from vot.analysis.multistart import AccuracyRobustness, AverageAccuracyRobustness, EAOCurve, EAOCurves
    from vot.dataset import InMemorySequence
    from vot.region import Special
    from vot.region.shapes import Rectangle
    from vot.tracker import Results, Trajectory
    from vot.workspace.storage import LocalStorage

    class Clip(InMemorySequence):  # type: ignore[misc]  # the toolkit has no type hints
        size = (WIDTH, HEIGHT)

    def region(box: Floats) -> Any:
        return Rectangle(*box) if np.isfinite(box).all() else Special(0)

    results = Results(LocalStorage(str(tmp_path)))
    sequences, runs = [], all_runs()
    for name, boxes in CLIPS.items():
        sequence = Clip(name, [])
        anchors = {start.frame: -1 if start.backwards else 1 for start in runs[name]}
        for frame, box in enumerate(boxes):
            sequence.append({}, region(box), values={"anchor": anchors.get(frame, 0)})
        for start, (_, found) in runs[name].items():
            trajectory = Trajectory(len(found))
            trajectory.set(0, Special(Trajectory.INITIALIZATION), {})
            for frame, box in enumerate(found[1:], start=1):
                trajectory.set(frame, region(box), {})
            trajectory.write(results, f"{name}_{start.frame:08d}")
        sequences.append(sequence)
    experiment = SimpleNamespace(results=lambda tracker, sequence: results, anchor="anchor")
    measured = [AccuracyRobustness().subcompute(experiment, None, sequence, []) for sequence in sequences]
    accuracy, robustness, *_ = AverageAccuracyRobustness().aggregate(None, sequences, measured)
    curves = EAOCurves(high=HIGH)
    (curve,) = EAOCurve(curves=curves, high=HIGH).aggregate(
        None, sequences, [curves.subcompute(experiment, None, sequence, []) for sequence in sequences]
    )

    ours = [ClipRuns(len(CLIPS[name]), [run(*pair) for pair in runs[name].values()]) for name in CLIPS]
    scores = score_starts(ours, (LOW, HIGH))
    assert scores.accuracy == pytest.approx(accuracy, abs=1e-9)
    assert scores.robustness == pytest.approx(robustness, abs=1e-9)
    assert overlap_curve([one for clip in ours for one in clip.runs], HIGH) == pytest.approx(curve, abs=1e-9)
    assert scores.eao == pytest.approx(np.mean(curve[LOW : HIGH + 1]), abs=1e-9)
    assert 0.2 < scores.eao < scores.accuracy < 1
    assert 0.3 < scores.robustness < 0.9
    assert scores.runs == 14
    assert scores.lost == pytest.approx(6 / 14)


def test_long_term_measures_agree_with_the_vot_toolkit() -> None:
    pytest.importorskip("vot", reason="needs the VOT toolkit (requirements-vot.txt)", exc_type=ImportError)
    from vot.analysis.longterm import compute_tpr_curves, determine_thresholds
    from vot.region import Special
    from vot.region.shapes import Rectangle

    runs, random = [], np.random.default_rng(5)
    for seed, (absent, lost) in enumerate(((slice(30, 60), slice(30, 70)), (slice(0), slice(80, 90)), (slice(100, 140), slice(0)))):
        boxes = truth(150, absent, seed)
        found = tracked(boxes, lost, seed)
        overlaps = run_overlaps(found, boxes)
        runs.append(LongRun(found, boxes, np.clip(overlaps + random.normal(0, 0.3, len(overlaps)), 0, 1)))
    confidences = [[0.0, *one.scores[1:].tolist()] for one in runs]
    thresholds = determine_thresholds([score for row in confidences for score in row], 100)
    precisions, recalls = [], []
    for one, confidence in zip(runs, confidences, strict=True):
        regions = [Special(1), *(Rectangle(*box) for box in one.tracked_xywh[1:])]
        shown = [Rectangle(*box) if np.isfinite(box).all() else Special(0) for box in one.truth_xywh]
        sequence = SimpleNamespace(groundtruth=lambda shown=shown: shown, size=(10_000, 10_000))
        precision, recall = compute_tpr_curves(regions, confidence, sequence, thresholds)
        precisions.append(precision)
        recalls.append(recall)
    precision, recall = np.mean(precisions, axis=0), np.mean(recalls, axis=0)
    f = 2 * precision * recall / (precision + recall)
    scores = score_long_term(runs)
    assert scores.lt_f == pytest.approx(f.max(), abs=1e-9)
    assert scores.lt_precision == pytest.approx(precision[f.argmax()], abs=1e-9)
    assert scores.lt_recall == pytest.approx(recall[f.argmax()], abs=1e-9)


def test_a_tracker_that_knows_when_the_target_is_absent_is_more_precise() -> None:
    boxes = truth(100, absent=slice(50, 100))
    found = tracked(boxes, slice(0), 0)
    knows, guesses = np.where(has_target(boxes), 0.9, 0.1), np.full(100, 0.9)
    assert (
        score_long_term([LongRun(found, boxes, knows)]).lt_precision > 1.8 * score_long_term([LongRun(found, boxes, guesses)]).lt_precision
    )
