"""CVAT for video 1.1, an XML file: one `track` for each target, one `box` for each frame, corners in pixels from 0.

A box with `outside="1"` says that the target is not there from this frame on. CVAT has no scores; they are attributes of the boxes,
`score` and `similarity`, which CVAT keeps where the label of a task has attributes of these names and leaves out otherwise. They also
tell frames in which a tracker lost its target, whose boxes are kept, from frames in which a person said that it is absent.
"""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from fear.annotations.annotation import LABEL, Annotation, Annotations, Facts, Target, ordered, plain
from fear.annotations.formats.text import read_text
from fear.errors import DatasetError
from fear.weights.store import written_whole

_SCORES = ("score", "similarity")
_LONGEST_GAP = 1_000_000  # frames between two boxes, nine hours of video; more is a damaged number
_CORNERS = ("xtl", "ytl", "xbr", "ybr")


def read_cvat(path: Path) -> Annotations:
    """Reads an XML file, or the ZIP archive in which CVAT hands it out.

    Frames between two boxes of a track are filled in by straight lines, as CVAT does. Shapes other than boxes are left out.

    Raises:
        DatasetError: The file is damaged, or something else than annotations of a video.
    """
    text = _unpacked(path) if zipfile.is_zipfile(path) else read_text(path)
    try:
        root = ET.fromstring(text)
    except (ET.ParseError, ValueError) as error:
        raise DatasetError(f"{path}: expected XML of CVAT, got: {error}") from error
    if root.tag != "annotations" or root.find("image") is not None:
        kind = "annotations of images" if root.tag == "annotations" else f"<{root.tag}>"
        raise DatasetError(f"{path}: expected annotations of a video; export the task as 'CVAT for video 1.1'; got {kind}")
    try:
        boxes: list[Annotation] = []
        targets: dict[int, Target] = {}
        for place, track in enumerate(root.iter("track")):
            number = int(track.get("id", place))
            boxes += _track(track, number)
            label = track.get("label", LABEL)
            targets[number] = Target(_attribute(track, "name") or "", "" if label == LABEL else label)
        facts = _facts(root)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DatasetError(f"{path}: expected tracks with boxes of numbers, got: {type(error).__name__} {error}") from error
    other = sum(1 for track in root.iter("track") for shape in track if shape.tag not in ("box", "attribute"))
    turned = sum(float(box.get("rotation", 0)) != 0 for box in root.iter("box"))
    remarks = [f"{other} shapes that are not boxes are left out"] if other else []
    remarks += [f"the angles of {turned} turned boxes are left out"] if turned else []
    return Annotations(ordered(path, boxes), {key: one for key, one in targets.items() if any(one)}, facts, tuple(remarks))


def _unpacked(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".xml")]
        if len(names) != 1:
            raise DatasetError(f"{path}: expected an archive with one annotations.xml, found {len(names)} files .xml")
        try:
            return archive.read(names[0]).decode("utf-8-sig")
        except (UnicodeDecodeError, zipfile.BadZipFile, OSError) as error:
            raise DatasetError(f"{path}: expected XML of CVAT in {names[0]}, got: {error}") from error


def _attribute(element: ET.Element, name: str) -> str | None:
    return next((one.text or "" for one in element.findall("attribute") if one.get("name") == name), None)


def _track(track: ET.Element, number: int) -> Iterator[Annotation]:
    """The boxes of a track, those between the boxes of the file included."""
    before: Annotation | None = None  # None where the target was absent
    for box in sorted(track.findall("box"), key=lambda one: int(one.attrib["frame"])):
        one = _box(box, number)
        if before is not None:
            yield from _between(before, one)
        if one.lost and _attribute(box, "score") is None:
            before = None  # a person said so: there is no box
        else:
            yield one
            before = one if not one.lost else None


def _box(box: ET.Element, number: int) -> Annotation:
    left, top, right, bottom = (float(box.attrib[name]) for name in _CORNERS)
    score, similarity = (float(_attribute(box, name) or 1) for name in _SCORES)
    seen = _attribute(box, "visibility") or (0 if box.get("occluded") == "1" else 1)
    sides = round(right - left, 6), round(bottom - top, 6)
    return Annotation(int(box.attrib["frame"]), number, (left, top, *sides), score, similarity, box.get("outside") == "1", float(seen))


