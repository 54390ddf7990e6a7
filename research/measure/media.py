"""Compares three readers on intact and damaged videos: ours, FFmpeg's command and OpenCV's. The right answer stands beside theirs.

    python -m research.measure.media [--only WORD]

Every clip is made here. A white square moves over it, whose overlap with the right place (IoU) tells whether the right picture is shown
upright. The time of the last picture counts from the first one. Fails where our answer is not the right one. Writes
`docs/results/media.md`, unless only some cases were wanted.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))  # the clips are those of the tests
from clips import HEIGHT, RATE, WIDTH, box, cut, found, iou, picture, put_cover, remux, write_clip, zero_packets
from fear.errors import VideoError
from fear.media.image import Image
from fear.media.reader import open_source
from research.measure.provenance import provenance

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "results" / "media.md"
HEAD = """# Reading videos

What the reader of this package, FFmpeg's command (every picture passed through) and OpenCV's `VideoCapture` make of the same made videos,
with and without troubles. {count} The run took {seconds:.0f} seconds, {versions}.

Each cell tells the number of frames, the time of the last since the first, and the overlap (IoU) of the white square in it with its right
place. ✗ marks an answer that is not right: another number, a time that is more than a millisecond off, an overlap of 0.9 or less, or a file
that was cut off and is taken for whole. Some of these are choices rather than faults: FFmpeg and OpenCV do not promise to tell that a
file was cut off.

{provenance}

