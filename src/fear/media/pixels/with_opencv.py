"""The operations of this package by OpenCV, whichever of its four packages is installed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fear.geometry.window import Window
from fear.media.matrices import FROM_RGB709, Matrix
from fear.media.pixels import conversion

if not hasattr(cv2, "warpAffine"):  # removing one of the four packages can leave an empty folder, which Python imports without an error
    raise ImportError("expected OpenCV, got an empty folder cv2")

Bytes = NDArray[np.uint8]
Colour = tuple[float, float, float]
Point = tuple[float, float]
Ink = int | tuple[int, int, int]

BACKEND = f"OpenCV {cv2.__version__}"
"""What computes."""

_SUBPIXEL = 4  # OpenCV draws at 1/16 pixel
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def cut(frame: Bytes, window: Window, fill: Colour, out: Bytes | None = None) -> Bytes:
    """Resamples a window of a frame, bilinear.

    Args:
        frame: (H, W, 3)
        window: What to show, and the side S of the result.
        fill: Colour of what lies outside the frame.
        out: (S, S, 3), contiguous; it is written and returned where it is given.

    Returns:
        (S, S, 3)
    """
    if window.whole_within(*frame.shape[:2]):
        x, y, width, height, side = map(int, window)
        return cv2.resize(frame[y : y + height, x : x + width], (side, side), dst=out, interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
    across, down = window.width / window.side, window.height / window.side
    # crop pixel u has its centre at u + 0.5; the frame pixel that it shows is counted from its own centre, hence both halves
    crop_to_frame = np.array(((across, 0.0, window.x + across / 2 - 0.5), (0.0, down, window.y + down / 2 - 0.5)))
    return cv2.warpAffine(  # type: ignore[return-value]
        frame,
        crop_to_frame,
        (window.side, window.side),
        dst=out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )


def shrink(image: Bytes, height: int, width: int) -> Bytes:
    """A picture of another size, each pixel of which is the mean of the area that it covers."""
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def enlarge(values: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Larger (height, width, 3), smooth between the given values."""
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def turn(image: Bytes, place: NDArray[np.float64], height: int, width: int) -> Bytes:
    """Puts a picture somewhere onto black.

    Args:
        image: (H, W, 3) or (H, W, 4).
        place: (2, 3), from a pixel's (x, y, 1) in the picture to its place; the centre of pixel 0 is 0.
        height: Of the result, in pixels.
        width: Of the result, in pixels.

    Returns:
        (height, width, 3 or 4)
    """
    return np.asarray(cv2.warpAffine(image, place, (width, height)), np.uint8)


def mean(image: Bytes) -> Colour:
    """The mean of each channel of (H, W, 3)."""
    red, green, blue, _ = cv2.mean(image)
    return red, green, blue


