"""A program takes the network into its own surroundings: an exported folder, OpenCV's interface, and detections for other libraries.

python development.py VIDEO X,Y,W,H FOLDER
"""

import importlib.util
import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import av

import fear
from fear.integrations.opencv import FearTracker


def main(video: str, box: str, folder: str) -> None:
    rect = [round(float(value)) for value in box.split(",")]
    images: Iterator[Any] = (frame.to_ndarray(format="bgr24") for frame in av.open(video).decode(video=0))
    image = next(images)
    opencv = FearTracker(folder, runtime="onnx", threads=1)  # was: cv2.TrackerNano.create()
    packaged = fear.Tracker("fear-nano", runtime="onnx", threads=1, colour="bgr")
    several = fear.MultiTracker(folder, runtime="onnx", threads=1, colour="bgr")
    opencv.init(image, rect)
    packaged.init(image, rect)
    several.init(image, [rect, (200, 60, 40, 40)])
    answers = []
    for image in islice(images, 5):
        found, place = opencv.update(image)
        track, tracks = packaged.update(image), several.update(image)
        answers.append({"found": found, "rect": place, "packaged": track.box_xywh, "ids": [one.id for one in tracks]})
    ids = None
    if importlib.util.find_spec("supervision") is not None:
        from fear.integrations.supervision import to_detections

        detections: Any = to_detections(tracks, keep_lost=True)
        ids = detections.tracker_id.tolist()
    print(json.dumps({"answers": answers, "detections": ids, "runtime": type(opencv._tracker.network).__name__}))


if __name__ == "__main__":
    main(*sys.argv[1:])
