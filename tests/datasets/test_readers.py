"""Each reader on a tiny tree in its true layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fear.datasets import READERS, Sequence, read
from fear.datasets.base import read_image
from fear.datasets.check import check
from fear.errors import DatasetError


def pictures(folder: Path, names: list[str]) -> None:
    """Pictures whose red value is their place in the list."""
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), np.full((8, 8, 3), (0, 0, 10 * number), np.uint8))


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def eight(count: int, start: int = 1) -> list[str]:
    return [f"{k:08d}.jpg" for k in range(start, start + count)]


def folder(root: Path) -> None:
    pictures(root / "walk" / "img", ["a.jpg", "b.jpg", "c.jpg"])
    text(root / "walk" / "groundtruth.txt", "1,2,3,4\nnan,nan,nan,nan\n5,6,7,8\n")


def otb(root: Path) -> None:
    pictures(root / "Car4" / "img", ["0001.jpg", "0002.jpg", "0003.jpg"])
    text(root / "Car4" / "groundtruth_rect.txt", "71,52,107,87\n72,52,107,87\n73\t52\t107\t87\n")
    pictures(root / "Jogging" / "img", ["0001.jpg", "0002.jpg"])
    text(root / "Jogging" / "groundtruth_rect.1.txt", "112,80,25,101\n112,80,25,101\n")
    text(root / "Jogging" / "groundtruth_rect.2.txt", "181,82,37,115\n181,82,37,115\n")
    pictures(root / "BlurCar3" / "img", [f"{k:04d}.jpg" for k in range(1, 6)])  # truth begins at picture 3
    text(root / "BlurCar3" / "groundtruth_rect.txt", "1,2,3,4\n" * 3)


def got10k(root: Path) -> None:
    pictures(root / "GOT-10k_Val_000001", eight(3))
    text(root / "GOT-10k_Val_000001" / "groundtruth.txt", "347.0,443.0,429.0,272.0\n1.5,2,3,4\n5,6,7,8\n")
    text(root / "GOT-10k_Val_000001" / "absence.label", "0\n1\n0\n")
    pictures(root / "GOT-10k_Test_000001", eight(3))
    text(root / "GOT-10k_Test_000001" / "groundtruth.txt", "10,20,30,40\n")


def lasot(root: Path) -> None:
    base = root / "airplane" / "airplane-1"
    pictures(base / "img", eight(4))
    text(base / "groundtruth.txt", "367,101,41,16\n" * 4)
    text(base / "full_occlusion.txt", "0,1,0,0\n")
    text(base / "out_of_view.txt", "0,0,0,1\n")


def nfs(root: Path) -> None:
    pictures(root / "soccer" / "30" / "soccer", [f"{k:05d}.jpg" for k in range(1, 4)])
    lines = [f'0 {100 + k} 200 {150 + k} 280 {k} {int(k == 8)} 0 0 "ball"' for k in range(24)]
    text(root / "soccer" / "30" / "soccer.txt", "\n".join(lines))  # 240 frames per second


def uav123(root: Path) -> None:
    pictures(root / "data_seq" / "UAV123" / "bike1", [f"{k:06d}.jpg" for k in range(1, 4)])
    text(root / "anno" / "UAV123" / "bike1.txt", "11,21,30,40\nNaN,NaN,NaN,NaN\n13,23,30,40\n")
    pictures(root / "data_seq" / "UAV123" / "car16", [f"{k:06d}.jpg" for k in range(1, 418)])
    text(root / "anno" / "UAV123" / "car16_2.txt", "1,1,5,5\n1,1,6,6\n")


def trackingnet(root: Path) -> None:
    pictures(root / "TRAIN_0" / "frames" / "clip", [f"{k}.jpg" for k in range(11)])
    text(root / "TRAIN_0" / "anno" / "clip.txt", "".join(f"{k},2,3,4\n" for k in range(11)))
    pictures(root / "TEST" / "frames" / "hidden", ["0.jpg", "1.jpg"])
    text(root / "TEST" / "anno" / "hidden.txt", "5,6,7,8\n")


TREES: dict[str, Callable[[Path], None]] = {
    "folder": folder,
    "got10k": got10k,
    "lasot": lasot,
    "nfs": nfs,
    "otb": otb,
    "trackingnet": trackingnet,
    "uav123": uav123,
}
EVERY = pytest.mark.parametrize("dataset", sorted(READERS))


def test_every_reader_has_a_tree() -> None:
    assert TREES.keys() == READERS.keys()


def by_name(dataset: str, root: Path) -> dict[str, Sequence]:
    TREES[dataset](root)
    return {sequence.name: sequence for sequence in read(dataset, root)}


def test_folder(tmp_path: Path) -> None:
    (walk,) = by_name("folder", tmp_path).values()
    assert walk.visible.tolist() == [True, False, True]
    assert walk.boxes_xywh[2].tolist() == [5, 6, 7, 8]


def test_otb_counts_from_zero_and_splits_targets(tmp_path: Path) -> None:
    sequences = by_name("otb", tmp_path)
    assert list(sequences) == ["BlurCar3", "Car4", "Jogging-1", "Jogging-2"]
    assert sequences["Car4"].boxes_xywh[0].tolist() == [70, 51, 107, 87]
    assert sequences["Car4"].boxes_xywh[2].tolist() == [72, 51, 107, 87]
    assert sequences["Jogging-2"].boxes_xywh[0].tolist() == [180, 81, 37, 115]
    assert [path.name for path in sequences["BlurCar3"].frames] == ["0003.jpg", "0004.jpg", "0005.jpg"]


def test_got10k_absent_and_hidden_truth(tmp_path: Path) -> None:
    sequences = by_name("got10k", tmp_path)
    assert sequences["GOT-10k_Val_000001"].visible.tolist() == [True, False, True]
    assert sequences["GOT-10k_Test_000001"].visible.tolist() == [True, False, False]


def test_got10k_wants_one_split(tmp_path: Path) -> None:
    got10k(tmp_path / "val")
    with pytest.raises(DatasetError, match="expected one split"):
        read("got10k", tmp_path)


def test_lasot_hidden_and_out_of_view(tmp_path: Path) -> None:
    assert by_name("lasot", tmp_path)["airplane-1"].visible.tolist() == [True, False, True, False]
    assert [sequence.name for sequence in read("lasot", tmp_path / "airplane")] == ["airplane-1"]


def test_nfs_takes_every_eighth_line(tmp_path: Path) -> None:
    soccer = by_name("nfs", tmp_path)["soccer"]
    assert soccer.visible.tolist() == [True, False, True]
    assert soccer.boxes_xywh[2].tolist() == [116, 200, 50, 80]


def test_uav123_parts_of_a_folder(tmp_path: Path) -> None:
    sequences = by_name("uav123", tmp_path)
    assert sequences["bike1"].visible.tolist() == [True, False, True]
    assert sequences["bike1"].boxes_xywh[0].tolist() == [10, 20, 30, 40]
    assert [path.name for path in sequences["car16_2"].frames] == ["000415.jpg", "000416.jpg"]


def test_trackingnet_counts_in_numbers(tmp_path: Path) -> None:
    sequences = by_name("trackingnet", tmp_path)
    assert [path.stem for path in sequences["clip"].frames] == [str(k) for k in range(11)]
    assert int(read_image(sequences["clip"].frames[10])[0, 0, 0]) == pytest.approx(100, abs=3)
    assert sequences["hidden"].visible.tolist() == [True, False]
    assert [sequence.name for sequence in read("trackingnet", tmp_path / "TEST")] == ["hidden"]


@EVERY
def test_empty_root(dataset: str, tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DatasetError, match=r"expected .*found none"):
            read(dataset, root)


@EVERY
def test_missing_picture(dataset: str, tmp_path: Path) -> None:
    TREES[dataset](tmp_path)
    for path in list(tmp_path.rglob("*.jpg"))[::2]:
        path.unlink()
    with pytest.raises(DatasetError, match=r"expected .*pictures"):
        read(dataset, tmp_path)


@EVERY
def test_broken_truth(dataset: str, tmp_path: Path) -> None:
    TREES[dataset](tmp_path)
    for path in tmp_path.rglob("*.txt"):
        if "occlusion" not in path.name and "view" not in path.name:
            path.write_text("1,2,3\n" * 3)
    with pytest.raises(DatasetError, match="line 1: expected"):
        read(dataset, tmp_path)


def test_broken_flags(tmp_path: Path) -> None:
    lasot(tmp_path)
    (tmp_path / "airplane" / "airplane-1" / "out_of_view.txt").write_text("0,2,0,0")
    with pytest.raises(DatasetError, match="expected 4 flags 0 or 1"):
        read("lasot", tmp_path)


# -------------------------------------------------------------------------------------------------------------------- check
def test_check_counts(tmp_path: Path) -> None:
    lasot(tmp_path)
    for path in tmp_path.rglob("groundtruth.txt"):
        path.write_text("1,1,5,5\n" * 4)
    calls: list[int] = []
    findings = check(read("lasot", tmp_path), lambda: calls.append(1))
    assert (findings.sequences, findings.frames, findings.absent, findings.faults) == (1, 4, 2, [])
    assert len(calls) == 1


def test_check_finds_faults(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "walk" / "groundtruth.txt").write_text("1,2,3,4\n900,2,3,4\n1,2,0,4\n")
    (tmp_path / "walk" / "img" / "a.jpg").write_bytes(b"broken")
    faults = check(read("folder", tmp_path)).faults
    assert len(faults) == 3
    for fault, words in zip(
        faults,
        ("a.jpg: expected a picture", "b.jpg: expected a box in the picture of 8×8", "c.jpg: expected a box with an area"),
        strict=True,
    ):
        assert words in fault