def mix_channels(values: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Multiplies the channels of every pixel, (H, W, 3), with a matrix of (3, 3)."""
    return np.asarray(cv2.transform(values, rows), np.float32)


def transpose(plane: Bytes) -> Bytes:
    """Rows and columns exchanged; channels stay."""
    return np.asarray(cv2.transpose(plane), np.uint8)


def flip(plane: Bytes, mirrored: bool, upside_down: bool) -> Bytes:
    """Left and right exchanged, top and bottom exchanged, or both; one of them at least."""
    return np.asarray(cv2.flip(plane, -1 if mirrored and upside_down else int(mirrored)), np.uint8)


def planes_of_rgb(image: Bytes, matrix: Matrix) -> tuple[Bytes, Bytes, Bytes]:
    """Brightness, and colour differences at half of the resolution.

    Args:
        image: (H, W, 3), RGB; both even.
        matrix: How it is to be coded.

    Returns:
        (H, W), (H/2, W/2), (H/2, W/2)
    """
    height, width, _ = image.shape
    if matrix == Matrix.BT601:  # OpenCV has a fast way for this one
        packed = np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2YUV_I420), np.uint8)
        u, v = packed[height:].reshape(2, height // 2, width // 2)
        return packed[:height], u, v
    yuv = cv2.transform(image, FROM_RGB709)
    half = (width // 2, height // 2)
    y, u, v = (np.asarray(cv2.extractChannel(yuv, k), np.uint8) for k in range(3))
    u, v = (np.asarray(cv2.resize(plane, half, interpolation=cv2.INTER_AREA), np.uint8) for plane in (u, v))
    return y, u, v


def rgb_of_planes(y: Bytes, u: Bytes, v: Bytes, matrix: Matrix) -> Bytes:
    """RGB of planes.

    Args:
        y: (H, W), both even.
        u: (H/2, W/2)
        v: (H/2, W/2)
        matrix: How they are coded.

    Returns:
        (H, W, 3)
    """
    height, width = u.shape
    if matrix == Matrix.BT709:  # OpenCV has no fast way for this one: a fifth of its time at 720p
        return conversion.rgb_of_planes(y, u, v, matrix)
    packed = np.empty(6 * width * height, np.uint8)  # the three planes behind each other, as OpenCV takes them
    brightness, colours = packed[: 4 * width * height], packed[4 * width * height :]
    brightness.reshape(2 * height, 2 * width)[:] = y
    for half, plane in zip(colours.reshape(2, height, width), (u, v), strict=True):
        half[:] = plane
    return np.asarray(cv2.cvtColor(packed.reshape(3 * height, 2 * width), cv2.COLOR_YUV2RGB_I420), np.uint8)


def rgb_of_hsv(hsv: Bytes) -> Bytes:
    """RGB of hue (0 to 179), saturation and value, (H, W, 3)."""
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)


def add_colours(y: Bytes, u: Bytes, v: Bytes, rows: NDArray[np.float64]) -> None:
    """Codes planes by another matrix, in place; `rows` is one of `CHANGES`."""
    changed = np.asarray(cv2.transform(cv2.merge((u, v)), rows), np.uint8)
    u[:], v[:] = cv2.extractChannel(changed, 1), cv2.extractChannel(changed, 2)
    added = cv2.resize(cv2.extractChannel(changed, 0), (y.shape[1], y.shape[0]), interpolation=cv2.INTER_NEAREST)
    cv2.addWeighted(y, 1, added, 1, -128, dst=y)


def decode(data: Bytes) -> Bytes | None:
    """The picture in the bytes of a file, (H, W, 3), RGB, upright; None where they hold none."""
    image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
    return None if image is None else np.asarray(image, np.uint8)


def decode_animation(data: Bytes) -> tuple[list[Bytes], list[int]] | None:
    """The pictures of an animation, (H, W, 3), RGB, and how many milliseconds each is shown; None where it is damaged."""
    good, animation = cv2.imdecodeanimation(data)
    if not good or not animation.frames:
        return None
    return [np.ascontiguousarray(np.asarray(image, np.uint8)[..., 2::-1]) for image in animation.frames], [
        int(duration) for duration in animation.durations
    ]


def is_picture(path: Path) -> bool:
    """Whether the file begins as a picture does that can be read."""
    return cv2.haveImageReader(str(path))


def encode(image: Bytes, suffix: str, quality: int = 95) -> bytes | None:
    """The file of a picture.

    Args:
        image: (H, W, 3), RGB.
        suffix: Of the file's name; it tells the format, such as `.jpg`.
        quality: Of a JPEG, 0 to 100.

    Returns:
        The content; None where there is no such format, or it cannot hold the picture.
    """
    try:
        good, content = cv2.imencode(suffix, image[:, :, ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))
    except cv2.error:
        return None
    return content.tobytes() if good else None


def draw_outline(plane: Bytes, start: Point, end: Point, colour: Ink, thickness: int) -> None:
    """The outline of a rectangle, at parts of pixels, on (H, W) or (H, W, 3)."""
    # +0.5 pixel in our coordinates is a pixel's centre, which OpenCV counts as 0
    first, second = (tuple(round((value - 0.5) * (1 << _SUBPIXEL)) for value in corner) for corner in (start, end))
    cv2.rectangle(plane, first, second, colour, thickness, cv2.LINE_AA, _SUBPIXEL)


def draw_filled(plane: Bytes, start: tuple[int, int], end: tuple[int, int], colour: Ink) -> None:
    """A filled rectangle, both corners included, on (H, W) or (H, W, 3)."""
    cv2.rectangle(plane, start, end, colour, cv2.FILLED)


def text_size(text: str, size: float) -> tuple[int, int, int]:
    """Width and height of a text in pixels, and how far letters reach below its line; a capital letter is about 22·size pixels high."""
    (width, height), base = cv2.getTextSize(text, _FONT, size, _weight(size))
    return width, height, base


def draw_text(plane: Bytes, text: str, place: tuple[int, int], size: float, colour: Ink) -> None:
    """Writes on (H, W) or (H, W, 3); `place` is the left end of the line on which the letters stand."""
    cv2.putText(plane, text, place, _FONT, size, colour, _weight(size), cv2.LINE_AA)


def _weight(size: float) -> int:
    return max(1, round(size))


def disc(plane: Bytes, radius: int, colour: Ink, thickness: int | None = None, centre: tuple[int, int] | None = None) -> None:
    """Draws a disc, or a circle of some thickness, on (H, W) or (H, W, 3), in the middle where no centre is given."""
    centre = centre or (plane.shape[1] // 2, plane.shape[0] // 2)
    cv2.circle(plane, centre, radius, colour, cv2.FILLED if thickness is None else thickness, cv2.LINE_AA)
