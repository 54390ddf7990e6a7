"""Operations on pixels, each of which exists twice: by OpenCV where one is installed, and without it.

OpenCV is quicker, and fear-tracker does not need it. Four packages on PyPI install OpenCV into one folder and damage each other, so a
package that asks for one of them can damage an environment that has another. Which of both ways is taken is decided when this package is
imported; the names and signatures are the same, which mypy holds. Values differ by at most one level in crops (docs/design/opencv.md).
"""

from __future__ import annotations

try:
    from fear.media.pixels.with_opencv import (
        BACKEND,
        add_colours,
        cut,
        decode,
        decode_animation,
        disc,
        draw_filled,
        draw_outline,
        draw_text,
        encode,
        enlarge,
        flip,
        is_picture,
        mean,
        mix_channels,
        planes_of_rgb,
        rgb_of_hsv,
        rgb_of_planes,
        shrink,
        text_size,
        transpose,
        turn,
    )
except Exception:  # there is none, it lacks a library of the system, its folder is empty, or it was built for another NumPy
    from fear.media.pixels.without_opencv import (
        BACKEND,
        add_colours,
        cut,
        decode,
        decode_animation,
        disc,
        draw_filled,
        draw_outline,
        draw_text,
        encode,
        enlarge,
        flip,
        is_picture,
        mean,
        mix_channels,
        planes_of_rgb,
        rgb_of_hsv,
        rgb_of_planes,
        shrink,
        text_size,
        transpose,
        turn,
    )

__all__ = [
    "BACKEND",
    "add_colours",
    "cut",
    "decode",
    "decode_animation",
    "disc",
    "draw_filled",
    "draw_outline",
    "draw_text",
    "encode",
    "enlarge",
    "flip",
    "is_picture",
    "mean",
    "mix_channels",
    "planes_of_rgb",
    "rgb_of_hsv",
    "rgb_of_planes",
    "shrink",
    "text_size",
    "transpose",
    "turn",
]
