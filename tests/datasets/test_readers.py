"""Each reader on a tiny tree in its true layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fear.datasets import READERS, Clip, frames, read
from fear.datasets.check import check
from fear.datasets.frames import VideoFrame, read_frame, read_frames
from fear.datasets.unpack import unpack
from fear.errors import DatasetError
from fear.media.image import Image
from fear.media.reader import Source, open_source
from fear.media.writer import VideoWriter


def pictures(folder: Path, names: list[str]) -> None:
    """Pictures whose red value is their place in the list."""
    folder.mkdir(parents=True, exist_ok=True)
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


def coco(root: Path) -> None:
    pictures(root / "train2017", ["000000000009.jpg", "000000000025.jpg"])
    images = [{"id": 9, "file_name": "000000000009.jpg"}, {"id": 25, "file_name": "000000000025.jpg"}]
    objects = [
        {"id": 101, "image_id": 9, "bbox": [1.5, 2, 3, 4], "iscrowd": 0},
        {"id": 102, "image_id": 9, "bbox": [0, 0, 8, 8], "iscrowd": 1},
        {"id": 103, "image_id": 25, "bbox": [2, 2, 5, 5]},
    ]
    text(root / "annotations" / "instances_train2017.json", json.dumps({"images": images, "annotations": objects}))


def imagenet_vid(root: Path) -> None:
    data, tables = (root / kind / "VID" / "train" / "part_0" / "clip_1" for kind in ("Data", "Annotations"))
    pictures(data, [f"{k:06d}.JPEG" for k in range(4)])

    def one(track: int, left: int) -> str:
        sides = f"<xmin>{left}</xmin><ymin>2</ymin><xmax>{left + 3}</xmax><ymax>6</ymax>"
        return f"<object><trackid>{track}</trackid><name>n1</name><bndbox>{sides}</bndbox></object>"

    for k, objects in enumerate([one(0, 1), one(0, 2) + one(1, 5), one(1, 4), one(0, 3)]):
        text(tables / f"{k:06d}.xml", f"<annotation><folder>clip_1</folder>{objects}</annotation>")


def youtube_bb(root: Path) -> None:
    pictures(root / "train" / "abc", ["0.jpg", "1000.jpg", "2000.jpg"])
    lines = [
        "abc,2000,0,person,0,present,0.5,0.75,0.25,0.5",
        "abc,0,0,person,0,present,0.25,0.5,0.0,0.5",
        "abc,1000,0,person,0,absent,-1.0,-1.0,-1.0,-1.0",
        "gone,0,1,bird,0,present,0.1,0.2,0.1,0.2",
    ]
    text(root / "yt_bb_detection_train.csv", "\n".join(lines) + "\n")


def manifest(root: Path) -> None:
    pictures(root / "frames", ["a.jpg", "b.jpg"])
    lines = [
        "sequence_id,track_id,frame_index,img_path,bbox,frame_shape,dataset,presence,near_corner",
        'walk,0,1,frames/b.jpg,"[2, 3, 4, 5]","(8, 8)",own,0,0',
        'walk,0,0,frames/a.jpg,"[1, 2, 3.5, 4]","(8, 8)",own,1,0',
    ]
    text(root / "train.csv", "\n".join(lines) + "\n")


def images(root: Path) -> None:
    pictures(root, ["a.jpg", "b.jpg", "c.png"])
    text(root / "boxes.json", json.dumps([{"file": "a.jpg", "boxes": [[1, 2, 3, 4], [2, 2, 5, 5]]}, {"file": "b.jpg"}]))


def clips(root: Path) -> None:
    pictures(root / "walk", ["1.jpg", "2.jpg"])


TREES: dict[str, Callable[[Path], None]] = {
    "clips": clips,
    "coco": coco,
    "folder": folder,
    "got10k": got10k,
    "imagenet_vid": imagenet_vid,
    "images": images,
    "lasot": lasot,
    "manifest": manifest,
    "nfs": nfs,
    "otb": otb,
    "trackingnet": trackingnet,
    "uav123": uav123,
    "youtube_bb": youtube_bb,
}
EVERY = pytest.mark.parametrize("dataset", sorted(READERS))
LABELLED_VIDEO = pytest.mark.parametrize("dataset", ["folder", "got10k", "lasot", "nfs", "otb", "trackingnet", "uav123"])


def test_every_reader_has_a_tree() -> None:
    assert TREES.keys() == READERS.keys()


def by_name(dataset: str, root: Path) -> dict[str, Clip]:
    TREES[dataset](root)
    return {sequence.name: sequence for sequence in read(dataset, root)}


def file_names(clip: Clip) -> list[str]:
    return [Path(str(reference)).name for reference in clip.frames]


def test_folder(tmp_path: Path) -> None:
    (walk,) = by_name("folder", tmp_path).values()
    assert walk.visible.tolist() == [True, False, True]
    assert walk.boxes_xywh[2].tolist() == [5, 6, 7, 8]


def test_folder_takes_pictures_in_natural_order(tmp_path: Path) -> None:
    pictures(tmp_path / "walk" / "img", ["frame_1.jpg", "frame_2.jpg", "frame_10.jpg"])
    text(tmp_path / "walk" / "groundtruth.txt", "1,2,3,4\n" * 3)
    (walk,) = read("folder", tmp_path)
    assert file_names(walk) == ["frame_1.jpg", "frame_2.jpg", "frame_10.jpg"]


def test_clips_come_in_natural_order(tmp_path: Path) -> None:
    for name in ("car10", "car2", "bike"):
        pictures(tmp_path / name / "img", ["1.jpg"])
        text(tmp_path / name / "groundtruth.txt", "1,2,3,4\n")
    assert [clip.name for clip in read("folder", tmp_path)] == ["bike", "car2", "car10"]


# -------------------------------------------------------------------------------------------------------------------- videos
def video(path: Path, frames: int = 6) -> None:
    """Frame k of the video has the brightness 30 · k."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, 30) as writer:
        for k in range(frames):
            writer.write(np.full((64, 96, 3), 30 * k, np.uint8), k / 30)


