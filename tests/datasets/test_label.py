from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fear.datasets import read
from fear.datasets.clip import Clip
from fear.datasets.frames import VideoFrame
from fear.datasets.label import Labelling, follow_forth_and_back, label_clips
from fear.errors import DatasetError
from fear.geometry.boxes import Box, iou
from fear.media.image import Image
from fear.tracking.protocol import SingleTarget


class Brightest:
    """Follows the brightest pixel; loses it for good where the frame is dark."""

    def __init__(self) -> None:
        self._box: Box = (0, 0, 1, 1)

    def init(self, frame: Image, box_xywh: Box) -> None:
        self._box = box_xywh

    def update(self, frame: Image) -> Box:
        grey = frame[..., 0]
        if grey.max() > 100:
            y, x = divmod(int(grey.argmax()), grey.shape[1])
            self._box = (float(x), float(y), 20.0, 10.0)
        return self._box


def clip(folder: Path, dark: tuple[int, ...] = ()) -> Clip:
    """A bright spot moves four pixels a frame."""
    folder.mkdir()
    paths = []
    for k in range(8):
        image = np.zeros((60, 80, 3), np.uint8)
        if k not in dark:
            image[20, 10 + 4 * k] = 255
        paths.append(folder / f"{k:06d}.png")
        cv2.imwrite(str(paths[-1]), image)
    return Clip(folder.name, tuple(paths), np.full((8, 4), np.nan))


def corner(rng: np.random.Generator, height: int, width: int) -> Box:
    return 1.0, 1.0, 9.0, 9.0


def test_videos_are_refused_before_anything_is_tracked(tmp_path: Path) -> None:
    clip = Clip("walk", (VideoFrame(tmp_path / "nowhere.mp4", 0),), np.full((1, 4), np.nan))
    with pytest.raises(DatasetError, match="fear data unpack"):
        label_clips([clip], SingleTarget(Brightest()), tmp_path / "tracks.csv")


def test_both_ways_agree_or_nothing_is_kept(tmp_path: Path) -> None:
    found = follow_forth_and_back(SingleTarget(Brightest()), list(clip(tmp_path / "bright")), (0, 0, 5, 5))
    assert found is not None
    assert found.boxes_xywh[:, 0].tolist() == [10 + 4 * k for k in range(8)]
    # at the end nothing is seen: the way back starts elsewhere than the way forth ends
    dark = list(clip(tmp_path / "dark", dark=(3, 4, 5)))
    assert follow_forth_and_back(SingleTarget(Brightest()), dark, (0, 0, 5, 5)) is None


def test_manifest_can_be_read_back(tmp_path: Path) -> None:
    sequence = clip(tmp_path / "bright")
    table = tmp_path / "labels" / "tracks.csv"
    count = label_clips([sequence], SingleTarget(Brightest()), table, Labelling(5, least=0, draw=corner))
    assert count == 1  # the other four settle on the same target
    (read_back,) = read("manifest", table)
    assert [Path(str(one)).resolve() for one in read_back.frames] == [Path(str(one)).resolve() for one in sequence.frames]
    assert iou(read_back.boxes_xywh[3], (22, 20, 20, 10)) == pytest.approx(1)
    with pytest.raises(DatasetError, match="expected a new table"):
        label_clips([sequence], SingleTarget(Brightest()), table, Labelling(draw=corner))


def test_a_broken_picture_leaves_no_table(tmp_path: Path) -> None:
    sequence = clip(tmp_path / "broken")
    Path(str(sequence.frames[2])).write_bytes(b"no picture")
    with pytest.raises(DatasetError):
        label_clips([sequence], SingleTarget(Brightest()), tmp_path / "tracks.csv", Labelling(draw=corner))
    assert not list(tmp_path.glob("*.csv*"))
