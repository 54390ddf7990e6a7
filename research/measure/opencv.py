"""What OpenCV saves: crops and updates with it and without it, in turns, on one thread. Prints the tables of docs/design/opencv.md.

python -m research.measure.opencv
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType

import cv2
import numpy as np

import fear
from fear.geometry.window import Window
from fear.media import pixels
from fear.media.image import Picture
from fear.media.matrices import Matrix
from fear.media.pixels import with_opencv, without_opencv
from fear.media.planes import Yuv420
from fear.media.synthetic import Scene, render
from research.measure.provenance import provenance

WAYS: dict[str, ModuleType] = {"with OpenCV": with_opencv, "without": without_opencv}
SCENE = Scene(frames=60, height=720, width=1280)
WINDOWS = {
    "128, from 150×150": Window(300, 200, 150, 150, 128),
    "128, from 62.3×62.3": Window(300.3, 200.7, 62.3, 62.3, 128),
    "192, from 300×300": Window(300, 200, 300, 300, 192),
    "192, from 93.1×93.1": Window(300.3, 200.7, 93.1, 93.1, 192),
    "192, from 700×700": Window(300, 10, 700, 700, 192),
    "192, half of 300×300 outside": Window(-150, 200, 300, 300, 192),
    "256, from 400×400": Window(300, 200, 400, 400, 256),
}


def fastest(calls: dict[str, Callable[[], object]], turns: int = 80) -> dict[str, float]:
    """Milliseconds of the fastest call of each."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(turns):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], (time.perf_counter() - start) * 1e3)
    return best


def use(way: str) -> None:
    """From now on trackers take this way."""
    for name in pixels.__all__:
        setattr(pixels, name, getattr(WAYS[way], name))


def updates(model: str, frames: Sequence[Picture], box: tuple[float, float, float, float]) -> dict[str, float]:
    """Median milliseconds of `update` in each way, over all frames, in turns."""
    trackers: dict[str, fear.Tracker] = {}
    times: dict[str, list[float]] = {}
    for way in WAYS:
        use(way)
        trackers[way] = fear.Tracker(model, runtime="onnx", threads=1)
        trackers[way].init(frames[0], box)
        times[way] = [0.0] * (len(frames) - 1)
    for number, frame in enumerate(frames[1:]):
        for way, tracker in trackers.items():
            use(way)
            start = time.perf_counter()
            tracker.update(frame)
            times[way][number] = (time.perf_counter() - start) * 1e3
    return {way: float(np.median(values)) for way, values in times.items()}


def main() -> None:
    """Measures and prints."""
    cv2.setNumThreads(1)
    rendered = list(render(SCENE))
    picture = rendered[0].image
    print(provenance("python -m research.measure.opencv"), "\n")
    print("| side of the crop, window | with OpenCV, ms | without, ms |\n|---|---|---|")
    for name, window in WINDOWS.items():
        best = fastest({way: partial(module.cut, picture, window, (1.0, 2.0, 3.0)) for way, module in WAYS.items()})
        print(f"| {name} | {best['with OpenCV']:.2f} | {best['without']:.2f} |")
    planes = [Yuv420(*with_opencv.planes_of_rgb(frame.image, Matrix.BT709), Matrix.BT709) for frame in rendered]
    print("\n| `update` on 1280×720 | with OpenCV, ms | without, ms |\n|---|---|---|")
    for model in ("fear-xs", "fear-nano"):
        kinds: dict[str, Sequence[Picture]] = {"RGB": [frame.image for frame in rendered], "planes of a video": planes}
        for kind, frames in kinds.items():
            times = updates(model, frames, rendered[0].box_xywh)
            print(f"| {model}, {kind} | {times['with OpenCV']:.2f} | {times['without']:.2f} |")


if __name__ == "__main__":
    main()
