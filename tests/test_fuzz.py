"""Spoilt files and wrong calls end in a `FearError` or in an answer, never in another exception.

`make fuzz` sets FEAR_FUZZ=long for 2,000 spoilt files of each kind and a million calls. Each case is a pure function of its number.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fear
from fear.annotations.annotation import Facts
from fear.annotations.formats import Reading, read_annotations
from fear.datasets import read
from fear.datasets.attributes import OTB, Attributes
from fear.datasets.files import read_boxes, read_flags
from fear.geometry.boxes import parse_box
from fear.media.synthetic import Scene, render
from fear.training.recipe import load_recipe
from fear.weights import packaged, read_card
from scripted_network import ScriptedNetwork

LONG = os.environ.get("FEAR_FUZZ") == "long"
FILES, CALLS = (2_000, 1_000_000) if LONG else (40, 600)

PIECES = (
    b"",
    b"nan",
    b"-1",
    b"1e999",
    b"null",
    b"[]",
    b"{}",
    b"\xff\xfe",
    b"\x00",
    b'"',
    b",",
    b"\n",
    b"=",
    b"9" * 400,
    "é×".encode("utf-16"),
)

Reader = Callable[[Path], Any]


def spoil(content: bytes, case: random.Random) -> bytes:
    """Changes a file in one to four ways."""
    spoilt = bytearray(content)
    for _ in range(case.randint(1, 4)):
        start = case.randrange(len(spoilt) + 1)
        end = min(len(spoilt), start + case.choice((1, 2, 8, 100, len(spoilt))))
        way = case.randrange(5)
        if way == 0:  # cut off
            del spoilt[start:]
        elif way == 1:  # random bytes
            spoilt[start:end] = case.randbytes(min(end - start, 64))
        elif way == 2:  # something that is valid elsewhere
            spoilt[start:end] = case.choice(PIECES)
        elif way == 3:  # twice
            spoilt[start:start] = spoilt[start:end]
        else:  # left out
            del spoilt[start:end]
    return bytes(spoilt)


def _card(folder: Path) -> Path:
    return Path(shutil.copy((packaged()["fear-nano"].folder or Path()) / "config.json", folder))


def _checkpoint(folder: Path) -> Path:
    return Path(shutil.copy(packaged()["fear-nano"].checkpoint or Path(), folder))


def _recipe(folder: Path) -> Path:
    return Path(shutil.copy(Path(__file__).parents[1] / "recipes" / "own_videos.toml", folder))


def _text(name: str, content: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    return make


def _with_pictures(make: Callable[[Path], Path], *pictures: str) -> Callable[[Path], Path]:
    def both(folder: Path) -> Path:
        from PIL import Image

        for picture in pictures:
            (folder / picture).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (32, 24)).save(folder / picture)
        return make(folder)

    return both


def _clip(folder: Path) -> Path:
    with fear.VideoWriter(folder / "clip.mp4", 30) as writer:
        for index, frame in enumerate(render(Scene(frames=4, height=48, width=64))):
            writer.write(frame.image, index / 30)
    return folder / "clip.mp4"


def _frames(path: Path) -> None:
    with fear.open_source(path) as source:
        for _ in islice(source, 20):
            pass


def _load_checkpoint(path: Path) -> None:
    from fear.network import load_checkpoint

    load_checkpoint(path)


def _mot(folder: Path) -> Path:
    _text("gt/gt.txt", "1,1,1,2,3,4,1,1,1\n")(folder)
    return _text("seqinfo.ini", "[Sequence]\nname=a\nframeRate=30\nseqLength=2\nimWidth=32\nimHeight=24\n")(folder)


def _names(folder: Path) -> Path:
    _text("labels/0.txt", "0 0.5 0.5 0.2 0.2\n")(folder)
    return _text("data.yaml", "names:\n  0: cat\n  1: dog\n")(folder)


def _yolo(path: Path) -> None:
    read_annotations(path.parents[1], "yolo", Reading(facts=Facts(width=32, height=24)))


def _dataset(name: str, up: int) -> Reader:
    return lambda path: read(name, path.parents[up])


COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 32, "height": 24}],
    "annotations": [{"id": 1, "image_id": 1, "bbox": [1, 2, 3, 4], "category_id": 1, "iscrowd": 0}],
}
MANIFEST = """sequence_id,track_id,frame_index,img_path,bbox,presence
s,0,0,a.png,"[1, 2, 3, 4]",1
s,0,1,a.png,"[1, 2, 3, 4]",0
"""
YOUTUBE = "v,1000,0,cat,0,present,0.1,0.5,0.2,0.6\nv,2000,0,cat,0,absent,-1,-1,-1,-1\n"
SIDES = "<xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>8</ymax>"
OBJECTS = f"<annotation><object><trackid>0</trackid><bndbox>{SIDES}</bndbox></object></annotation>"
CVAT = (
    '<annotations><track id="0" label="cat">'
    '<box frame="0" outside="0" occluded="0" keyframe="1" xtl="1" ytl="2" xbr="3" ybr="4"/>'
    '<box frame="3" outside="1" occluded="0" keyframe="1" xtl="1" ytl="2" xbr="3" ybr="4"><attribute name="score">0.5</attribute></box>'
    "</track></annotations>"
)
TABLE = "frame,time,target,x,y,w,h,score,similarity,lost\n0,0,0,1,2,3,4,1,1,0\n1,0.1,0,1,2,3,4,0.5,0.5,1\n"
LINE = '{"frame": 0, "time": 0, "target": 0, "x": 1, "y": 2, "w": 3, "h": 4, "score": 1, "similarity": 1, "lost": false}\n'
PROJECT = """{"format": "fear-project", "version": 1, "video": {"name": "a.mp4", "width": 32, "height": 24, "frames": 2},
"model": "fear-xs", "targets": [{"id": 0, "name": "cat", "rows": [[0, 1, 2, 3, 4, 1, 1, 0, 1]]}]}"""
CLIP = ("one/img/1.png", "one/img/2.png")

KINDS: dict[str, tuple[Callable[[Path], Path], Reader]] = {
    "card": (_card, lambda path: read_card(path.parent)),
    "header of a checkpoint": (_checkpoint, read_card),
    "checkpoint": (_checkpoint, _load_checkpoint),
    "recipe": (_recipe, load_recipe),
    "boxes": (_text("b.txt", "1,2,3,4\n5,6,7,8\nnan,nan,nan,nan\n"), read_boxes),
    "flags": (_text("f.txt", "0,1,0,1"), lambda path: read_flags(path, 4)),
    "folder": (_with_pictures(_text("one/groundtruth.txt", "1,2,3,4\n5,6,7,8\n"), *CLIP), _dataset("folder", 1)),
    "otb": (_with_pictures(_text("one/groundtruth_rect.txt", "1,2,3,4\n5,6,7,8\n"), *CLIP), _dataset("otb", 1)),
    "coco": (_with_pictures(_text("annotations/instances_val2017.json", json.dumps(COCO)), "val2017/a.png"), _dataset("coco", 1)),
    "manifest": (_with_pictures(_text("m.csv", MANIFEST), "a.png"), _dataset("manifest", 0)),
    "youtube_bb": (
        _with_pictures(_text("yt_bb_detection_train.csv", YOUTUBE), "train/v/1000.jpg", "train/v/2000.jpg"),
        _dataset("youtube_bb", 0),
    ),
    "imagenet_vid": (
        _with_pictures(_text("Annotations/VID/train/v/000000.xml", OBJECTS), "Data/VID/train/v/000000.jpg"),
        _dataset("imagenet_vid", 4),
    ),
    "images": (_with_pictures(_text("boxes.json", '[{"file": "a.png", "boxes": [[1, 2, 3, 4]]}]'), "a.png"), _dataset("images", 0)),
    "table": (_text("b.csv", TABLE), read_annotations),
    "lines of JSON": (_text("b.jsonl", LINE + LINE.replace('"frame": 0', '"frame": 1')), read_annotations),
    "project": (_text("a.fear.json", PROJECT), read_annotations),
    "MOT": (_text("b.mot.txt", "1,1,1,2,3,4,0.5,1,0.5\n2,1,1,2,3,4,0.5,1,1\n"), read_annotations),
    "MOT's seqinfo": (_mot, lambda path: read_annotations(path.parent)),
    "tracks in COCO": (_text("a.coco.json", json.dumps(COCO | {"categories": [{"id": 1, "name": "cat"}]})), read_annotations),
    "CVAT": (_text("a.xml", CVAT), read_annotations),
    "YOLO": (_text("y/labels/0.txt", "0 0.5 0.5 0.2 0.2 0.9 3\n1 0.5 0.5 0.2 0.2 0.9 4\n"), _yolo),
    "names of YOLO": (_names, lambda path: _yolo(path.parent / "labels" / "0.txt")),
    "attributes": (_text("OTB100.json", '{"a": {"attr": ["Occlusion"]}}'), lambda path: Attributes(path.parent, OTB).of("a")),
    "video": (_clip, _frames),
    "picture": (_with_pictures(lambda folder: folder / "a.png", "a.png"), _frames),
}


@pytest.mark.parametrize("kind", KINDS)
def test_spoilt_files(kind: str, tmp_path: Path) -> None:
    make, reader = KINDS[kind]
    path = make(tmp_path)
    reader(path)
    whole = path.read_bytes()
    for number in range(FILES if LONG or len(whole) < 100_000 else FILES // 4):
        path.write_bytes(spoil(whole, random.Random(f"{kind} {number}")))
        try:
            reader(path)
        except fear.FearError as error:
            if not str(error).strip():
                pytest.fail(f"{kind} {number}: {type(error).__name__} without a message")
        except Exception as error:
            pytest.fail(f"{kind} {number}: {type(error).__name__}: {error}")


@pytest.mark.parametrize("kind", KINDS)
def test_each_number_as_one_that_cannot_be(kind: str, tmp_path: Path) -> None:
    """Infinity, NaN and what no float can hold in the place of every number of a text, one after the other."""
    make, reader = KINDS[kind]
    path = make(tmp_path)
    whole = path.read_bytes()
    if not whole.isascii():
        pytest.skip("not a text")
    numbers = list(re.finditer(rb"(?<![\w.])-?\d+(\.\d+)?(?![\w.])", whole))[:40]
    for number, value in itertools.product(numbers, (b"1e999", b"nan", b"9" * 400)):
        path.write_bytes(whole[: number.start()] + value + whole[number.end() :])
        try:
            reader(path)
        except fear.FearError:
            pass
        except Exception as error:
            pytest.fail(f"{kind}, {value[:9]!r} for {number[0]!r} at {number.start()}: {type(error).__name__}: {error}")


FRAME = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
NUMBERS = (0, 1, -1, 10, 20.5, 1e-300, 1e300, float("nan"), float("inf"), -float("inf"), None, "7", "x", True, 10**400, [1], b"1", 1j)

SHAPES = ((0, 0, 3), (1, 1, 3), (48, 64), (48, 64, 4), (3, 48, 64), (64, 48, 3), (48, 0, 3), (1, 48, 64, 3))
STRANGE = (
    None,
    "frame",
    7,
    [[1, 2], [3]],
    FRAME.tolist(),
    FRAME.astype(np.float32),
    FRAME > 9,
    FRAME[::2, ::-1],
    np.asfortranarray(FRAME),
)


def _frame(case: random.Random) -> Any:
    if case.random() < 0.6:
        return FRAME
    return np.zeros(case.choice(SHAPES), np.uint8) if case.random() < 0.5 else case.choice(STRANGE)


def _box(case: random.Random) -> Any:
    if case.random() < 0.5:
        return tuple(case.uniform(-20, 60) for _ in range(2)) + tuple(case.uniform(-1, 50) for _ in range(2))
    if case.random() < 0.3:
        return case.choice((None, "", "1,2,3,4", 7, {}, {1: 2, 3: 4}, iter((1, 2, 3, 4)), np.zeros((2, 4)), np.array(["a"] * 4)))
    return [case.choice(NUMBERS) for _ in range(case.choice((4, 4, 4, 0, 3, 5)))]


def _tracker(case: random.Random) -> fear.MultiTracker:
    def answer(call: int) -> tuple[float, tuple[float, float, float, float], tuple[int, int]]:
        wide = case.choice((1.0, 30.0, 1e4, 1e30))
        left, top, right, bottom = (case.uniform(-wide / 4, wide) for _ in range(4))
        return case.random(), (left, top, right, bottom), (case.randrange(16), case.randrange(16))

    network = ScriptedNetwork(answer, dynamic_weight=case.choice((0.0, 0.5)), similarity=lambda call: case.uniform(-1, 1))
    tracker = fear.MultiTracker(network, colour=case.choice(("rgb", "bgr")))
    tracker.init(FRAME, [(10, 10, 20, 15)])
    return tracker


def _rules(case: random.Random) -> None:
    fields = list(fear.TrackerConfig.__dataclass_fields__)
    values: dict[str, Any] = {name: case.choice(NUMBERS) for name in case.sample(fields, case.randint(1, 3))}
    fear.TrackerConfig(**values)


def _id(case: random.Random) -> Any:
    return case.choice((0, 1, 2, -1, 10**30, None, "0"))


def _calls(case: random.Random, tracker: fear.MultiTracker) -> tuple[tuple[str, Callable[[], Any]], ...]:
    return (
        ("init", lambda: tracker.init(_frame(case), [_box(case) for _ in range(case.randint(0, 2))])),
        ("add", lambda: tracker.add(_frame(case), _box(case))),
        ("remove", lambda: tracker.remove(_id(case))),
        ("update", lambda: tracker.update(_frame(case))),
        ("update", lambda: tracker.update(FRAME)),
        ("parse_box", lambda: parse_box(_box(case))),
        ("TrackerConfig", lambda: _rules(case)),
    )


def test_wrong_calls() -> None:
    for number in range(CALLS // 30):
        case = random.Random(number)
        tracker = _tracker(case)
        calls = _calls(case, tracker)
        for step in range(30):
            name, call = case.choice(calls)
            try:
                with suppress(fear.FearError):
                    call()
            except Exception as error:
                pytest.fail(f"case {number}, step {step}, {name}: {type(error).__name__}: {error}")
        with suppress(fear.FearError):  # a tracker without init is asked for one
            tracker.init(FRAME, [(10, 10, 20, 15)])
            (track,) = tracker.update(FRAME)
            assert all(np.isfinite(track.box_xywh)), f"case {number}"
            assert 0 <= track.score <= 1
