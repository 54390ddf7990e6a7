"""Resampling without OpenCV: crops by ONNX Runtime's operator Resize, pictures of another size by Pillow.

Three small graphs, made by scripts/make_resampling.py, compute what one function of OpenCV does; each is the fastest for some windows:

- `resize_planar`: windows of whole pixels. Pixels become planes of floats first, on which Resize is fast.
- `resize`: the same for large windows, on the pixels as they lie.
- `sample`: all others, from anywhere within the pixels.

The last two cut values off instead of rounding them.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fear.geometry.window import Window
from fear.telemetry import telemetry_off

Bytes = NDArray[np.uint8]
Colour = tuple[float, float, float]

_LARGE = 4
"""Pixels of a window for each pixel of its crop, from which on `resize` is faster than `resize_planar`."""

_MARGIN = 2  # pixels around what is sampled, so that a position that is rounded up never falls out of the patch


def cut(frame: Bytes, window: Window, fill: Colour, out: Bytes | None = None) -> Bytes:
    """See `with_opencv.cut`."""
    if _is_resize(frame, window):
        crop = _resized(frame, window, fill)
    elif window.whole_within(*frame.shape[:2]):  # what lies around the window does not count
        x, y, width, height, _ = map(int, window)
        crop = _sampled(_with_border(frame[y : y + height, x : x + width]), window._replace(x=_MARGIN, y=_MARGIN), fill)
    else:
        crop = _sampled(frame, window, fill)
    if out is None:
        return crop
    out[:] = crop
    return out


def _is_resize(frame: Bytes, window: Window) -> bool:
    """Whether a window consists of whole pixels, and its crop of nothing but these."""
    x, y, width, height, side = window
    if not all(float(value).is_integer() for value in (x, y, width, height)) or (width == side) != (height == side):
        return False  # Resize would take a side that stays the same for the axis of the channels
    within = window.whole_within(*frame.shape[:2])
    # an enlarged crop shows a part of the pixel beyond its window, unless the window lies within the frame (as in OpenCV)
    return within or (min(width, height) >= side and width * height <= frame.shape[0] * frame.shape[1])


def _resized(frame: Bytes, window: Window, fill: Colour) -> Bytes:
    x, y, width, height, side = map(int, window)
    patch = _patch(frame, (x, x + width), (y, y + height), fill)
    if width == height == side:
        return patch.copy()
    if width * height > _LARGE * side * side:
        return _run("resize", patch, sizes=np.array((1, side, side, 3), np.int64))
    return _run("resize_planar", patch, sizes=np.array((1, 3, side, side), np.int64))


def _sampled(frame: Bytes, window: Window, fill: Colour) -> Bytes:
    x, y, width, height, side = window
    columns, rows = _Line.of(x, width, side, frame.shape[1]), _Line.of(y, height, side, frame.shape[0])
    if columns is None or rows is None:
        return _filled(side, side, fill)
    patch = _patch(frame, (columns.start, columns.stop), (rows.start, rows.stop), fill)
    region = np.array((0, rows.begin, columns.begin, 0, 1, rows.end, columns.end, 1), np.float32)
    shown = _run("sample", patch, region=region, sizes=np.array((1, rows.seen, columns.seen, 3), np.int64))
    if shown.shape == (side, side, 3):
        return shown
    crop = _filled(side, side, fill)
    crop[rows.first : rows.first + rows.seen, columns.first : columns.first + columns.seen] = shown
    return crop


def _with_border(part: Bytes) -> Bytes:
    """The part with its outermost pixels repeated around it."""
    return np.pad(part, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), mode="edge")


class _Line(NamedTuple):
    """How the pixels of a crop lie over those of a frame, along one of its axes."""

    first: int
    """The first pixel of the crop that shows any of the frame."""
    seen: int
    """How many pixels of the crop show any of it."""
    start: int
    """The first pixel of the frame that is needed; negative where the fill shows before it."""
    stop: int
    """Behind the last pixel that is needed; it may lie behind the frame."""
    begin: float
    """Where the first pixel of the crop lies between the centres of the first and the last pixel, 0 to 1: what Resize calls `roi`."""
    end: float
    """Where its last pixel lies."""

    @classmethod
    def of(cls, position: float, length: float, side: int, frame: int) -> _Line | None:
        """The line of a window that begins at a position and has some length; None where it shows nothing of the frame."""
        step = length / side
        origin = position + step / 2 - 0.5
        first = max(0, math.floor((-1 - origin) / step) + 1)
        last = min(side - 1, math.ceil((frame - origin) / step) - 1)
        if first > last:
            return None
        seen, begin, end = last - first + 1, origin + first * step, origin + last * step
        start, stop = max(math.floor(begin) - 1, -_MARGIN), min(math.floor(end) + 3, frame + _MARGIN)
        stop += stop - start == seen  # Resize would take a side that stays the same for the axis of the channels
        length = stop - start - 1
        return cls(first, seen, start, stop, (begin - start) / length, (end - start) / length)


def _patch(frame: Bytes, columns: tuple[int, int], rows: tuple[int, int], fill: Colour) -> Bytes:
    """The part of the frame from the first column and row to the last, with the fill around it where the frame ends; contiguous."""
    height, width, _ = frame.shape
    left, right, top, bottom = max(columns[0], 0), min(columns[1], width), max(rows[0], 0), min(rows[1], height)
    if bottom - top == rows[1] - rows[0] and right - left == columns[1] - columns[0]:
        return np.ascontiguousarray(frame[top:bottom, left:right])
    patch = _filled(rows[1] - rows[0], columns[1] - columns[0], fill)
    if left < right and top < bottom:
        patch[top - rows[0] : bottom - rows[0], left - columns[0] : right - columns[0]] = frame[top:bottom, left:right]
    return patch


def _run(graph: str, patch: Bytes, **inputs: NDArray[Any]) -> Bytes:
    crop: Bytes = _session(graph).run(None, {"patch": patch[None], **inputs})[0][0]
    return crop


@cache
def _session(graph: str) -> Any:
    """A graph on one thread, in the order in which it is written. Several threads may use it."""
    with telemetry_off():
        import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # an optimiser would take the planes for a detour
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(Path(__file__).with_name(f"{graph}.onnx").read_bytes(), options, providers=["CPUExecutionProvider"])


def _filled(height: int, width: int, fill: Colour) -> Bytes:
    """(height, width, 3) of one colour."""
    line = np.empty((width, 3), np.uint8)
    line[:] = np.clip(np.rint(fill), 0, 255)
    return line[None].repeat(height, axis=0)  # ten times as fast as to repeat the colour for every pixel


def shrink(image: Bytes, height: int, width: int) -> Bytes:
    """See `with_opencv.shrink`."""
    rows = _means(image, height)
    return np.rint(_means(rows.swapaxes(0, 1), width).swapaxes(0, 1)).astype(np.uint8)


def _means(values: NDArray[Any], count: int) -> NDArray[np.float64]:
    """Cuts the first axis into a number of equal parts, which may end within a pixel, and takes the mean of each."""
    sums = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=sums[1:])
    places = np.arange(count + 1) * (len(values) / count)
    before = np.minimum(places.astype(np.intp), len(values) - 1)
    share = (places - before).reshape(-1, *[1] * (values.ndim - 1))
    at_places = sums[before] * (1 - share) + sums[before + 1] * share
    means: NDArray[np.float64] = np.diff(at_places, axis=0) * (count / len(values))
    return means


def enlarge(values: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """See `with_opencv.enlarge`."""
    from PIL import Image

    channels = [Image.fromarray(np.ascontiguousarray(values[..., k])) for k in range(3)]
    return np.stack([np.asarray(channel.resize((width, height), Image.Resampling.BICUBIC), np.float32) for channel in channels], axis=-1)


def turn(image: Bytes, place: NDArray[np.float64], height: int, width: int) -> Bytes:
    """See `with_opencv.turn`."""
    from PIL import Image

    back = np.linalg.inv(place[:, :2])
    # Pillow counts from the corner of a pixel, our matrix from its centre
    offset = 0.5 - back @ (place[:, 2] + 0.5)
    data = tuple(float(value) for row, shift in zip(back, offset, strict=True) for value in (*row, shift))
    return np.array(Image.fromarray(image).transform((width, height), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR))