def _between(before: Annotation, after: Annotation) -> Iterator[Annotation]:
    """The frames between two boxes."""
    if after.frame - before.frame > _LONGEST_GAP:
        raise ValueError(f"a gap from frame {before.frame} to frame {str(after.frame)[:12]}…")
    for frame in range(before.frame + 1, after.frame):
        share = (frame - before.frame) / (after.frame - before.frame)
        end = before.box_xywh if after.lost else after.box_xywh  # until it is gone, the target stays where it was
        x, y, w, h = (round(a + (b - a) * share, 6) for a, b in zip(before.box_xywh, end, strict=True))
        yield before._replace(frame=frame, box_xywh=(x, y, w, h))


def _facts(root: ET.Element) -> Facts:
    def number(name: str) -> int | None:
        text = root.findtext(f".//meta//{name}")
        return int(text) if text else None

    return Facts(root.findtext(".//meta//source") or "", number("original_size/width"), number("original_size/height"), number("size"))


# ----------------------------------------------------------------------------------------------------------------------- writing
def write_cvat(annotations: Annotations, path: Path) -> None:
    """Writes an XML file. Every box is a key frame, since CVAT draws straight lines between these.

    Raises:
        DatasetError: The size of the frames is not known.
    """
    annotations.facts.require_size(path, "CVAT")
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    scored = any(one.score != 1 or one.similarity != 1 or one.lost for one in annotations.boxes)
    _write_meta(root, annotations, scored)
    for number, boxes in annotations.by_target().items():
        track = ET.SubElement(root, "track", id=str(number), label=annotations.label(number), source="auto" if scored else "manual")
        for one, after in zip(boxes, [*boxes[1:], None], strict=True):
            values = {"score": one.score, "similarity": one.similarity} if scored else {}
            if one.visibility not in (0, 1):
                values["visibility"] = one.visibility
            _write_box(track, one, values)
            if one.frame + 1 < (annotations.length if after is None else after.frame):  # without this, CVAT would go on with the box
                _write_box(track, one._replace(frame=one.frame + 1, lost=True), {})
        title = annotations.targets.get(number, Target()).name
        if title:
            ET.SubElement(track, "attribute", name="name").text = title
    ET.indent(root, " ")
    content = io.BytesIO()
    ET.ElementTree(root).write(content, encoding="utf-8", xml_declaration=True)
    with written_whole(path) as unfinished:
        unfinished.write_bytes(content.getvalue() + b"\n")


def _write_meta(root: ET.Element, annotations: Annotations, scored: bool) -> None:
    facts = annotations.facts
    task = ET.SubElement(ET.SubElement(root, "meta"), "task")
    for tag, text in (
        ("name", facts.name or "boxes"),
        ("size", annotations.length),
        ("mode", "interpolation"),
        ("overlap", 0),
        ("start_frame", 0),
        ("stop_frame", max(annotations.length - 1, 0)),
    ):
        ET.SubElement(task, tag).text = str(text)
    labels = ET.SubElement(task, "labels")
    attributes = [*(_SCORES if scored else ()), *(["visibility"] if _has_shares(annotations.boxes) else [])]
    named = any(one.name for one in annotations.targets.values())
    for label in sorted({annotations.label(number) for number in annotations.numbers} or {LABEL}):
        element = ET.SubElement(labels, "label")
        ET.SubElement(element, "name").text = label
        listed = ET.SubElement(element, "attributes")
        for attribute, changes in [*((one, True) for one in attributes), *([("name", False)] if named else [])]:
            described = ET.SubElement(listed, "attribute")
            for tag, text in (
                ("name", attribute),
                ("mutable", str(changes)),
                ("input_type", "text"),
                ("default_value", ""),
                ("values", ""),
            ):
                ET.SubElement(described, tag).text = text
    size = ET.SubElement(task, "original_size")
    ET.SubElement(size, "width").text = str(facts.width)
    ET.SubElement(size, "height").text = str(facts.height)
    if facts.name:
        ET.SubElement(task, "source").text = facts.name


def _has_shares(boxes: Sequence[Annotation]) -> bool:
    """Whether some box is hidden partly, which a flag cannot say."""
    return any(one.visibility not in (0, 1) for one in boxes)


def _write_box(track: ET.Element, one: Annotation, values: dict[str, float]) -> None:
    """Writes one box and its attributes."""
    x, y, w, h = one.box_xywh
    corners = dict(zip(_CORNERS, map(plain, (x, y, x + w, y + h)), strict=True))
    flags = {"outside": str(int(one.lost)), "occluded": str(int(one.occluded)), "keyframe": "1", **corners, "z_order": "0"}
    box = ET.SubElement(track, "box", {"frame": str(one.frame), **flags})
    for name, value in values.items():
        ET.SubElement(box, "attribute", name=name).text = plain(value)
