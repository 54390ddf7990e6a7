"""Pictures of the model card: scores by clip, and rendered clips that the default weights follow or lose.

    python -m research.measure.card

The dots come from what `python -m research.measure.accuracy` left in `results/accuracy`. The frames are rendered, because
footage of others may not be part of this project.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fear.annotations.draw import draw_tracks
from fear.geometry.boxes import Box
from fear.geometry.window import Window
from fear.media.image import Image
from fear.media.reader import Frame
from fear.media.synthetic import Scene, render
from fear.tracking.loop import follow
from fear.tracking.track import Track
from fear.tracking.tracker import MultiTracker

HERE = Path(__file__).parent
TRUTH = (255, 255, 255)
SHOWN, WIDTH, HEIGHT = 6, 224, 126
_ROOM = 6  # widths of the target across a picture


class Case(NamedTuple):
    """One row of the strip."""

    title: str
    scene: Scene


CASES = (
    Case("look-alike, post, change of scale", Scene()),
    Case("grows to twice its size", Scene(growth=0.7, distractor=False, occlusion=False, seed=3)),
    Case("18 pixels small", Scene(size=0.05, distractor=False, occlusion=False, seed=5)),
    Case("7 pixels small", Scene(size=0.02, distractor=False, occlusion=False, seed=5)),
    Case("7 pixels small, post and look-alike", Scene(size=0.02, seed=11)),
)


def plot_sequences(summary: Path, path: Path) -> None:
    """AUC of every sequence, one dot a tracker, sorted by the first."""
    trackers = json.loads(summary.read_text(encoding="utf-8"))["trackers"]
    names = {name: "published FEAR-XS" if name.startswith("published:") else name for name in trackers if not name.startswith("opencv:")}
    names |= {name: "NanoTrack v2" for name in trackers if name == "opencv:nano"}
    first = trackers["fear-xs"]["sequences"]
    order = sorted(first, key=lambda sequence: first[sequence]["auc"])
    figure = Figure(figsize=(7, 7.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="AUC", xlim=(0, 1), title="every reference sequence, default rules")
    marks = {"fear-xs": ("o", "#2ecc71", 60), "fear-nano": ("o", "#f1c40f", 36)}
    for name, label in names.items():
        marker, colour, size = marks.get(name, ("|", "#34495e", 60) if label.startswith("published") else ("x", "#c0392b", 26))
        values = [trackers[name]["sequences"][sequence]["auc"] for sequence in order]
        axes.scatter(values, range(len(order)), marker=marker, color=colour, s=size, label=label, zorder=3)
    axes.set_yticks(range(len(order)), order, fontsize=7)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=110)


def draw_cases(model: str, path: Path) -> None:
    """One row a case: frames over its length, the truth white, the track green, or red where it says that it is lost."""
    rows = []
    for case in CASES:
        frames = list(render(case.scene))
        shown = (Frame(index, index / 30, frame.image) for index, frame in enumerate(frames))
        tracks = [step.tracks[0] for step in follow(MultiTracker(model), shown, [frames[0].box_xywh])]
        moments = np.linspace(0, len(frames) - 1, SHOWN).round().astype(int).tolist()
        row = [_around(frames[k].image, frames[k].box_xywh, tracks[k]) for k in moments]
        cv2.putText(row[0], case.title, (4, HEIGHT - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, TRUTH, 1, cv2.LINE_AA)
        rows.append(np.concatenate(row, axis=1))
    cv2.imwrite(str(path), np.concatenate(rows)[:, :, ::-1], (cv2.IMWRITE_JPEG_QUALITY, 85))


def _around(image: Image, truth: Box, track: Track) -> Image:
    """A part of the frame in which the target can be seen, however small it is."""
    x, y, w, h = truth
    width = min(max(_ROOM * w, WIDTH / 2), image.shape[1])
    window = Window(x + w / 2 - width / 2, y + h / 2 - width * HEIGHT / WIDTH / 2, width, width * HEIGHT / WIDTH, WIDTH)
    across = np.array(((window.width / WIDTH, 0, window.x), (0, window.height / HEIGHT, window.y)))
    part: Image = cv2.warpAffine(image, across, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)  # type: ignore[assignment]

    def shown(box: Box) -> Box:
        scale = WIDTH / window.width
        return (box[0] - window.x) * scale, (box[1] - window.y) * scale, box[2] * scale, box[3] * scale

    x, y, w, h = shown(truth)
    cv2.rectangle(part, (round(x) - 2, round(y) - 2), (round(x + w) + 2, round(y + h) + 2), TRUTH, 1)
    return draw_tracks(part, [track._replace(box_xywh=shown(track.box_xywh))])


def main() -> None:
    """Writes both pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--summary", type=Path, default=HERE.parents[1] / "results" / "accuracy" / "default" / "summary.json")
    parser.add_argument("--model", default="fear-xs")
    options = parser.parse_args()
    folder = HERE.parents[1] / "docs" / "results"
    draw_cases(options.model, folder / "cases.jpg")
    plot_sequences(options.summary, folder / "sequences.png")
    print(f"wrote {folder}/cases.jpg and sequences.png")


if __name__ == "__main__":
    main()
