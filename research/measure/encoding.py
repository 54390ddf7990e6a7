"""What an annotated video costs: x264's settings beside each other, and the whole run beside `update` alone.

    python -m research.measure.encoding --pictures FOLDER

A clip of 1280×720 is made of the pictures of a folder: scaled up, shown forwards and backwards, with the noise of a camera. The settings
take turns, three times; the least time of each counts. SSIM compares the brightness of what was encoded with what was given. Writes
`docs/results/encoding.md`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from fear.annotations.recording import Recording, Summary, network_threads, record
from fear.config import TrackerConfig
from fear.loading.load import load
from fear.media.colours import split
from fear.media.image import Image, list_images, read_image
from fear.media.planes import Yuv420
from fear.media.reader import open_source
from fear.media.writer import ENCODER, VideoWriter
from fear.tracking.tracker import MultiTracker
from research.measure.provenance import provenance

HEIGHT, WIDTH, RATE = 720, 1280, 30
FRAMES = 60  # for each setting of the encoder
RUN = 120  # frames of an annotated run
TURNS = 3
BOX_XYWH = (400.0, 300.0, 120.0, 90.0)

Settings = tuple[dict[str, str], int]
"""Options of x264, and its threads; 0: as many as it likes."""

SETTINGS: dict[str, Settings] = {
    "as written, 1 thread": (ENCODER, 1),
    "as written, 2 threads": (ENCODER, 2),
    "as written, x264's choice of threads": (ENCODER, 0),
    "as written, 2 slices at a time": ({**ENCODER, "x264-params": ENCODER["x264-params"] + ":sliced-threads=1"}, 2),
    "ultrafast without CABAC, with deblocking": ({"preset": "ultrafast", "x264-params": "no-deblock=0"}, 1),
    "ultrafast with CABAC, without deblocking": ({"preset": "ultrafast", "x264-params": "cabac=1"}, 1),
    "ultrafast": ({"preset": "ultrafast"}, 1),
    "superfast without B-frames": ({"preset": "superfast", "bf": "0"}, 1),
    "superfast without B-frames and lookahead": ({"preset": "superfast", "bf": "0", "x264-params": "rc-lookahead=0:sync-lookahead=0"}, 1),
    "superfast": ({"preset": "superfast"}, 1),
    "veryfast": ({"preset": "veryfast"}, 1),
}

PAGE = Path(__file__).parents[2] / "docs" / "results" / "encoding.md"
HEAD = """# Annotated video

What `fear track --output` costs at {width}×{height}, on a clip that was made of the pictures of `{folder}`: scaled up, with noise. The
runs take turns, {turns} times; the least time of each counts.

{provenance}

## The whole run

| run | ms a frame | ms of processor time | frames a second | share of `update` alone |
|---|---|---|---|---|
{runs}

`update` alone follows decoded frames and has the machine for itself. In a run the network has {threads} of its threads, and reading,
drawing and encoding share the rest.

Encoders in hardware (`h264_nvenc`, `h264_qsv`, `h264_videotoolbox`, `h264_vaapi`) are not used, because no machine of this project has one
to measure them with.

## x264

SSIM is the similarity of the brightness with what was given in five of the frames, 1 at most. All settings have the same constant
rate factor.

