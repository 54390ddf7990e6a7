"""A strip of frames of the sequences that went worst: where people look first."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fear.datasets.frames import read_frame
from fear.evaluation.runner import Job, read_result
from fear.media.image import Image

_FRAMES, _WIDTH, _HEIGHT = 5, 320, 180
_TRUTH, _TRACKED = (46, 204, 113), (235, 64, 52)


def draw_worst(jobs: list[Job], path: Path) -> None:
    """One row a sequence: five frames over its length, the truth green and the tracker red.

    Args:
        jobs: Done.
        path: JPEG to write.
    """
    rows = []
    for job in jobs:
        boxes, _ = read_result(job)
        moments = np.linspace(0, len(job.sequence) - 1, _FRAMES).round().astype(int).tolist()
        rows.append(np.concatenate([_draw(job, moment, boxes[moment].tolist()) for moment in moments], axis=1))
    cv2.imwrite(str(path), np.concatenate(rows)[:, :, ::-1], (cv2.IMWRITE_JPEG_QUALITY, 85))


def _draw(job: Job, moment: int, tracked: list[float]) -> Image:
    picture = read_frame(job.sequence.frames[moment])
    scale = min(_WIDTH / picture.shape[1], _HEIGHT / picture.shape[0])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.full((_HEIGHT, _WIDTH, 3), 24, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    for box, colour in ((job.sequence.boxes_xywh[moment].tolist(), _TRUTH), (tracked, _TRACKED)):
        if np.isfinite(box).all():
            x, y, w, h = (round(value * scale) for value in box)
            cv2.rectangle(canvas, (x, y), (x + w, y + h), colour, 2)
    cv2.putText(canvas, f"{job.sequence.name} {moment}", (4, _HEIGHT - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
    return canvas