| case | right | ours | FFmpeg | OpenCV |
|---|---|---|---|---|
"""


class Answer(NamedTuple):
    """What a reader finds in a video."""

    frames: int
    last: float | None
    """Seconds of the last picture since the first."""
    overlap: float | None
    """Of the white square in the last picture with its right place."""
    complete: bool = True

    def __str__(self) -> str:
        last = "–" if self.last is None else f"{self.last:.3f} s"
        overlap = "–" if self.overlap is None else f"{self.overlap:.2f}"
        return f"{self.frames}, {last}, {overlap}" + ("" if self.complete else ", cut off")


@dataclass(frozen=True)
class Case:
    """A video and what is right about it."""

    name: str
    make: Callable[[Path], Path]
    """Makes it in a folder."""
    frames: int = 30
    last: float | None = 29 / RATE
    shows: int | None = 29
    """Number of the picture that comes last; None where no square can be found."""
    complete: bool = True

    def right(self, answer: Answer) -> bool:
        """Whether an answer is right: the number, times to a millisecond, and the picture."""
        return (
            answer.complete == self.complete
            and (answer.frames == self.frames or not self.complete)
            and (self.last is None or (answer.last is not None and abs(answer.last - self.last) <= 1.1e-3))
            and (self.shows is None or (answer.overlap is not None and answer.overlap > 0.9))
        )


def coded(name: str, codec: str, pix_fmt: str = "yuv420p", **options: str) -> Case:
    """A video of 30 frames in a container and a codec."""
    label = f"{codec} {pix_fmt} in {name.removeprefix('x')}"
    apng = "apng" if codec == "apng" else None
    return Case(label, lambda f: write_clip(f / name, 30, codec, pix_fmt=pix_fmt, options=options, format=apng))


def matrix_case(matrix: tuple[int, int, int, int]) -> Case:
    """A stored picture that a display matrix turns or mirrors into the right one (ISO 14496-12)."""
    a, b, c, d = matrix

    def stored(number: int) -> Image:
        shown = picture(number)
        y, x = np.indices((HEIGHT, WIDTH) if a else (WIDTH, HEIGHT))
        right, down = a * x + c * y, b * x + d * y
        return np.ascontiguousarray(shown[down - down.min(), right - right.min()])

    def make(folder: Path) -> Path:
        whole = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
        return write_clip(folder / "x.mp4", 30, draw=stored, prepare=lambda stream: stream.set_display_matrix(whole))

    return Case(f"display matrix {matrix}", make)


def truncated(name: str, codec: str, pix_fmt: str = "yuv420p", **container: str) -> Case:
    """The first half of a file."""

    def make(folder: Path) -> Path:
        return cut(write_clip(folder / f"whole_{name}", 100, codec, pix_fmt=pix_fmt, container_options=container), folder / name)

    return Case(f"truncated {name.removeprefix('x')}", make, last=None, shows=None, complete=False)


DIFFERENCES = {"libx264": {"bf": "0"}, "libx265": {"x265-params": "log-level=none:bframes=0"}}
"""Options of encoders whose pictures are mostly coded as differences to others."""


def zeroed(name: str, numbers: Sequence[int], codec: str = "libx264", pix_fmt: str = "yuv420p") -> Case:
    """A file in which some pictures are zeros."""
    options = DIFFERENCES.get(codec, {})

    def make(folder: Path) -> Path:
        whole = write_clip(folder / f"whole_{name}", 30, codec, pix_fmt=pix_fmt, options=options)
        return zero_packets(whole, folder / name, numbers)

    last = max(number for number in range(30) if number not in numbers)
    shows = None if codec in DIFFERENCES else last  # what is coded as a difference to a lost picture looks damaged
    return Case(f"pictures {numbers} of {codec} zeroed in {name.removeprefix('x')}", make, 30 - len(numbers), last / RATE, shows)


def trimmed(folder: Path) -> Path:
    """Cut without encoding: an edit list hides what lies before the cut."""
    whole = write_clip(folder / "whole.mp4", 60, options={"g": "50", "bf": "0"})
    return remux(whole, folder / "x.mp4", lambda _, time: time - 30 / RATE)


def empty_frames(folder: Path) -> Path:
    """AVI with frames that repeat the one before."""
    whole = write_clip(folder / "whole.avi", 50, "mjpeg", pix_fmt="yuvj420p")
    return remux(whole, folder / "x.avi", keep=lambda number: number % 5 != 2)


def covered(folder: Path) -> Path:
    """A cover picture stands before the film."""
    return put_cover(write_clip(folder / "film.mp4", 30), folder / "x.mkv")


def holes(folder: Path) -> Path:
    """A transport stream of which packets are missing."""
    data = write_clip(folder / "whole.ts", 100, options={"g": "12", "bf": "0"}).read_bytes()
    packets = [data[place : place + 188] for place in range(0, len(data), 188)]
    (folder / "x.ts").write_bytes(b"".join(p for number, p in enumerate(packets) if not (number > 40 and number % 400 == 7)))
    return folder / "x.ts"


def joined(folder: Path) -> Path:
    """Two recordings behind each other."""
    data = write_clip(folder / "whole.ts", 15).read_bytes()
    (folder / "x.ts").write_bytes(data + data)
    return folder / "x.ts"


def resized(folder: Path) -> Path:
    """The second half is twice as large."""
    small = write_clip(folder / "small.ts", 15)
    large = write_clip(folder / "large.ts", 15, draw=lambda number: picture(number).repeat(2, 0).repeat(2, 1))
    (folder / "x.ts").write_bytes(small.read_bytes() + large.read_bytes())
    return folder / "x.ts"


def wild(folder: Path) -> Path:
    """One time stamp is a thousand seconds off."""
    whole = write_clip(folder / "whole.mkv", 30, options={"bf": "0"})
    with av.open(str(whole)) as old, av.open(str(folder / "x.mkv"), "w") as new:
        copy = new.add_stream_from_template(old.streams.video[0])
        for number, packet in enumerate(old.demux(video=0)):
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            packet.stream = copy
            packet.pts += round(1000 / packet.time_base) if number == 20 else 0
            new.mux(packet)
    return folder / "x.mkv"


def slow(folder: Path) -> Path:
    """Real gaps of a camera that records when something moves."""
    whole = write_clip(folder / "whole.mkv", 30, options={"bf": "0"})
    return remux(whole, folder / "x.mkv", lambda number, time: time + 60 * (number >= 10))


def interlaced(folder: Path) -> Path:
    """Flagged as interlaced."""
    return write_clip(folder / "x.ts", 30, "mpeg2video", options={"flags": "+ildct+ilme", "top": "1", "b": "8M"})


def high_range(transfer: int) -> Callable[[Path], Path]:
    """Ten bits by the transfer function of this number."""

    def make(folder: Path) -> Path:
        def prepare(stream: av.VideoStream) -> None:
            codec = stream.codec_context
            codec.color_trc, codec.color_primaries, codec.colorspace, codec.color_range = transfer, 9, 9, 1

        quiet = {"x265-params": "log-level=none"}
        return write_clip(folder / "x.mkv", 30, "libx265", pix_fmt="yuv420p10le", prepare=prepare, options=quiet)

    return make


def folder_of_pictures(name: Callable[[int], str], source: str = "") -> Callable[[Path], Path]:
    """Thirty pictures in a folder, which is the source, or a pattern in it."""

    def make(folder: Path) -> Path:
        (folder / "0001").mkdir()
        for number in range(30):
            data = cv2.imencode(".png", picture(number)[..., ::-1])[1]
            (folder / "0001" / name(number)).write_bytes(bytes(data))
        return folder / "0001" / source if source else folder / "0001"

    return make


def broken_folder(folder: Path) -> Path:
    """The second picture is no picture."""
    pictures = folder_of_pictures(lambda number: f"{number}.png")(folder)
    (pictures / "1.png").write_bytes(b"no picture")
    return pictures


def animated_webp(folder: Path) -> Path:
    """An animation of OpenCV's."""
    animation = cv2.Animation()
    animation.frames = [np.ascontiguousarray(picture(number)[..., ::-1]) for number in range(30)]
    animation.durations = [40] * 30
    (folder / "demo.webp").write_bytes(bytes(cv2.imencodeanimation(".webp", animation)[1]))
    return folder / "demo.webp"