def brightness(picture: Image) -> int:
    return round(float(picture.mean()) / 30)


def test_folder_takes_videos(tmp_path: Path) -> None:
    video(tmp_path / "walk" / "video.mp4")
    text(tmp_path / "walk" / "groundtruth.txt", "1,2,3,4\n" * 6)
    (walk,) = read("folder", tmp_path)
    assert len(walk) == 6
    assert [brightness(frame.image) for frame in walk] == [0, 1, 2, 3, 4, 5]
    assert [frame.index for frame in walk.part(slice(4, 1, -1))] == [0, 1, 2]
    assert [brightness(frame.image) for frame in walk.part(slice(4, 1, -1))] == [4, 3, 2]
    assert [brightness(frame.image) for frame in walk.part(slice(3, None))] == [3, 4, 5]
    assert [brightness(frame.image) for frame in walk.cut(2)] == [0, 1]


@pytest.mark.parametrize("boxes", [5, 7])
def test_a_video_with_another_number_of_frames_than_boxes(tmp_path: Path, boxes: int) -> None:
    video(tmp_path / "walk" / "video.mp4")
    text(tmp_path / "walk" / "groundtruth.txt", "1,2,3,4\n" * boxes)
    with pytest.raises(DatasetError, match=f"got 6 pictures and {boxes} boxes"):
        read("folder", tmp_path)


def test_frames_of_videos_are_read_in_any_order(tmp_path: Path) -> None:
    video(tmp_path / "a.mp4")
    video(tmp_path / "b.mp4")
    for name, index in (("a", 3), ("b", 5), ("a", 0), ("b", 1), ("a", 3)):
        assert brightness(read_frame(VideoFrame(tmp_path / f"{name}.mp4", index))) == index
    with pytest.raises(DatasetError, match="expected at least 7 frames, got 6"):
        read_frame(VideoFrame(tmp_path / "a.mp4", 6))


