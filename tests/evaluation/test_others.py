"""Results of others beside ours, in the toolkits' formats."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from fear.cli import app
from fear.errors import ConfigError, DatasetError
from fear.evaluation import Options, Spec, evaluate

STILL = "test_evaluation:Still"
TRUTH = {name: np.array([[8 + speed * k, 16, 16, 16] for k in range(10)], float) for name, speed in (("Car-1", 1), ("b", 2), ("c", 3))}


def write(path: Path, boxes: NDArray[np.float64], separator: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(separator.join(f"{value:g}" for value in box) for box in boxes) + "\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three clips of black pictures; as a data set of the layouts folder and OTB."""
    for name, truth in TRUTH.items():
        for place, offset, file in (("data", 0, "groundtruth.txt"), ("otb", 1, "groundtruth_rect.txt")):
            folder = tmp_path / place / name
            (folder / "img").mkdir(parents=True)
            for k in range(len(truth)):
                cv2.imwrite(str(folder / "img" / f"{k:04d}.jpg"), np.zeros((48, 64, 3), np.uint8))
            write(folder / file, truth + np.array([offset, offset, 0, 0]))
    return tmp_path / "data"


def auc(output: Path, name: str, clip: str) -> float:
    return float(json.loads((output / "summary.json").read_text())["trackers"][name]["sequences"][clip]["auc"])


def test_the_toolkits_layouts_are_read_and_compared_in_table_plots_and_intervals(root: Path, tmp_path: Path) -> None:
    flat, nested = tmp_path / "flat", tmp_path / "nested"
    for name, truth in TRUTH.items():
        write(flat / f"{name.lower()}.txt", truth, "\t")  # pytracking
        write(nested / name / f"{name}_001.txt", truth + np.array([2, 0, 0, 0]))  # GOT-10k
        (nested / name / f"{name}_time.txt").write_text("0.01\n" * len(truth))
    output = tmp_path / "out"
    arguments = ["eval", "--root", root, "--tracker", STILL, "--output", output, "--results", f"Best={flat}", "--results", f"Good={nested}"]
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert [auc(output, name, "Car-1") for name in ("Best", "Good")] == [pytest.approx(20 / 21), pytest.approx(16 / 21)]
    report = (output / "report.md").read_text()
    assert "| Best " in result.stdout
    assert "results of others, pixels counted from 0" in report
    assert "computed by" not in result.stdout
    rows = {row["tracker"]: row for row in csv.DictReader((output / "summary.csv").read_text().splitlines())}
    assert float(rows["Best"]["first_minus_this_high"]) < 0
    assert rows["Best"]["first_minus_this_losses"] == "3"
    assert rows["Best"]["fps"] == ""
    assert float(rows["Good"]["fps"]) == pytest.approx(100)
    assert (output / "success.png").is_file()

    evaluate(root, [STILL], output=output, options=Options(sequences=("b",), results=(("Best", flat),)))  # a smaller call
    assert list(json.loads((output / "summary.json").read_text())["trackers"]) == [STILL, "Best", "Good"]
    assert auc(output, "Best", "c") == pytest.approx(20 / 21)


@pytest.mark.parametrize("offset", [0, 1])
def test_results_of_otb_count_pixels_from_1_unless_their_first_boxes_say_otherwise(offset: int, root: Path, tmp_path: Path) -> None:
    for name, truth in TRUTH.items():
        write(tmp_path / "others" / f"{name}.txt", truth + np.array([offset, offset, 0, 0]), " ")
    options = Options(results=(("Others", tmp_path / "others"),))
    evaluate(root.parent / "otb", [STILL], dataset="otb", output=tmp_path / "out", options=options)
    assert auc(tmp_path / "out", "Others", "c") == pytest.approx(20 / 21)
    assert f"pixels counted from {offset}" in (tmp_path / "out" / "report.md").read_text()


def test_clips_without_a_result_are_named_in_the_coverage(root: Path, tmp_path: Path) -> None:
    write(tmp_path / "others" / "b.txt", TRUTH["b"])
    evaluate(root, [STILL], output=tmp_path / "out", options=Options(results=(("Others", tmp_path / "others"),)))
    assert "Not every tracker was run on all of them: Others on 1" in (tmp_path / "out" / "report.md").read_text()


def test_what_is_wrong_with_results_is_said(root: Path, tmp_path: Path) -> None:
    def fails(message: str, *results: tuple[str, Path], kind: type[Exception] = DatasetError) -> None:
        with pytest.raises(kind, match=message):
            evaluate(root, [Spec(STILL)], output=tmp_path / "out", options=Options(results=results))

    fails("found nothing there", ("X", tmp_path / "nowhere"))
    (tmp_path / "matlab").mkdir()
    (tmp_path / "matlab" / "Car-1_X.mat").write_bytes(b"MATLAB 5.0")
    fails(r"such as Car-1\.txt, got files \.mat of other names; turn MATLAB's files into text first", ("X", tmp_path / "matlab"))
    write(tmp_path / "short" / "b.txt", TRUTH["b"][:4])
    fails("expected a box for each of 10 frames, got 4", ("X", tmp_path / "short"))
    write(tmp_path / "broken" / "b.txt", TRUTH["b"][:, :3])
    fails("line 1: expected four numbers, got 3", ("X", tmp_path / "broken"))
    fails("expected a name that no other tracker has", ("X", tmp_path / "short"), ("X", tmp_path / "short"), kind=ConfigError)
    for name in ("", " ", ".", "..", "/", "../.."):
        fails("results: expected NAME=DIR with a name for the report", (name, tmp_path / "short"), kind=ConfigError)
    result = CliRunner().invoke(app, ["eval", "--root", str(root), "--results", "nothing"])
    assert result.exit_code == 2
    assert "expected NAME=DIR" in result.stderr