def named(name: str) -> Case:
    """A file of this name."""
    return Case(f"name {name}", lambda folder: write_clip(folder / "x.mp4", 30).rename(folder / name))


MATRICES = [(1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, -1, 0), (0, -1, -1, 0)]

CASES: list[Case] = [
    *(coded(f"x.{suffix}", "libx264") for suffix in ("mp4", "mov", "mkv", "ts", "avi", "flv", "m4v", "3gp")),
    *(coded("x.mp4", "libx264", pix_fmt) for pix_fmt in ("yuv422p", "yuv444p", "yuvj420p", "yuv420p10le", "gray")),
    *(coded(f"x.{suffix}", "mpeg4") for suffix in ("avi", "mp4", "mkv", "mov")),
    *(coded(f"x.{suffix}", "mpeg2video") for suffix in ("ts", "mkv", "m2ts")),
    *(coded(f"x.{suffix}", "mjpeg", "yuvj420p") for suffix in ("avi", "mov", "mkv")),
    coded("x.mp4", "libx265", **{"x265-params": "log-level=none"}),
    coded("x.webm", "libvpx"),
    coded("x.webm", "libvpx-vp9"),
    coded("x.mkv", "ffv1"),
    coded("x.mov", "prores", "yuv422p10le"),
    coded("x.flv", "flv1"),
    coded("x.wmv", "wmv2"),
    coded("x.avi", "huffyuv", "yuv422p"),
    coded("x.mov", "png", "rgb24"),
    coded("x.mov", "qtrle", "rgb24"),
    replace(coded("x.gif", "gif", "rgb8"), last=0.97),  # GIF counts in hundredths of a second
    coded("x.png", "apng", "rgb24"),
    *map(matrix_case, MATRICES),
    Case("trimmed without encoding", trimmed, 30, 29 / RATE, 59),
    Case("AVI with empty frames", empty_frames, 40, 49 / RATE, 49),
    truncated("x.mkv", "libx264"),
    truncated("x.webm", "libvpx-vp9"),
    truncated("x.flv", "flv1"),
    truncated("x.avi", "mpeg4"),
    truncated("x.mp4", "libx264", movflags="faststart"),
    Case("cover picture before the film", covered),
    *(zeroed(name, numbers) for name in ("x.mp4", "x.mkv") for numbers in ((12,), (27,), (28, 29))),
    *(zeroed(name, (12, 20), "libx265") for name in ("x.mp4", "x.mkv")),
    zeroed("x.avi", (10, 20), "mjpeg", "yuvj420p"),
    zeroed("x.mov", (10, 20), "mjpeg", "yuvj420p"),
    Case("transport stream with missing packets", holes, 100, 99 / RATE, None),
    Case("joined transport streams", joined, 30, 29 / RATE, 14),
    Case("another size in the middle", resized, 30, 29 / RATE, 14),
    Case("one wild time stamp", wild),
    Case("real gap of a minute", slow, 30, 60 + 29 / RATE),
    Case("interlaced", interlaced),
    Case("PQ", high_range(16)),
    Case("HLG", high_range(18)),
    Case("folder 0001, frame_2 before frame_10", folder_of_pictures(lambda number: f"frame_{number}.png")),
    Case("pattern img_%04d.png", folder_of_pictures(lambda number: f"img_{number:04d}.png", "img_%04d.png")),
    Case("pattern img_00[0-2]?.png", folder_of_pictures(lambda number: f"img_{number:04d}.png", "img_00[0-2]?.png")),
    Case("one broken picture in a folder", broken_folder, 29),
    Case("animated WebP", animated_webp, 30, 29 * 0.04),
    *map(named, ("a:b.mp4", "[x].mp4", "%d.mp4", "видео.mp4")),
]


def overlap(image: Image, case: Case) -> float | None:
    """Of the white square with its place in the picture that should come last, in an image of any size."""
    if case.shows is None or not (image.min(axis=2) > 180).any():
        return None
    height, width = image.shape[:2]
    x, y, w, h = found(image)
    return iou((x * WIDTH / width, y * HEIGHT / height, w * WIDTH / width, h * HEIGHT / height), box(case.shows))