def test_decoded_videos_stay_within_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []

    def open_and_remember(path: Path) -> Source:
        opened.append(path)
        return open_source(path)

    names = [tmp_path / f"{name}.mp4" for name in "abc"]
    for path in names:
        video(path)
    size = 6 * 64 * 96 * 3 // 2  # of one decoded video, as planes
    monkeypatch.setattr(frames, "CACHE_BYTES", 2 * size)
    monkeypatch.setattr(frames, "open_source", open_and_remember)
    for path in (names[0], names[1], names[0], names[2], names[0], names[1]):
        read_frame(VideoFrame(path, 2))
    assert opened == [names[0], names[1], names[2], names[1]]  # the least recently used one left when the third came
    monkeypatch.setattr(frames, "CACHE_BYTES", size - 1)
    video(tmp_path / "long.mp4")
    with pytest.raises(DatasetError, match="fear data unpack"):
        read_frame(VideoFrame(tmp_path / "long.mp4", 0))
    assert len(list(read_frames([VideoFrame(tmp_path / "long.mp4", k) for k in range(6)]))) == 6  # in order, any length can be read


def test_otb_counts_from_zero_and_splits_targets(tmp_path: Path) -> None:
    sequences = by_name("otb", tmp_path)
    assert list(sequences) == ["BlurCar3", "Car4", "Jogging-1", "Jogging-2"]
    assert sequences["Car4"].boxes_xywh[0].tolist() == [70, 51, 107, 87]
    assert sequences["Car4"].boxes_xywh[2].tolist() == [72, 51, 107, 87]
    assert sequences["Jogging-2"].boxes_xywh[0].tolist() == [180, 81, 37, 115]
    assert file_names(sequences["BlurCar3"]) == ["0003.jpg", "0004.jpg", "0005.jpg"]


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
    assert file_names(sequences["car16_2"]) == ["000415.jpg", "000416.jpg"]


def test_attributes_of_toolkits(tmp_path: Path) -> None:
    otb(tmp_path / "otb")
    text(tmp_path / "otb" / "anno" / "att" / "car4.txt", "1,0,1,0,0,0,0,0,0,0,0\n")
    table = {"Jogging-2": {"video_dir": "Jogging", "attr": ["Out-of-Plane Rotation", "Background Clutters", "Out-of-View", "Tilt"]}}
    text(tmp_path / "otb" / "OTB100.json", json.dumps(table))
    found = {clip.name: clip.attributes for clip in read("otb", tmp_path / "otb")}
    assert found["Car4"] == ("illumination variation", "scale variation")
    assert found["Jogging-2"] == ("out-of-plane rotation", "background clutter", "out of view", "tilt")
    assert found["Jogging-1"] == ()

    lasot(tmp_path / "lasot")
    text(tmp_path / "lasot" / "annos" / "att" / "airplane-1.txt", "0,0,0,0,1,0,0,0,0,0,0,0,0,1\n")
    (clip,) = [clip for clip in read("lasot", tmp_path / "lasot") if clip.name == "airplane-1"]
    assert clip.attributes == ("camera motion", "full occlusion", "out of view", "aspect ratio change")

    uav123(tmp_path / "uav")
    text(tmp_path / "uav" / "anno" / "UAV123" / "att" / "bike1.txt", "1,0,0,0,0,0,1,0,0,0,0,1\n")
    assert read("uav123", tmp_path / "uav", ["bike1"])[0].attributes == ("scale variation", "out of view", "similar object")


def test_damaged_attributes_are_said(tmp_path: Path) -> None:
    otb(tmp_path)
    text(tmp_path / "anno" / "att" / "car4.txt", "1,0,1\n")
    with pytest.raises(DatasetError, match="expected 11 flags 0 or 1, got 3"):
        read("otb", tmp_path)
    (tmp_path / "anno" / "att" / "car4.txt").unlink()
    text(tmp_path / "OTB100.json", "{")
    with pytest.raises(DatasetError, match="expected JSON"):
        read("otb", tmp_path)


