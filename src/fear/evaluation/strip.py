"""A picture of the clips on which a tracker is worst."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fear.datasets.clip import Clip
from fear.evaluation.metrics import Floats
from fear.media import pixels
from fear.media.image import Image
from fear.weights.store import written_whole

_FRAMES, _WIDTH, _HEIGHT = 5, 320, 180
_TRUTH, _TRACKED = (46, 204, 113), (235, 64, 52)


def draw_worst(clips: Sequence[tuple[Clip, Floats]], path: Path) -> None:
    """Draws one row for each clip: five frames over its length, the truth in green and the tracker in red.

    Args:
        clips: Each with the tracked boxes, (F, 4).
        path: JPEG file to write.
    """
    rows = [np.concatenate(_draw_clip(clip, tracked), axis=1) for clip, tracked in clips]
    with written_whole(path) as unfinished:
        unfinished.write_bytes(pixels.encode(np.concatenate(rows), ".jpg", 85) or b"")


def _draw_clip(clip: Clip, tracked_xywh: Floats) -> list[Image]:
    moments = np.linspace(0, len(clip) - 1, _FRAMES).round().astype(int).tolist()
    drawn = {frame.index: frame.image for frame in clip if frame.index in moments}
    return [_draw(drawn[moment], clip, moment, tracked_xywh[moment].tolist()) for moment in moments]


def _draw(picture: Image, clip: Clip, moment: int, tracked: list[float]) -> Image:
    scale = min(_WIDTH / picture.shape[1], _HEIGHT / picture.shape[0])
    small = pixels.shrink(picture, round(picture.shape[0] * scale), round(picture.shape[1] * scale))
    canvas = np.full((_HEIGHT, _WIDTH, 3), 24, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    for box, colour in ((clip.boxes_xywh[moment].tolist(), _TRUTH), (tracked, _TRACKED)):
        if np.isfinite(box).all():
            x, y, w, h = (value * scale for value in box)
            pixels.draw_outline(canvas, (x, y), (x + w, y + h), colour, 2)
    pixels.draw_text(canvas, f"{clip.name} {moment}", (4, _HEIGHT - 6), 0.4, (255, 255, 255))
    return canvas