def ours(path: Path, case: Case) -> Answer:
    """The answer of this package."""
    frames, last, image, complete = 0, None, None, True
    try:
        with open_source(path) as source:
            for frame in source:
                frames, last, image = frames + 1, frame.time, frame.image
    except VideoError:
        complete = False
    return Answer(frames, last, None if image is None else overlap(image, case), complete)


def opencv(path: Path, case: Case) -> Answer:
    """The answer of OpenCV's VideoCapture."""
    capture = cv2.VideoCapture(str(path))
    frames, first, last, image = 0, 0.0, None, None
    while True:
        good, bgr = capture.read()
        if not good:
            break
        last = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        first = last if frames == 0 else first
        frames, image = frames + 1, np.asarray(bgr[..., ::-1], np.uint8)
    return Answer(frames, None if last is None else last - first, None if image is None else overlap(image, case))


def ffmpeg(path: Path, case: Case) -> Answer | None:
    """The answer of FFmpeg's command, which passes every picture through; None where it is not installed."""
    if shutil.which("ffmpeg") is None:
        return None
    command = ["ffmpeg", "-v", "error", "-i", f"file:{path}", "-vsync", "passthrough", "-pix_fmt", "rgb24"]
    out = subprocess.run(
        [*command, "-f", "rawvideo", "pipe:1", "-vsync", "passthrough", "-f", "framecrc", str(path.parent / "crc.txt"), "-y"],
        capture_output=True,
        check=False,
    )
    lines = (path.parent / "crc.txt").read_text().splitlines() if (path.parent / "crc.txt").exists() else []
    rows = [line.split(",") for line in lines if not line.startswith("#")]
    if not rows:
        return Answer(0, None, None, complete=not out.returncode)
    base = next((line.split()[-1] for line in lines if line.startswith("#tb 0")), "1/30").split("/")
    size = next((line.split()[-1] for line in lines if line.startswith("#dimensions 0")), f"{WIDTH}x{HEIGHT}").split("x")
    last = (int(rows[-1][2]) - int(rows[0][2])) * int(base[0]) / int(base[1])
    bytes_of_one = int(size[0]) * int(size[1]) * 3
    image = np.frombuffer(out.stdout[-bytes_of_one:], np.uint8)
    shown = image.reshape(int(size[1]), int(size[0]), 3) if image.size == bytes_of_one else None
    return Answer(len(rows), last, None if shown is None else overlap(shown, case), complete=not out.returncode)


def row(case: Case) -> tuple[str, list[bool]]:
    """A line of the table, and whether each reader was right."""
    with tempfile.TemporaryDirectory() as name:
        path = case.make(Path(name))
        answers = (ours(path, case), ffmpeg(path, case), opencv(path, case))
    good = [answer is not None and case.right(answer) for answer in answers]
    right = Answer(case.frames, case.last, None if case.shows is None else 1.0, case.complete) if case.complete else "cut off"
    cells = ("–" if a is None else f"{a}" + ("" if g else " ✗") for a, g in zip(answers, good, strict=True))
    return f"| {case.name} | {right} | {' | '.join(cells)} |", good


def main() -> None:
    """Prints the table and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose names hold this word")
    only = parser.parse_args().only
    wanted = [case for case in CASES if only in case.name]
    av.logging.set_level(av.logging.PANIC)
    start = time.perf_counter()
    lines, wrong = [], []
    totals = [0, 0, 0]
    for case in wanted:
        line, good = row(case)
        print(line, flush=True)
        lines.append(line)
        totals = [total + one for total, one in zip(totals, good, strict=True)]
        wrong += [] if good[0] else [case.name]
    count = f"{len(wanted)} cases: ours right in {totals[0]}, FFmpeg's command in {totals[1]}, OpenCV in {totals[2]}."
    print(count)
    if not only:
        head = HEAD.format(
            count=count, seconds=time.perf_counter() - start, versions=versions(), provenance=provenance("python -m research.measure.media")
        )
        PAGE.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    if wrong:
        raise SystemExit("wrong: " + "; ".join(wrong))


def versions() -> str:
    """Of the three readers."""
    library = ".".join(map(str, av.library_versions["libavcodec"]))
    told = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=False).stdout if shutil.which("ffmpeg") else ""
    command = f"FFmpeg's command {told.split()[2]}" if told else "no FFmpeg command"
    return f"PyAV {av.__version__} (libavcodec {library}), {command}, OpenCV {cv2.__version__}"


if __name__ == "__main__":
    main()
