"""COCO (Lin et al., ECCV 2014) with tracks: `images`, `annotations` with `bbox` and `track_id`, and `categories`.

COCO itself knows pictures, not videos. Two additions are common and are written and read here: an image has a `frame_index`, and an
annotation a `track_id` and `attributes`. Frames in which a target is lost have no annotation, since every program would take it for the
truth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fear.annotations.annotation import LABEL, Annotation, Annotations, Facts, Target, ordered
from fear.annotations.formats.text import read_text
from fear.errors import DatasetError
from fear.media.image import natural_order
from fear.parsing import parse_json
from fear.weights.store import written_whole


def read_coco(path: Path, *, first: int | None = None) -> Annotations:
    """Reads a JSON file of COCO.

    The number of a frame is the image's `frame_index`, `frame_id` or `frame`; where these are missing it is the place among the names of
    the images, in natural order. Where `first` is given, it is the number in the name of the image instead. Pixels count from 0, as COCO
    says.

    Args:
        path: File.
        first: Number of the first frame in the names of the images.

    Raises:
        DatasetError: The file is damaged or something else, holds several videos, or has annotations without `track_id` of which several
            belong to the same image and class.
    """
    try:
        content = parse_json(read_text(path))
        images = {image["id"]: image for image in content["images"]}
        categories = {category["id"]: str(category["name"]) for category in content.get("categories", ())}
        videos = {image.get("video_id") for image in images.values()}
        if len(videos) > 1:
            raise DatasetError(f"{path}: expected the frames of one video, got images of {len(videos)} videos")
        frames = _frame_numbers(list(images.values()), first)
        tracks: dict[Any, int] = {}
        boxes, targets, skipped = [], {}, 0
        for entry in content["annotations"]:
            if "bbox" not in entry or entry.get("iscrowd"):
                skipped += 1
                continue
            label = categories.get(entry["category_id"], LABEL)
            number = _target(entry, label, tracks)
            boxes.append(_box(entry, frames[entry["image_id"]], number))
            targets[number] = Target(str(entry.get("track_name") or ""), "" if label == LABEL else label)
        facts = _facts(content, list(images.values()), frames)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise DatasetError(f"{path}: expected COCO's images, annotations and categories, got: {type(error).__name__} {error}") from error
    remarks = [f"{skipped} annotations without a box, or of crowds, are left out"] if skipped else []
    remedy = ""
    if tracks and all(_track_id(entry) is None for entry in content["annotations"]):
        remarks.append("the annotations have no track_id; each class was taken for one target")
        remedy = "; the annotations have no track_id and are not tracks"
    kept = {number: one for number, one in targets.items() if any(one)}
    return Annotations(ordered(path, boxes, remedy), kept, facts, tuple(remarks))


def _track_id(entry: Mapping[str, Any]) -> Any:
    """Whose box it is, as different programs say it; None where none does."""
    attributes = entry.get("attributes") or {}
    places = (entry.get("track_id"), entry.get("instance_id"), attributes.get("track_id"))
    return next((value for value in places if value is not None), None)


def _target(entry: Mapping[str, Any], label: str, tracks: dict[Any, int]) -> int:
    """The number of a target: its id where that is a number, otherwise the place of its first annotation."""
    known = _track_id(entry)
    if isinstance(known, int):
        return known
    return tracks.setdefault(label if known is None else str(known), len(tracks))


def _box(entry: Mapping[str, Any], frame: int, target: int) -> Annotation:
    x, y, w, h = (float(value) for value in entry["bbox"])
    attributes = entry.get("attributes") or {}
    seen = attributes.get("visibility", 0.0 if attributes.get("occluded") else 1.0)
    return Annotation(
        frame,
        target,
        (x, y, w, h),
        float(1 if entry.get("score") is None else entry["score"]),
        float(attributes.get("similarity", 1)),
        False,
        float(seen),
    )


def _frame_numbers(images: list[dict[str, Any]], first: int | None) -> dict[Any, int]:
    """The number of the frame of each image, by its id."""
    if first is not None:
        return {image["id"]: int(re.findall(r"\d+", Path(image["file_name"]).stem)[-1]) - first for image in images}
    for field in ("frame_index", "frame_id", "frame"):
        if images and all(isinstance(image.get(field), int) for image in images):
            return {image["id"]: image[field] for image in images}
    order = sorted(images, key=lambda image: natural_order(str(image["file_name"])))
    return {image["id"]: index for index, image in enumerate(order)}


def _facts(content: Mapping[str, Any], images: list[dict[str, Any]], frames: Mapping[Any, int]) -> Facts:
    video: Mapping[str, Any] = next(iter(content.get("videos") or ()), {})
    sizes = {(image.get("width"), image.get("height")) for image in images}
    width, height = sizes.pop() if len(sizes) == 1 else (None, None)
    return Facts(str(video.get("name") or ""), width, height, max(frames.values(), default=-1) + 1, video.get("fps"))


def write_coco(annotations: Annotations, path: Path) -> None:
    """Writes a JSON file with an image for every frame.

    Raises:
        DatasetError: The size of the frames is not known.
    """
    facts = annotations.facts
    width, height = facts.require_size(path, "COCO")
    labels = sorted({annotations.label(number) for number in annotations.numbers} or {LABEL})
    name = facts.name or path.name.removesuffix(".json").removesuffix(".coco")
    video: dict[str, Any] = {"id": 1, "name": name, "width": width, "height": height}
    images = [
        {
            "id": frame + 1,
            "file_name": f"{frame:06d}.jpg",
            "width": facts.width,
            "height": facts.height,
            "frame_index": frame,
            "video_id": 1,
        }
        for frame in range(annotations.length)
    ]
    shown = [one for one in annotations.boxes if not one.lost]
    content = {
        "info": {"description": name},
        "videos": [video | ({"fps": facts.rate} if facts.rate else {})],
        "images": images,
        "annotations": [_entry(number, one, annotations, labels) for number, one in enumerate(shown, start=1)],
        "categories": [{"id": number, "name": label} for number, label in enumerate(labels, start=1)],
    }
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


def _entry(number: int, one: Annotation, annotations: Annotations, labels: list[str]) -> dict[str, Any]:
    box = [round(value, 6) for value in one.box_xywh]
    attributes: dict[str, Any] = {"occluded": one.occluded, "track_id": one.target}
    attributes |= {"visibility": one.visibility} if one.visibility != 1 else {}
    attributes |= {"similarity": one.similarity} if one.similarity != 1 else {}
    entry = {
        "id": number,
        "image_id": one.frame + 1,
        "category_id": labels.index(annotations.label(one.target)) + 1,
        "bbox": box,
        "area": round(box[2] * box[3], 4),
        "iscrowd": 0,
        "track_id": one.target,
        "score": one.score,
        "attributes": attributes,
    }
    title = annotations.targets.get(one.target, Target()).name
    return entry | ({"track_name": title} if title else {})