def test_trackingnet_counts_in_numbers(tmp_path: Path) -> None:
    sequences = by_name("trackingnet", tmp_path)
    assert file_names(sequences["clip"]) == [f"{k}.jpg" for k in range(11)]
    assert int(read_frame(sequences["clip"].frames[10])[0, 0, 0]) == pytest.approx(100, abs=3)
    assert sequences["hidden"].visible.tolist() == [True, False]
    assert [sequence.name for sequence in read("trackingnet", tmp_path / "TEST")] == ["hidden"]


@EVERY
def test_empty_root(dataset: str, tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DatasetError, match=r"expected .*found none"):
            read(dataset, root)


def test_coco_objects_are_sequences_of_one_frame(tmp_path: Path) -> None:
    sequences = by_name("coco", tmp_path)
    assert list(sequences) == ["000000000009-101", "000000000025-103"]  # the crowd is left out
    assert sequences["000000000009-101"].boxes_xywh.tolist() == [[1.5, 2, 3, 4]]


def test_imagenet_vid_tracks(tmp_path: Path) -> None:
    sequences = by_name("imagenet_vid", tmp_path)
    assert list(sequences) == ["clip_1-0", "clip_1-1"]
    assert sequences["clip_1-0"].visible.tolist() == [True, True, False, True]
    assert sequences["clip_1-0"].boxes_xywh[3].tolist() == [3, 2, 3, 4]
    assert file_names(sequences["clip_1-1"]) == ["000001.JPEG", "000002.JPEG"]


def test_youtube_bb_in_pixels_and_in_time(tmp_path: Path) -> None:
    sequences = by_name("youtube_bb", tmp_path)
    assert list(sequences) == ["abc-0-0"]  # nobody could download the other video
    assert sequences["abc-0-0"].visible.tolist() == [True, False, True]
    assert sequences["abc-0-0"].boxes_xywh[2].tolist() == [4, 2, 2, 2]


def test_manifest_of_the_published_code(tmp_path: Path) -> None:
    (walk,) = by_name("manifest", tmp_path).values()
    assert walk.name == "walk-0"
    assert file_names(walk) == ["a.jpg", "b.jpg"]
    assert walk.visible.tolist() == [True, False]
    assert read("manifest", tmp_path / "train.csv")[0].boxes_xywh[0].tolist() == [1, 2, 3.5, 4]


def test_images_with_and_without_boxes(tmp_path: Path) -> None:
    sequences = by_name("images", tmp_path)
    assert list(sequences) == ["a.jpg-0", "a.jpg-1", "b.jpg", "c.png"]
    assert sequences["a.jpg-1"].boxes_xywh.tolist() == [[2, 2, 5, 5]]
    assert not sequences["c.png"].visible.any()


def test_clips_have_no_boxes(tmp_path: Path) -> None:
    (walk,) = by_name("clips", tmp_path).values()
    assert len(walk) == 2
    assert not walk.visible.any()


BROKEN = [
    ("coco", "annotations/instances_train2017.json", "{}", "expected COCO's images and annotations"),
    ("imagenet_vid", "Annotations/VID/train/part_0/clip_1/000001.xml", "<a><object/></a>", "expected objects with trackid and bndbox"),
    ("imagenet_vid", "Annotations/VID/train/part_0/clip_1/000001.xml", "no xml", "expected objects with trackid and bndbox"),
    ("youtube_bb", "yt_bb_detection_train.csv", "abc,0,0\n", "line 1: expected ten columns"),
    ("manifest", "train.csv", "a,b\n1,2\n", "line 1: expected columns"),
    ("manifest", "train.csv", "sequence_id,track_id,frame_index,img_path,bbox,presence\nw,0,0,frames/a.jpg,[1],1\n", "line 2: expected"),
    ("images", "boxes.json", '[{"boxes": []}]', "expected a list of objects with file and boxes"),
    ("images", "boxes.json", '[{"file": "z.jpg", "boxes": [[1, 2, 3, 4]]}]', "1 are missing, such as z.jpg"),
]


