"""Does the page in the browser follow as the command does? The reference clips through both.

    python -m research.measure.page [--shared ../shared] [--model fear-xs] [--browser chromium]

Each clip is written as H.264, followed by the page in a real browser (`web/test/clips.mjs` drives it) and by `fear.track` on ONNX Runtime.
Writes `docs/results/page.md`. Needs npm's packages: `cd web && npm ci`.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from fear.datasets import read
from fear.datasets.clip import Clip
from fear.datasets.frames import read_frame
from fear.geometry.boxes import iou
from fear.loading.load import load
from fear.media.writer import VideoWriter
from fear.runtime.protocol import Network
from fear.tracking.loop import track
from research.measure.provenance import provenance

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RATE = 30
PAGE = """# The page and the command

Both follow the reference clips with {model} from the same first box in the same H.264 file: the page in {browser}, and `fear.track` on ONNX
Runtime. They have the same number of rows for {equal} of {clips} clips. The mean overlap of their boxes is {mean:.4f}, the least mean of a
clip {least:.4f}. Decoders and resampling differ by a colour level or two, which is fed back from frame to frame.

{provenance}

{table}
"""


def write_clip(clip: Clip, folder: Path) -> None:
    """The clip as a video, with a file of boxes that holds the first one."""
    with VideoWriter(folder / f"{clip.name}.mp4", RATE) as writer:
        for index, frame in enumerate(clip.frames):
            writer.write(read_frame(frame), index / RATE)
    box = ",".join(f"{value:.2f}" for value in clip.boxes_xywh[0])
    (folder / f"{clip.name}.csv").write_text(f"frame,time,target,x,y,w,h,score,similarity,lost\n0,0,0,{box},1,1,0\n", encoding="utf-8")


def follow_in_page(folder: Path, model: str, browser: str) -> None:
    """Leaves the page's boxes beside the clips, as `NAME.page.csv`."""
    with subprocess.Popen([sys.executable, "-u", "-m", "fear.cli", "demo", "--port", "0"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[4]
        try:
            subprocess.run(["node", "test/clips.mjs", address, browser, str(folder), model], cwd=ROOT / "web", check=True)
        finally:
            server.terminate()


def compare(name: str, folder: Path, network: Network) -> tuple[int, int, float]:
    """Rows of the page, rows of ours, and the mean overlap of both."""
    with (folder / f"{name}.page.csv").open(encoding="utf-8") as file:
        theirs = [(float(row["x"]), float(row["y"]), float(row["w"]), float(row["h"])) for row in csv.DictReader(file)]
    ours = [found.box_xywh for _, found in track(folder / f"{name}.mp4", theirs[0], network)]
    return len(theirs), len(ours), float(np.mean([float(iou(a, b)) for a, b in zip(theirs, ours, strict=False)]))


def main() -> None:
    """Writes the clips, follows them twice, compares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=HERE.parents[2] / "shared", help="folder with data/sequences")
    parser.add_argument("--model", default="fear-xs")
    parser.add_argument("--browser", default="chromium")
    options = parser.parse_args()
    browser = shutil.which(options.browser)
    if browser is None:
        parser.error(f"--browser: expected a browser that is installed, got {options.browser}")
    clips = read("folder", options.shared / "data" / "sequences")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for clip in clips:
            write_clip(clip, folder)
        follow_in_page(folder, options.model, browser)
        network = load(options.model, runtime="onnx", threads=1)
        found = {clip.name: compare(clip.name, folder, network) for clip in clips}
    version = subprocess.run([browser, "--version"], capture_output=True, text=True, check=True).stdout.strip().split(" built")[0]
    lines = ["| clip | rows of the page | rows of the command | mean overlap |", "|---|---|---|---|"]
    lines += [f"| {name} | {theirs} | {ours} | {overlap:.4f} |" for name, (theirs, ours, overlap) in found.items()]
    overlaps = [overlap for _, _, overlap in found.values()]
    text = PAGE.format(
        model=options.model,
        browser=version,
        equal=sum(theirs == ours for theirs, ours, _ in found.values()),
        clips=len(found),
        mean=np.mean(overlaps),
        least=min(overlaps),
        provenance=provenance("python -m research.measure.page"),
        table="\n".join(lines),
    )
    (ROOT / "docs" / "results" / "page.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
