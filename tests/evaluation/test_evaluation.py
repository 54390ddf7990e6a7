"""From a data set to a report, with trackers that cost nothing."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fear
from fear.config import TrackerConfig
from fear.errors import ConfigError, DatasetError, FearError
from fear.evaluation import Options, Spec, evaluate, ownership
from fear.media.writer import VideoWriter
from fear.tracking.track import Track

Box = tuple[float, float, float, float]
FRAMES = 40


class Still:
    """Never moves, and says nothing about how sure it is."""

    def init(self, frame: object, box_xywh: Box) -> None:
        self.box = box_xywh

    def update(self, frame: object) -> Box:
        return self.box


class Bright:
    """Follows a bright square of 16 pixels, and says so where there is none."""

    def init(self, frame: Any, box_xywh: Box) -> None:
        self.box = box_xywh

    def update(self, frame: Any) -> Track:
        rows, columns = np.nonzero(frame[..., 0] > 128)
        if len(rows) == 0:
            return Track(self.box, 0.1, 0.0, True)
        self.box = (float(columns.min()), float(rows.min()), 16.0, 16.0)
        return Track(self.box, 0.9, 1.0, False)


class Odd:
    """Answers what it was told to."""

    answer: Any = None

    def init(self, frame: object, box_xywh: Box) -> None: ...

    def update(self, frame: object) -> Any:
        return self.answer


STILL, BRIGHT = "test_evaluation:Still", "test_evaluation:Bright"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three videos of a moving square; in the first one it is absent for ten frames."""
    folder = tmp_path_factory.mktemp("data")
    for name, speed, absent in (("a", 2, range(20, 30)), ("b", 1, range(0)), ("c", 3, range(0))):
        (folder / name).mkdir()
        lines = []
        with VideoWriter(folder / name / "video.mp4", 30) as writer:
            for k in range(FRAMES):
                image, x = np.zeros((48, 160, 3), np.uint8), 8 + speed * k
                if k not in absent:
                    image[16:32, x : x + 16] = 255
                lines.append("nan,nan,nan,nan" if k in absent else f"{x},16,16,16")
                writer.write(image, k / 30)
        (folder / name / "groundtruth.txt").write_text("\n".join(lines) + "\n")
    return folder


def summary(output: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((output / "summary.json").read_text())["trackers"]
    return content


def test_scores_of_videos_with_absences(root: Path, tmp_path: Path) -> None:
    found = fear.evaluate(root, [BRIGHT, STILL], output=tmp_path)
    trackers = summary(tmp_path)
    assert found.summary["trackers"] == trackers
    assert list(trackers) == [BRIGHT, STILL]
    mean = trackers[BRIGHT]["mean"]
    assert mean["auc"] > 0.8
    assert mean["lt_precision"] > 0.85
    assert mean["lt_recall"] > 0.85
    assert mean["lt_f"] > trackers[STILL]["mean"]["lt_f"] + 0.5
    assert (mean["flagged_absent"], mean["flagged_found"]) == (1, 0)
    assert "lt_f" in trackers[BRIGHT]["sequences"]["a"]
    assert "lt_f" not in trackers[BRIGHT]["sequences"]["b"]
    report = (tmp_path / "report.md").read_text()
    for words in ("3 clips, 120 frames", "against the others", "95 % interval", "Absence of the target", "Processor: "):
        assert words in report


def test_the_table_of_trackers_can_be_read_by_programs(root: Path, tmp_path: Path) -> None:
    evaluate(root, [BRIGHT, STILL], output=tmp_path, options=Options(anchors=15))
    with (tmp_path / "summary.csv").open(newline="") as file:
        ours, other = csv.DictReader(file)
    assert (ours["tracker"], ours["clips"], ours["first_minus_this_low"]) == (BRIGHT, "3", "")
    assert float(other["first_minus_this_low"]) > 0
    assert (other["first_minus_this_wins"], other["first_minus_this_losses"]) == ("3", "0")
    assert float(other["first_minus_this_p"]) == pytest.approx(0.25)
    assert float(ours["starts_eao"]) > float(other["starts_eao"])


def late(root: Path, tmp_path: Path) -> Path:
    """The data set with the first clip from its twentieth frame on, in which the target is absent for ten frames."""
    data = tmp_path / "late"
    shutil.copytree(root, data)
    lines = (data / "a" / "groundtruth.txt").read_text().splitlines()
    (data / "a" / "groundtruth.txt").write_text("\n".join(["nan,nan,nan,nan"] * 20 + lines[20:]) + "\n")
    return data


def test_a_clip_begins_where_its_target_appears(root: Path, tmp_path: Path) -> None:
    data = late(root, tmp_path)
    evaluate(data, [BRIGHT], output=tmp_path / "out", options=Options(anchors=15))
    ours = summary(tmp_path / "out")[BRIGHT]["sequences"]
    assert ours["a"]["frames"] == 10
    assert ours["a"]["auc"] > 0.8


def test_results_of_others_begin_where_the_target_appears(root: Path, tmp_path: Path) -> None:
    data, others = late(root, tmp_path), tmp_path / "others"
    others.mkdir()
    for name, speed in (("a", 2), ("b", 1), ("c", 3)):
        (others / f"{name}.txt").write_text("".join(f"{8 + speed * k},16,16,16\n" for k in range(FRAMES)))
    evaluate(data, [STILL], output=tmp_path / "out", options=Options(results=(("exact", others),)))
    assert summary(tmp_path / "out")["exact"]["sequences"]["a"]["auc"] > 0.9


def test_a_clip_without_any_box_is_named(root: Path, tmp_path: Path) -> None:
    data = late(root, tmp_path)
    (data / "b" / "groundtruth.txt").write_text("nan,nan,nan,nan\n" * FRAMES)
    with pytest.raises(DatasetError, match="b: expected a box in at least one of 40 frames, got none"):
        evaluate(data, [STILL], output=tmp_path / "out")


def test_clips_that_would_share_files_are_refused(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "data")
    (tmp_path / "data" / "b").rename(tmp_path / "data" / "a_time")
    with pytest.raises(DatasetError, match="a_time: expected another name of this clip"):
        evaluate(tmp_path / "data", [STILL], output=tmp_path / "out")


@pytest.mark.parametrize("wrong", [{"anchors": 0}, {"anchors": 2.5}, {"workers": 0}, {"max_frames": -1}])
def test_options_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"Options.{next(iter(wrong))}: expected a whole number from 1 up"):
        Options(**wrong)


