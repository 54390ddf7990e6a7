"""Boxes in the formats of other programs: what goes out comes back, others' files are read, and what is wrong is said in one line."""

from __future__ import annotations

import json
import string
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fear.annotations.annotation import Annotation, Annotations, Facts, Target, ordered
from fear.annotations.formats import FORMATS, Reading, find_format, left_out, read_annotations, write_annotations
from fear.errors import ConfigError, DatasetError, FearError

WIDTH, HEIGHT = 640, 480
FILES = {
    "csv": "a.csv",
    "jsonl": "a.jsonl",
    "mot": "a.mot.txt",
    "coco": "a.coco.json",
    "cvat": "a.cvat.xml",
    "yolo": "labels-only",
    "yolo-tracks": "with-tracks",
}

words = st.text(string.ascii_letters + "äß日本é,;'\"<&> ", min_size=1, max_size=8).map(str.strip).filter(bool)
shares = st.integers(0, 10_000).map(lambda value: value / 10_000)
pixels = st.integers(0, 60_000).map(lambda value: value / 100)
sides = st.integers(1, 30_000).map(lambda value: value / 100)


@st.composite
def some_annotations(draw: st.DrawFn) -> Annotations:
    places = draw(st.sets(st.tuples(st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=12))
    boxes = []
    for frame, target in places:
        box = draw(st.tuples(pixels, pixels, sides, sides))
        lost = draw(st.booleans())
        seen = draw(st.sampled_from([1.0, 1.0, 0.0, 0.25]))
        boxes.append(Annotation(frame, target, box, draw(shares), draw(shares), lost, seen, frame / 25))
    numbers = {target for _, target in places}
    targets = {number: Target(draw(st.one_of(st.just(""), words)), draw(words)) for number in numbers}
    return Annotations(ordered("drawn", boxes), targets, Facts("clip.mp4", WIDTH, HEIGHT, draw(st.integers(13, 20)), 25.0))


def round_trip(found: Annotations, name: str) -> Annotations:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILES[name]
        write_annotations(found, path, name)
        return read_annotations(path, None, Reading(facts=found.facts))


def what_remains(found: Annotations, name: str) -> Annotations:
    """What a format holds of some boxes, by the table of formats."""
    holds = FORMATS[name].holds
    usual = Annotation(0, 0, (0, 0, 0, 0))
    fields = {"score", "similarity", "visibility", "time"} - holds
    kept = [one._replace(**{field: getattr(usual, field) for field in fields}) for one in found.boxes if "lost" in holds or not one.lost]
    numbers = {one.target for one in kept}
    targets = {
        number: Target(one.name if "name" in holds else "", one.label if "label" in holds else "") for number, one in found.targets.items()
    }
    return Annotations(tuple(kept), {number: one for number, one in targets.items() if number in numbers and any(one)})


@pytest.mark.parametrize("name", ["csv", "jsonl", "mot", "coco", "cvat", "yolo-tracks"])
@settings(max_examples=15, deadline=None)
@given(found=some_annotations())
def test_what_a_format_can_hold_comes_back(name: str, found: Annotations) -> None:
    expected, back = what_remains(found, name), round_trip(found, name)
    assert [one[:2] for one in back.boxes] == [one[:2] for one in expected.boxes]
    for one, other in zip(back.boxes, expected.boxes, strict=True):
        assert one.box_xywh == pytest.approx(other.box_xywh, abs=1e-4)
        assert one[3:-1] == pytest.approx(other[3:-1])
        assert one.time == (pytest.approx(other.time) if other.time is not None else None)
    assert back.targets == expected.targets


@settings(max_examples=10, deadline=None)
@given(found=some_annotations())
def test_labels_to_train_with_hold_boxes_and_classes(found: Annotations) -> None:
    single = Annotations(
        tuple(one._replace(lost=False) for one in found.boxes if one.target == found.numbers[0]), found.targets, found.facts
    )
    back = round_trip(single, "yolo")
    assert [one.frame for one in back.boxes] == [one.frame for one in single.boxes]
    assert {one.label for one in back.targets.values()} == {found.label(found.numbers[0])}
    assert any("no ids" in remark for remark in back.remarks)


@settings(max_examples=15, deadline=None)
@given(found=some_annotations(), name=st.sampled_from(sorted(FILES)))
def test_what_is_left_out_is_said(found: Annotations, name: str) -> None:
    told = " ".join(left_out(found, name))
    remains = what_remains(found, name)
    assert (remains.boxes == found.boxes) == (not any(word in told for word in ("times", "scores", "similarities", "seen", "lost")))
    if any(one.name for one in found.targets.values()):
        assert ("names of targets" in told) == ("name" not in FORMATS[name].holds)


# ------------------------------------------------------------------------------------------------------------- independent readers
SAMPLE = Annotations(
    ordered(
        "sample",
        [
            Annotation(0, 0, (10, 20, 30, 40), 0.9, 0.8),
            Annotation(1, 0, (11, 20, 30, 40), 0.2, 0.1, lost=True),
            Annotation(3, 0, (12.5, 20, 30, 40)),
            Annotation(2, 1, (5, 5, 6, 6), visibility=0.0),
        ],
    ),
    {0: Target("goose", "bird"), 1: Target(label="car")},
    Facts("clip.mp4", WIDTH, HEIGHT, 5, 25.0),
)


def test_pycocotools_reads_our_coco(tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    write_annotations(SAMPLE, tmp_path / "a.coco.json")
    read = coco.COCO(str(tmp_path / "a.coco.json"))
    assert len(read.getImgIds()) == 5
    (bird,) = read.getCatIds(catNms=["bird"])
    boxes = {read.imgs[one["image_id"]]["frame_index"]: one["bbox"] for one in read.loadAnns(read.getAnnIds(catIds=[bird]))}
    assert boxes == {0: [10, 20, 30, 40], 3: [12.5, 20, 30, 40]}


# ---------------------------------------------------------------------------------------------------------------- others' files
CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
 <meta><task><size>9</size><original_size><width>64</width><height>48</height></original_size></task></meta>
 <track id="4" label="person" source="manual">
  <box frame="0" keyframe="1" outside="0" occluded="0" xtl="0.00" ytl="0.00" xbr="10.00" ybr="20.00" z_order="0"></box>
  <box frame="4" keyframe="1" outside="0" occluded="1" xtl="8.00" ytl="4.00" xbr="18.00" ybr="24.00" z_order="0"></box>
  <box frame="6" keyframe="1" outside="1" occluded="0" xtl="8.00" ytl="4.00" xbr="18.00" ybr="24.00" z_order="0"></box>
  <polygon frame="0" points="1,2;3,4"/>
 </track>
</annotations>"""


def test_cvat_fills_key_frames_up_and_ends_where_a_person_said_so(tmp_path: Path) -> None:
    path = tmp_path / "annotations.xml"
    path.write_text(CVAT)
    found = read_annotations(path)
    assert [one.frame for one in found.boxes] == [0, 1, 2, 3, 4, 5]
    assert found.boxes[1].box_xywh == (2, 1, 10, 20)
    assert found.boxes[5].box_xywh == (8, 4, 10, 20)
    assert [one.occluded for one in found.boxes] == [False] * 4 + [True] * 2
    assert found.targets == {4: Target(label="person")}
    assert (found.facts.width, found.facts.frames) == (64, 9)
    assert found.remarks == ("1 shapes that are not boxes are left out",)
    with zipfile.ZipFile(tmp_path / "task.zip", "w") as archive:
        archive.write(path, "annotations.xml")
    assert read_annotations(tmp_path / "task.zip") == found


def test_a_folder_of_motchallenge_with_its_size_and_classes(tmp_path: Path) -> None:
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "gt.txt").write_text("1,3,11,21,30,40,1,1,0.5\n2,3,12,21,30,40,1,1,1\n1,7,1,1,5,5,0,8,0.1\n")
    (tmp_path / "seqinfo.ini").write_text(
        "[Sequence]\nname=MOT17-02\nframeRate=30\nseqLength=600\nimWidth=1920\nimHeight=1080\nimExt=.jpg\n"
    )
    found = read_annotations(tmp_path, how=Reading(origin=1))
    assert found.facts == Facts("MOT17-02", 1920, 1080, 600, 30.0)
    assert found.boxes[0] == Annotation(0, 2, (10, 20, 30, 40), visibility=0.5)
    assert found.targets == {2: Target(label="pedestrian"), 6: Target(label="distractor")}


def test_results_without_ids_from_1_keep_their_ids(tmp_path: Path) -> None:
    (tmp_path / "results.txt").write_text("1,0,1,2,3,4,0.5,-1,-1,-1\n1,1,1,2,3,4,0.5,-1,-1,-1\n")
    found = read_annotations(tmp_path / "results.txt")
    assert found.numbers == [0, 1]
    assert "counts ids from 0" in found.remarks[0]


def test_ultralytics_labels_with_ids_count_frames_from_1(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "clip_1.txt").write_text("0 0.5 0.5 0.25 0.5 7\n")
    (tmp_path / "labels" / "clip_10.txt").write_text("0 0.5 0.5 0.25 0.5 7\n")
    (tmp_path / "data.yaml").write_text("names:\n  0: 'fish'\n  1: boat\n")
    found = read_annotations(tmp_path, how=Reading(first=1, facts=Facts(width=64, height=48)))
    assert [(one.frame, one.target, one.box_xywh) for one in found.boxes] == [(0, 7, (24, 12, 16, 24)), (9, 7, (24, 12, 16, 24))]
    assert found.targets == {7: Target(label="fish")}


def test_coco_without_numbers_of_frames_goes_by_the_names_of_pictures(tmp_path: Path) -> None:
    images = [{"id": 5, "file_name": "b/10.jpg"}, {"id": 6, "file_name": "b/2.jpg"}]
    boxes = [
        {"id": 1, "image_id": 5, "category_id": 1, "bbox": [1, 2, 3, 4]},
        {"id": 2, "image_id": 6, "category_id": 1, "bbox": [5, 6, 7, 8]},
    ]
    path = tmp_path / "instances.json"
    path.write_text(json.dumps({"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cat"}]}))
    found = read_annotations(path)
    assert [(one.frame, one.box_xywh) for one in found.boxes] == [(0, (5, 6, 7, 8)), (1, (1, 2, 3, 4))]
    assert [one.frame for one in read_annotations(path, how=Reading(first=2)).boxes] == [0, 8]
    assert "no track_id" in found.remarks[0]


# ------------------------------------------------------------------------------------------------------------- how others count
ROWS = {
    "a.csv": "frame,x,y,w,h\n1,11,21,30,40\n2,11,21,30,40\n",
    "a.jsonl": '{"frame": 1, "x": 11, "y": 21, "w": 30, "h": 40}\n{"frame": 2, "x": 11, "y": 21, "w": 30, "h": 40}\n',
    "a.mot.txt": "1,1,11,21,30,40\n2,1,11,21,30,40\n",
    "a.txt": "11,21,30,40\n11,21,30,40\n",
}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_files_that_count_frames_and_pixels_from_1(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(ROWS[name])
    found = read_annotations(tmp_path / name, how=Reading(None if name == "a.txt" else 1, 1))
    assert [(one.frame, one.box_xywh) for one in found.boxes] == [(0, (10, 20, 30, 40)), (1, (10, 20, 30, 40))]


@pytest.mark.parametrize("how", [Reading(first=1), Reading(origin=1)])
@pytest.mark.parametrize("name", sorted({*FILES, "txt", "page"} - {"yolo-tracks"}))
def test_what_a_format_says_itself_is_refused(name: str, how: Reading, tmp_path: Path) -> None:
    path = tmp_path / FILES.get(name, f"a.{name}")
    if name == "page":
        path.write_text('[{"frame": 1, "x": 1, "y": 1, "w": 1, "h": 1}]')
    else:
        write_annotations(Annotations((Annotation(1, 0, (1, 1, 1, 1)),), facts=Facts("", WIDTH, HEIGHT, 2)), path, name)
    option = "--first" if how.first else "--one-based"
    refused = {"--first": {"txt", "page", "cvat"}, "--one-based": {"page", "cvat", "coco", "yolo"}}[option]
    facts = Facts("", WIDTH, HEIGHT)
    if name in refused:
        with pytest.raises(ConfigError, match=f"expected no {option}, since "):
            read_annotations(path, name, how._replace(facts=facts))
    elif name != "mot" or how.origin:  # in MOT, frames count from 1 anyway
        usual = read_annotations(path, name, Reading(facts=facts))
        assert read_annotations(path, name, how._replace(facts=facts)).boxes != usual.boxes


# ------------------------------------------------------------------------------------------------------------------ ours, as found
@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("frame,time,target,x,y,w,h,score,similarity,lost\r\n0,0,1,1.5,2,3,4,1,1,0\r\n\r\n2,0.1,1,,,,,0,0,1\r\n", None),
        ("\ufeffFrame;Time;Target;X;Y;W;H;Score;Similarity;Lost\n0;0;1;1,5;2;3;4;1;1;0\n", None),
        ("frame\ttarget\tx\ty\tw\th\tlost\n0\t1\t1,5\t2\t3\t4\tfalse\n", None),
        ('"frame_id","track_id","left","top","width","height","confidence"\n"0","1","1.5","2","3","4","1"\n', None),
        ("frame,target,x,y,w,h\n0.0,1.0,1.5,2,3,4\n", None),
        ("frame,target,x,y,w,h,name\n0,1,1.5,2,3,4,Gänse\n", "utf-16"),
    ],
    ids=["windows", "semicolons", "tabs", "other names", "floats", "utf-16"],
)
def test_tables_as_programs_write_them(text: str, change: str | None, tmp_path: Path) -> None:
    path = tmp_path / "böxes 日本.csv"
    path.write_bytes(text.encode(change or "utf-8"))
    (one,) = read_annotations(path).boxes
    assert (one.frame, one.target, one.box_xywh, one.lost) == (0, 1, (1.5, 2, 3, 4), False)


@pytest.mark.parametrize(
    "text",
    ["1,2,3,4\r\n\r\nnan,nan,nan,nan\r\n5,6,7,8", "\ufeff1;2;3;4\nnan;nan;nan;nan\n5,0;6;7;8\n", "1 2\t3,4\nNaN NaN NaN NaN\n5 6 7 8\n"],
)
def test_lines_as_programs_write_them(text: str, tmp_path: Path) -> None:
    path = tmp_path / "b.txt"
    path.write_bytes(text.encode())
    found = read_annotations(path)
    assert [(one.frame, one.box_xywh) for one in found.boxes] == [(0, (1, 2, 3, 4)), (2, (5, 6, 7, 8))]
    assert found.facts.frames == 3


# ------------------------------------------------------------------------------------------------------------------ what is wrong
def coco_text(change: Callable[[dict[str, list[dict[str, object]]]], object]) -> str:
    content: dict[str, list[dict[str, object]]] = {
        "images": [{"id": 1, "file_name": "1.jpg"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    change(content)
    return json.dumps(content)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.mot.txt", "1,2,3,4\n", "line 1: expected frame,id,left,top,width,height"),
        ("a.mot.txt", "1,-1,3,4,5,6,1,-1,-1,-1\n", "detections without ids are not tracks"),
        ("a.mot.txt", "1,1,3,4,5,6\n1,1,3,4,5,6\n", "got several for target 0 in frame 0"),
        ("a.mot.txt", "0,1,3,4,5,6\n", "that are not negative, got target 0 in frame -1"),
        ("a.mot.txt", "1,1,inf,4,5,6\n", "expected a finite box"),
        ("a.coco.json", "{", "expected COCO's images, annotations and categories"),
        (
            "a.coco.json",
            coco_text(lambda c: c["annotations"].append({**c["annotations"][0], "id": 2})),
            "have no track_id and are not tracks",
        ),
        ("a.coco.json", coco_text(lambda c: c["annotations"][0].update(image_id=9)), "got: KeyError 9"),
        ("a.coco.json", coco_text(lambda c: c["images"].append({"id": 2, "file_name": "2.jpg", "video_id": 3})), "the frames of one video"),
        ("a.xml", "<annotations><image id='0'/></annotations>", "'CVAT for video 1.1'; got annotations of images"),
        ("a.xml", "<annotations>", "expected XML of CVAT"),
        ("a.xml", CVAT.replace('xtl="0.00"', 'xtl="left"'), "expected tracks with boxes of numbers"),
        ("a.csv", "frame,x,y,w\n1,2,3,4\n", "line 2: expected the columns frame, target, x, y, w, h and lost"),
        ("a.csv", "frame,x,y,w,h\n1,2,3,4,5,6\n", "line 2: expected 5 fields as in the header, got 6"),
        ("a.csv", "frame,x,y,w,h,lost\n1,2,3,4,5,perhaps\n", "line 2: expected the columns"),
        ("a.csv", "frame,x,y,w,h\n1.5,2,3,4,5\n", "line 2: expected the columns"),
        ("a.jsonl", '{"frame": 1}\n', "line 1: expected the columns"),
        ("a.jsonl", "[1]\n", "line 1: expected a JSON object"),
        ("a.json", '[{"frame": 0}]', "line 1: expected the columns"),
        ("a.txt", "1,2,x,4\n", "line 1: expected x,y,w,h"),
        ("a.txt", "1,2,-3,4\n", "sides that are not negative"),
        ("a.zip", "no archive", "expected XML of CVAT"),
    ],
)
def test_what_is_wrong_is_said(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(FearError, match=message) as caught:
        read_annotations(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_format_that_nobody_knows_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a file that ends with \.csv"):
        find_format(tmp_path / "boxes.xlsx")
    with pytest.raises(ConfigError, match="expected one of csv"):
        find_format(tmp_path / "boxes.csv", "pascal")
    with pytest.raises(ConfigError, match="expected a folder of MOT"):
        find_format(tmp_path)
    with pytest.raises(DatasetError, match="found nothing there"):
        read_annotations(tmp_path / "boxes.csv")
    for name in ("coco", "cvat", "yolo"):
        with pytest.raises(DatasetError, match="--size WIDTHxHEIGHT"):
            write_annotations(Annotations(SAMPLE.boxes), tmp_path / "out", name)
    assert not any(tmp_path.iterdir())
