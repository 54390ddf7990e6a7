"""Box files that cannot grow line by line: they are replaced whole and stay valid whatever ends the run."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

import fear.annotations.boxfile as boxfile
from fear.annotations.annotation import Annotation, Facts
from fear.annotations.boxfile import BoxFile
from fear.annotations.draw import PALETTE, draw_tracks
from fear.annotations.formats import read_annotations
from fear.errors import ConfigError, FearError
from fear.tracking.track import Track

FACTS = Facts("", 640, 480, rate=25.0)
WHOLE = [".coco.json", ".cvat.xml"]


def tracks(frame: int, lost: bool = False) -> list[Track]:
    return [Track((1.0 + frame, 2.0, 3.0, 4.0), 0.5, 0.25, lost), Track((50.0, 60.0 + frame, 7.0, 8.0), 0.75, 0.5, False, 1)]


@pytest.mark.parametrize("suffix", [".mot.txt", *WHOLE])
def test_several_targets_go_into_one_file(suffix: str, tmp_path: Path) -> None:
    with BoxFile(tmp_path / f"out{suffix}", 2, FACTS) as file:
        for frame in range(4):
            file.write(frame, frame / 25, tracks(frame, lost=frame == 2))
    assert [path.name for path in tmp_path.iterdir()] == [f"out{suffix}"]
    found = read_annotations(tmp_path / f"out{suffix}")
    similarity = 1 if suffix == ".mot.txt" else 0.25
    assert found.boxes[0] == Annotation(0, 0, (1, 2, 3, 4), 0.5, similarity)
    shown = {(one.frame, one.target) for one in found.boxes if not one.lost}
    assert shown == {(frame, target) for frame in range(4) for target in range(2)} - {(2, 0)}
    assert [one.box_xywh for one in found.boxes if one.lost] == ([(3, 2, 3, 4)] if suffix == ".cvat.xml" else [])


def test_text_files_belong_to_the_ids_of_targets_that_come_and_go(tmp_path: Path) -> None:
    first, second, third = (Track((10.0 * k, 2.0, 3.0, 4.0), 0.5, 0.25, False, k) for k in range(3))
    with BoxFile(tmp_path / "out.txt", 2) as file:
        for frame, present in enumerate([[first, second], [second], [second, third], [third]]):
            file.write(frame, frame / 25, present)
    assert [path.name for path in file.paths] == ["out_0.txt", "out_1.txt", "out_2.txt"]
    unknown, line = "nan,nan,nan,nan", "{}.00,2.00,3.00,4.00"
    assert (tmp_path / "out_0.txt").read_text().splitlines() == [line.format(0)]
    assert (tmp_path / "out_1.txt").read_text().splitlines() == [line.format(10)] * 3
    assert (tmp_path / "out_2.txt").read_text().splitlines() == [unknown] * 2 + [line.format(20)] * 2


def test_the_box_of_the_last_of_several_targets_still_shows_its_id() -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    alone, left = (Track((40.0, 40.0, 20.0, 20.0), 0.5, 0.25, False, number) for number in (0, len(PALETTE)))  # of one colour
    assert not np.array_equal(draw_tracks(image, [alone]), draw_tracks(image, [left]))


@pytest.mark.parametrize("suffix", WHOLE)
def test_an_interruption_keeps_every_frame(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"out{suffix}"
    with pytest.raises(KeyboardInterrupt), BoxFile(path, 2, FACTS) as file:
        file.write(0, 0, tracks(0))
        assert len(read_annotations(path).boxes) in (0, 2)  # valid before anything else came
        for frame in range(1, 10):
            file.write(frame, frame / 25, tracks(frame))
        raise KeyboardInterrupt
    assert len(read_annotations(path).boxes) == 20


@pytest.mark.parametrize("suffix", WHOLE)
def test_what_is_on_disk_while_a_run_goes_on_is_a_few_seconds_old_at_most(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    path = tmp_path / f"out{suffix}"
    file = BoxFile(path, 2, FACTS)
    ages = []
    for frame in range(100):
        clock[0] += 0.1
        file.write(frame, frame / 25, tracks(frame))
        ages.append(frame + 1 - len(read_annotations(path).boxes) // 2)
    assert max(ages) <= 21  # frames, of ten a second
    assert 0 in ages[50:]


@pytest.mark.parametrize("suffix", WHOLE)
def test_a_full_disk_leaves_the_last_whole_file(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxfile, "_PAUSE", 0.0)
    monkeypatch.setattr(boxfile, "_SHARE", 1e9)
    path = tmp_path / f"out{suffix}"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, before[1]))
    try:
        with pytest.raises(FearError, match=r"expected to write on \(File too large\)"), BoxFile(path, 2, FACTS) as file:
            for frame in range(100):
                file.write(frame, frame / 25, tracks(frame))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(read_annotations(path).boxes) > 4
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a box file \.txt, .* or \.cvat\.xml, got \.xml"):
        BoxFile(tmp_path / "out.xml", 1, FACTS)
    with pytest.raises(ConfigError, match="expected the size of the frames"):
        BoxFile(tmp_path / "out.cvat.xml", 1)