| setting | ms of wall time | ms of processor time | kB for {frames} frames | SSIM |
|---|---|---|---|---|
{settings}
"""


def make_clip(folder: Path, path: Path) -> Path:
    """Writes a clip with the texture of real pictures."""
    noise = np.random.default_rng(0)
    pictures = [cv2.resize(read_image(name), (WIDTH, HEIGHT), interpolation=cv2.INTER_LANCZOS4) for name in list_images(folder)[: RUN // 2]]
    with VideoWriter(path, RATE, quality=18) as writer:
        for number in range(RUN + 10):
            place = number % (2 * len(pictures))
            picture = pictures[min(place, 2 * len(pictures) - 1 - place)]
            grain = noise.normal(0, 2, (HEIGHT, WIDTH, 1)).astype(np.float32)
            writer.write(np.clip(picture + grain, 0, 255).astype(np.uint8), number / RATE)
    return path


def encode(frames: list[Image], path: Path, settings: Settings) -> tuple[float, float]:
    """Writes planes; returns seconds of wall time and of processor time for each."""
    options, threads = settings
    wall, processor = time.perf_counter(), time.process_time()
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE, options={**options, "crf": "21", "g": "60"})
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        stream.codec_context.thread_count = threads
        for number, packed in enumerate(frames):
            frame = av.VideoFrame.from_numpy_buffer(packed, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return (time.perf_counter() - wall) / len(frames), (time.process_time() - processor) / len(frames)


def similarity(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """SSIM of two planes (Wang et al. 2004), with a Gaussian window of 11 pixels."""

    def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float64)

    a, b = first.astype(np.float64), second.astype(np.float64)
    mean_a, mean_b = smooth(a), smooth(b)
    both, alone = smooth(a * b) - mean_a * mean_b, smooth(a * a) - mean_a**2 + smooth(b * b) - mean_b**2
    return float(((2 * mean_a * mean_b + 6.5) * (2 * both + 58.5) / ((mean_a**2 + mean_b**2 + 6.5) * (alone + 58.5))).mean())


def compare_settings(frames: list[Image], path: Path) -> list[str]:
    """A row of the table for each setting."""
    best = dict.fromkeys(SETTINGS, (float("inf"), float("inf")))
    told = {}
    for turn in range(TURNS):
        for name, settings in SETTINGS.items():
            best[name] = min(best[name], encode(frames, path, settings), key=lambda times: times[1])
            if turn == 0:
                with av.open(str(path)) as file:
                    pictures = [np.asarray(f.to_ndarray(), np.uint8) for f in islice(file.decode(video=0), 0, FRAMES, FRAMES // 5)]
                ssim = np.mean([similarity(split(p)[0], split(f)[0]) for p, f in zip(pictures, frames[:: FRAMES // 5], strict=True)])
                told[name] = f"{path.stat().st_size / 1000:.0f} | {ssim:.4f}"
    return [f"| {name} | {wall * 1e3:.2f} | {processor * 1e3:.2f} | {told[name]} |" for name, (wall, processor) in best.items()]


def update_alone(path: Path, threads: int) -> tuple[float, float]:
    """Seconds of wall time and of processor time of `update` for a decoded frame."""
    with open_source(path) as source:
        frames = [frame.picture for frame in islice(source, FRAMES)]
    tracker = MultiTracker(load("fear-xs", threads=threads))
    tracker.init(frames[0], [BOX_XYWH])
    for frame in frames[:10]:
        tracker.update(frame)
    start, processor = time.perf_counter(), time.process_time()
    for frame in frames[10:]:
        tracker.update(frame)
    return (time.perf_counter() - start) / (FRAMES - 10), (time.process_time() - processor) / (FRAMES - 10)


def whole_run(path: Path, video: Path | None) -> tuple[float, float]:
    """Seconds of wall time and of processor time of a run for a frame, as `fear track` does it."""
    network = load("fear-xs", threads=network_threads())
    summary = Summary()
    processor = time.process_time()
    with open_source(path) as source:
        record(source, [BOX_XYWH], MultiTracker(network, config=TrackerConfig()), Recording(video, None, RUN), summary)
    return summary.seconds / summary.frames, (time.process_time() - processor) / summary.frames


def compare_runs(path: Path, folder: Path) -> list[str]:
    """A row of the table for each kind of run; shares are of the faster `update`."""
    alone = {f"`update` alone, {count} thread{'s' * (count > 1)}": count for count in sorted({1, network_threads(), network_threads() + 1})}
    kinds: dict[str, Callable[[], tuple[float, float]]] = {
        **{name: partial(update_alone, path, count) for name, count in alone.items()},
        "run without a video": partial(whole_run, path, None),
        "run with an annotated video": partial(whole_run, path, folder / "annotated.mp4"),
    }
    best = dict.fromkeys(kinds, (float("inf"), float("inf")))
    for _ in range(TURNS):
        for name, kind in kinds.items():
            best[name] = min(best[name], kind())
    fastest = min(best[name][0] for name in alone)
    return [
        f"| {name} | {wall * 1e3:.1f} | {processor * 1e3:.1f} | {1 / wall:.0f} | {fastest / wall:.2f} |"
        for name, (wall, processor) in best.items()
    ]


def main() -> None:
    """Measures and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="a folder of pictures")
    folder = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as name:
        clip = make_clip(folder, Path(name) / "clip.mp4")
        runs = compare_runs(clip, Path(name))
        with open_source(clip) as source:
            frames = [frame.picture.packed() for frame in islice(source, FRAMES) if isinstance(frame.picture, Yuv420)]
        settings = compare_settings(frames, Path(name) / "x.mp4")
    text = HEAD.format(
        width=WIDTH,
        height=HEIGHT,
        folder=folder.name,
        turns=TURNS,
        provenance=provenance(f"python -m research.measure.encoding --pictures {folder.name}"),
        runs="\n".join(runs),
        threads=network_threads(),
        settings="\n".join(settings),
        frames=FRAMES,
    )
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