@pytest.mark.parametrize(("dataset", "name", "content", "words"), BROKEN)
def test_broken_tables(dataset: str, name: str, content: str, words: str, tmp_path: Path) -> None:
    TREES[dataset](tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(DatasetError, match=words):
        read(dataset, tmp_path)


@pytest.mark.parametrize("dataset", ["coco", "imagenet_vid", "manifest", "youtube_bb"])
def test_pictures_of_tables_are_missing(dataset: str, tmp_path: Path) -> None:
    TREES[dataset](tmp_path)
    for path in [*tmp_path.rglob("*.jpg"), *tmp_path.rglob("*.JPEG")]:
        path.unlink()
    with pytest.raises(DatasetError, match=r"expected .*pictures"):
        read(dataset, tmp_path)


def test_unpack_writes_a_sequence_that_reads_back(tmp_path: Path) -> None:
    pictures(tmp_path / "video", ["1.png", "2.png"])
    text(tmp_path / "boxes.txt", "1,2,3,4\nnan,nan,nan,nan\n")
    assert unpack(tmp_path / "video", tmp_path / "boxes.txt", tmp_path / "own" / "walk") == 2
    (walk,) = read("folder", tmp_path / "own")
    assert walk.visible.tolist() == [True, False]
    assert int(read_frame(walk.frames[1])[0, 0, 0]) == pytest.approx(10, abs=3)
    with pytest.raises(DatasetError, match="expected a new folder"):
        unpack(tmp_path / "video", tmp_path / "boxes.txt", tmp_path / "own" / "walk")


@pytest.mark.parametrize(("boxes", "words"), [("1,2,3,4\n", "1 boxes and 2 frames"), ("1,2,3,4\n" * 3, "3 boxes and 2 frames")])
def test_unpack_of_another_number_of_boxes_writes_nothing(tmp_path: Path, boxes: str, words: str) -> None:
    pictures(tmp_path / "video", ["1.png", "2.png"])
    text(tmp_path / "boxes.txt", boxes)
    with pytest.raises(DatasetError, match=words):
        unpack(tmp_path / "video", tmp_path / "boxes.txt", tmp_path / "own" / "walk")
    assert list((tmp_path / "own").iterdir()) == []


@LABELLED_VIDEO
def test_missing_picture(dataset: str, tmp_path: Path) -> None:
    TREES[dataset](tmp_path)
    for path in list(tmp_path.rglob("*.jpg"))[::2]:
        path.unlink()
    with pytest.raises(DatasetError, match=r"expected .*pictures"):
        read(dataset, tmp_path)


@LABELLED_VIDEO
def test_broken_truth(dataset: str, tmp_path: Path) -> None:
    TREES[dataset](tmp_path)
    for path in tmp_path.rglob("*.txt"):
        if "occlusion" not in path.name and "view" not in path.name:
            path.write_text("1,2,3\n" * 3)
    with pytest.raises(DatasetError, match="line 1: expected"):
        read(dataset, tmp_path)


def test_files_of_windows_are_read(tmp_path: Path) -> None:
    """Windows line ends, a byte order mark, semicolons and empty lines."""
    lasot(tmp_path / "lasot")
    base = tmp_path / "lasot" / "airplane" / "airplane-1"
    (base / "full_occlusion.txt").write_bytes("\ufeff0;1;0;0\r\n".encode())
    (base / "groundtruth.txt").write_bytes(("\ufeff" + "367;101;41;16\r\n" * 4 + "\r\n").encode())
    (clip,) = [clip for clip in read("lasot", tmp_path / "lasot") if clip.name == "airplane-1"]
    assert clip.visible.tolist() == [True, False, True, False]
    folder(tmp_path / "own")
    (tmp_path / "own" / "walk" / "attributes.txt").write_bytes("\ufefffast motion\r\nocclusion\r\n".encode())
    assert read("folder", tmp_path / "own")[0].attributes == ("fast motion", "occlusion")
    manifest(tmp_path / "table")
    (table,) = (tmp_path / "table").glob("*.csv")
    before = [clip.name for clip in read("manifest", table)]
    table.write_bytes(("\ufeff" + table.read_text().replace("\n", "\r\n")).encode())
    assert [clip.name for clip in read("manifest", table)] == before


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