@pytest.mark.parametrize("wrong", [(), "a"])
def test_names_of_clips_are_checked(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"Options.sequences: expected names of clips, or None for all of them, got"):
        Options(sequences=wrong)


def test_an_evaluation_needs_a_tracker(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="trackers: expected at least one, got none"):
        evaluate(root, [], output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_trackers_that_would_share_a_folder_are_refused(root: Path, tmp_path: Path) -> None:
    pairs = [
        (Spec("fear-nano"), Spec("fear-nano", TrackerConfig(window=0)), "'fear-nano' and 'fear-nano'"),
        (Spec("m/x"), Spec("m-x"), "'m/x' and 'm-x'"),
        (Spec("m:x"), Spec("M:X"), "'m:x' and 'M:X'"),
    ]
    for one, other, both in pairs:
        with pytest.raises(ConfigError, match=rf"got {both}, which would share a folder; evaluate one after the other"):
            evaluate(root, [one, other], output=tmp_path / "out")
    with pytest.raises(ConfigError, match=rf"got '{STILL}' and 'test_evaluation-Still', .*; give these results another NAME"):
        evaluate(root, [STILL], output=tmp_path / "out", options=Options(results=(("test_evaluation-Still", tmp_path),)))
    assert not (tmp_path / "out").exists()


def test_a_tracker_that_is_named_twice_runs_once(root: Path, tmp_path: Path) -> None:
    done: list[int] = []
    evaluate(root, [STILL, STILL], output=tmp_path, on_done=lambda _, total: done.append(total))
    assert done == [3, 3, 3]


NO_TRACKS = [
    Track("box", 1, 1, False),  # type: ignore[arg-type]
    Track((1, 2, 3, "wide"), 1, 1, False),  # type: ignore[arg-type]
    Track((1, 2, 3), 1, 1, False),  # type: ignore[arg-type]
    Track((1, 2, 3, 4), "high", 1, False),  # type: ignore[arg-type]
    Track((1, 2, 3, 4), 1, None, False),  # type: ignore[arg-type]
    Track((1, 2, 3, 4), 1, 1, "no"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("answer", [None, (1, 2, 3), "box", 5, (1, 2, 3, "wide"), (1, 2, 3, 10**400), *NO_TRACKS])
def test_a_tracker_that_gives_no_box_is_named(answer: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["test_evaluation"].Odd, "answer", answer)
    with pytest.raises(FearError, match=r"Odd\.update: expected a box x, y, width, height or a Track of numbers, got"):
        evaluate(root, ["test_evaluation:Odd"], output=tmp_path)


def test_a_box_of_nan_overlaps_with_nothing(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["test_evaluation"].Odd, "answer", (np.nan,) * 4)
    evaluate(root, ["test_evaluation:Odd"], output=tmp_path, options=Options(anchors=15))
    scores = summary(tmp_path)["test_evaluation:Odd"]
    assert (scores["mean"]["auc"], scores["mean"]["ao"], scores["starts"]["mean"]["lost"]) == (0, 0, 1)


def test_many_starts(root: Path, tmp_path: Path) -> None:
    evaluate(root, [BRIGHT, STILL], output=tmp_path, options=Options(anchors=15))
    starts = summary(tmp_path)[BRIGHT]["starts"]
    assert starts["mean"]["runs"] == 12  # from frames 0, 15, 39 and 24 of each clip
    assert starts["mean"]["robustness"] == 1
    assert starts["mean"]["lost"] == 0
    assert starts["mean"]["auc"] > 0.8
    assert summary(tmp_path)[STILL]["starts"]["mean"]["lost"] > 0.5
    assert starts["sequences"].keys() == {"a", "b", "c"}
    folder = tmp_path / "results" / "test_evaluation-Bright" / "starts"
    assert len((folder / "b_00000015.txt").read_text().splitlines()) == FRAMES - 15
    assert len((folder / "b_00000024.txt").read_text().splitlines()) == 25
    first = (folder / "b_00000024.txt").read_text().splitlines()[0]
    assert [float(value) for value in first.split(",")] == [32, 16, 16, 16]
    evaluate(root, [BRIGHT], output=tmp_path)  # without starts nothing of them is reported, and nothing is lost
    assert (folder / "b_00000024.txt").is_file()


# ----------------------------------------------------------------------------------------------------------------------- keys
def test_other_rules_never_show_old_figures_and_nothing_is_lost(tmp_path: Path) -> None:
    base = {"tracker": "fear-xs", "weights": "abc", "rules": TrackerConfig().to_dict()}
    other = base | {"rules": TrackerConfig(window=0).to_dict()}
    folder = ownership.claim_tracker(tmp_path, "fear-xs", base)
    (folder / "a.txt").write_text("old")
    assert ownership.claim_tracker(tmp_path, "fear-xs", base) == folder
    assert (folder / "a.txt").is_file()
    assert ownership.claim_tracker(tmp_path, "fear-xs", other) == folder
    assert not (folder / "a.txt").exists()
    (folder / "a.txt").write_text("new")
    names = list(ownership.tracker_folders(tmp_path, [folder]))
    assert names[0] == "fear-xs"
    assert names[1].startswith("fear-xs@")
    ownership.claim_tracker(tmp_path, "fear-xs", base)
    assert (folder / "a.txt").read_text() == "old"
    ownership.claim_tracker(tmp_path, "fear-xs", other)
    assert (folder / "a.txt").read_text() == "new"


def test_results_without_a_key_are_not_taken_for_ones_own(tmp_path: Path) -> None:
    (tmp_path / "fear-xs").mkdir()
    (tmp_path / "fear-xs" / "a.txt").write_text("of an unknown tracker")
    folder = ownership.claim_tracker(tmp_path, "fear-xs", {"tracker": "fear-xs"})
    assert not (folder / "a.txt").exists()
    assert (tmp_path / "fear-xs@unknown" / "a.txt").is_file()


def test_another_source_of_a_class_is_another_tracker(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fear.evaluation.trackers._digest", lambda files: "one")
    evaluate(root, [STILL], output=tmp_path)
    monkeypatch.setattr("fear.evaluation.trackers._digest", lambda files: "two")
    evaluate(root, [STILL], output=tmp_path, options=Options(sequences=("b",)))
    trackers = summary(tmp_path)
    ours, earlier = trackers
    assert ours == STILL
    assert earlier.startswith(f"{STILL}@")
    assert (len(trackers[ours]["sequences"]), len(trackers[earlier]["sequences"])) == (1, 3)
    assert "means of different clips cannot be compared" in (tmp_path / "report.md").read_text()


def test_a_smaller_call_leaves_the_report_whole(root: Path, tmp_path: Path) -> None:
    evaluate(root, [BRIGHT, STILL], output=tmp_path)
    evaluate(root, [STILL], output=tmp_path, options=Options(sequences=("c",)))
    trackers = summary(tmp_path)
    assert list(trackers) == [STILL, BRIGHT]
    assert all(len(tracker["sequences"]) == 3 for tracker in trackers.values())


@pytest.mark.parametrize("options", [Options(max_frames=10), Options(sequences=("a",))])
def test_results_of_other_data_are_not_mixed(root: Path, tmp_path: Path, options: Options) -> None:
    evaluate(root, [STILL], output=tmp_path / "out")
    copy = tmp_path / "data" / "a"
    copy.mkdir(parents=True)
    (copy / "video.mp4").write_bytes((root / "b" / "video.mp4").read_bytes())
    (copy / "groundtruth.txt").write_text((root / "b" / "groundtruth.txt").read_text().replace("8,16", "9,16"))
    with pytest.raises(DatasetError, match="give another --output"):
        evaluate(root if options.max_frames else tmp_path / "data", [STILL], output=tmp_path / "out", options=options)


def test_a_tracker_that_cannot_be_made_leaves_nothing(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected MODULE:CLASS"):
        evaluate(root, ["test_evaluation:Missing"], output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_call_that_ran_nothing_claims_no_data(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="found nothing there"):
        evaluate(root, [STILL], output=tmp_path / "out", options=Options(results=(("X", tmp_path / "nowhere"),)))
    evaluate(root, [STILL], output=tmp_path / "out", options=Options(max_frames=4, sequences=("b",)))
    assert list(summary(tmp_path / "out")[STILL]["sequences"]) == ["b"]
    assert json.loads((tmp_path / "out" / "data.json").read_text())["clips"].keys() == {"b"}


def test_missing_libraries_are_named(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    evaluate(root, [Spec(BRIGHT), Spec(STILL)], output=tmp_path)
    report = (tmp_path / "report.md").read_text()
    assert "`success.png` and `precision.png` need matplotlib: pip install 'fear-tracker[bench]'" in report
    assert "need scipy: pip install 'fear-tracker[bench]'" in report
