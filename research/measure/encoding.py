"""Compares settings of x264 for annotated video: processor time, size, and similarity (SSIM) of the brightness.

    python -m research.measure.encoding [VIDEO]

The settings take turns, three times; the least time of each counts. Without a video, a rendered scene of 1280×720 is encoded.
"""

from __future__ import annotations

import sys
import tempfile
import time
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from fear.media.colours import split
from fear.media.matrices import Matrix
from fear.media.pixels import planes_of_rgb
from fear.media.planes import Yuv420
from fear.media.reader import open_source
from fear.media.synthetic import Scene, render
from fear.media.writer import ENCODER

SETTINGS = {
    "superfast": {"preset": "superfast"},
    "superfast, no B-frames": {"preset": "superfast", "bf": "0"},
    "ultrafast": {"preset": "ultrafast"},
    "ultrafast, CABAC": {"preset": "ultrafast", "x264-params": "cabac=1"},
    "ultrafast, deblocking": {"preset": "ultrafast", "x264-params": "no-deblock=0"},
    "as written": ENCODER,
}
FRAMES = 60


def encode(frames: list[NDArray[np.uint8]], path: Path, options: dict[str, str]) -> float:
    """Writes frames; returns seconds of processor time for each."""
    height, width = frames[0].shape[0] * 2 // 3, frames[0].shape[1]
    start = time.process_time()
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=30, options={**options, "crf": "21", "g": "60"})
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        for number, packed in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(packed, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return (time.process_time() - start) / len(frames)


def similarity(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """SSIM of two planes (Wang et al. 2004), with a Gaussian window of 11 pixels."""

    def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float64)

    a, b = first.astype(np.float64), second.astype(np.float64)
    mean_a, mean_b = smooth(a), smooth(b)
    both, alone = smooth(a * b) - mean_a * mean_b, smooth(a * a) - mean_a**2 + smooth(b * b) - mean_b**2
    return float(((2 * mean_a * mean_b + 6.5) * (2 * both + 58.5) / ((mean_a**2 + mean_b**2 + 6.5) * (alone + 58.5))).mean())


def main() -> None:
    """Prints the table."""
    if len(sys.argv) > 1:
        with open_source(sys.argv[1]) as source:
            images = [frame.image for frame in islice(source, FRAMES)]
    else:
        images = [frame.image for frame in render(Scene(frames=FRAMES, height=720, width=1280))]
    frames = [Yuv420(*planes_of_rgb(image, Matrix.BT709)).packed() for image in images]
    times = {name: float("inf") for name in SETTINGS}
    told = dict.fromkeys(SETTINGS, "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.mp4"
        for turn in range(3):
            for name, options in SETTINGS.items():
                times[name] = min(times[name], encode(frames, path, options))
                if turn == 0:
                    with av.open(str(path)) as file:
                        pictures = [np.asarray(f.to_ndarray(), np.uint8) for f in islice(file.decode(video=0), 20)]
                    ssim = np.mean([similarity(split(p)[0], split(f)[0]) for p, f in zip(pictures, frames, strict=False)])
                    told[name] = f"{path.stat().st_size / 1000:.0f} | {ssim:.4f}"
    print("| x264 | ms of processor time a frame | kB | SSIM |\n|---|---|---|---|")
    for name, seconds in times.items():
        print(f"| {name} | {seconds * 1e3:.2f} | {told[name]} |")


if __name__ == "__main__":
    main()
