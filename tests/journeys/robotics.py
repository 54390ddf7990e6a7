"""A robot keeps an object in the middle of its camera: BGR frames in, steering out, and a stop when the object is lost.

python robotics.py VIDEO X,Y,W,H
"""

import json
import sys
from typing import Any

import av

import fear


def main(video: str, box: str) -> None:
    tracker = fear.Tracker("fear-nano", runtime="onnx", threads=1, colour="bgr")
    steps: list[dict[str, Any]] = []
    for frame in av.open(video).decode(video=0):
        image: Any = frame.to_ndarray(format="bgr24")  # as the robot's camera gives it
        if not steps:
            tracker.init(image, box.split(","))
            steps.append({"steer": 0.0, "lost": False, "box": [float(value) for value in box.split(",")]})
            continue
        track = tracker.update(image)
        x, _, w, _ = track.box_xywh
        off_centre = (x + w / 2) / image.shape[1] - 0.5
        steps.append({"steer": 0.0 if track.lost else off_centre, "lost": track.lost, "box": track.box_xywh})
    print(json.dumps(steps))


if __name__ == "__main__":
    main(*sys.argv[1:])
