"""Clips rendered by this project, with true boxes: for the demo and for tests, since no footage of others may come along.

A textured disc wanders over a textured background while the camera drifts; it grows and shrinks, a look-alike crosses its way, and a
post hides it for some frames.

    python -m fear.media.synthetic clip.mp4        # writes the clip and prints the box of its first frame
    python -m fear.media.synthetic --folders ROOT  # a small sequence of the layout `folder`
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fear.geometry.boxes import Box
from fear.media import pixels
from fear.media.image import Image

_PERIOD = 180  # frames until the paths repeat, more or less; a shorter scene shows a part of them at the same speed
_SPRITE = 160  # pixels of a sprite's side, before it is scaled into the scene


class Scene(NamedTuple):
    """What happens in a clip.

    Attributes:
        frames: Length.
        height: Of a frame, pixels.
        width: Of a frame, pixels.
        size: Mean diameter of the target as a share of the height.
        growth: Largest change of the diameter, as a share of it.
        distractor: A look-alike crosses the scene.
        occlusion: A post stands before a part of the way.
        seed: Of all textures and paths.
    """

    frames: int = _PERIOD
    height: int = 360
    width: int = 640
    size: float = 0.22
    growth: float = 0.4
    distractor: bool = True
    occlusion: bool = True
    seed: int = 7


DEFAULT = Scene()


class Rendered(NamedTuple):
    """One frame and the truth about it."""

    image: Image
    """(H, W, 3)"""
    box_xywh: Box
    """Of the whole target, hidden parts included."""
    hidden: float
    """Share of the box behind the post, 0 to 1."""


def render(scene: Scene = DEFAULT) -> Iterator[Rendered]:
    """Renders a clip frame by frame; the same scene gives the same pixels."""
    random = np.random.default_rng(scene.seed)
    height, width = scene.height, scene.width
    margin = height // 3
    ground = _texture(random, height + 2 * margin, width + 2 * margin, cell=24, contrast=70, base=random.uniform(70, 150, 3))
    hue = random.uniform(0, 180)
    target, lookalike = _sprite(random, hue), _sprite(random, hue + 60)
    post_x, post_width = 0.62 * width, 0.045 * width
    for index in range(scene.frames):
        t = index / _PERIOD
        shift_x, shift_y = margin * (0.5 + 0.45 * np.sin(2 * np.pi * t)), margin * (0.5 + 0.4 * np.cos(3 * np.pi * t))
        view = np.array(((1.0, 0.0, -shift_x), (0.0, 1.0, -shift_y)))
        image: Image = pixels.turn(ground, view, height, width)
        diameter = scene.size * height * (1 + scene.growth * np.sin(4 * np.pi * t))
        x = width * (0.5 - 0.3 * np.cos(2 * np.pi * t * 1.1))
        y = height * (0.5 + 0.24 * np.sin(4.2 * np.pi * t))
        if scene.distractor:
            side = scene.size * height * 1.05
            _paste(image, lookalike, width * (0.95 - 0.9 * min(t, 1.0)), height * (0.55 - 0.2 * np.cos(2 * np.pi * t)), side, -200 * t)
        _paste(image, target, x, y, diameter, 40 * np.sin(2 * np.pi * t))
        box = (x - diameter / 2, y - diameter / 2, diameter, diameter)
        hidden = 0.0
        if scene.occlusion:
            left, right = post_x - post_width / 2, post_x + post_width / 2
            image[:, round(left) : round(right)] = (88, 72, 58)
            hidden = max(0.0, min(right, box[0] + diameter) - max(left, box[0])) / diameter
        noise = random.normal(0, 3, (height, width, 1))
        yield Rendered(
            np.clip(image + noise, 0, 255).astype(np.uint8), (float(box[0]), float(box[1]), float(diameter), float(diameter)), hidden
        )


def _texture(random: np.random.Generator, height: int, width: int, cell: int, contrast: float, base: NDArray[np.float64]) -> Image:
    """Noise of three sizes around a colour, (height, width, 3)."""
    texture = np.tile(base.astype(np.float32), (height, width, 1))
    for size, strength in ((cell * 3, 0.6), (cell, 0.8), (cell // 4, 0.5)):
        coarse = random.normal(0, 1, (height // size + 2, width // size + 2, 3)).astype(np.float32)
        coarse = 0.7 * coarse[..., :1] + 0.3 * coarse  # mostly light and shade, a little colour
        texture += contrast * strength / 2 * pixels.enlarge(coarse, height, width)
    return np.clip(texture, 0, 255).astype(np.uint8)


def _sprite(random: np.random.Generator, hue: float) -> Image:
    """A disc of patches in one family of colours, (side, side, 4) with its opacity."""
    side = _SPRITE
    hsv = np.empty((5, 5, 3), np.uint8)
    hsv[..., 0] = (hue + random.uniform(-18, 18, (5, 5))) % 180
    hsv[..., 1], hsv[..., 2] = random.uniform(90, 255, (5, 5)), random.uniform(60, 255, (5, 5))
    colours = pixels.rgb_of_hsv(hsv).repeat(side // 5, axis=0).repeat(side // 5, axis=1)
    opacity = np.zeros((side, side), np.uint8)
    pixels.disc(opacity, side // 2 - 1, 255)
    pixels.disc(colours, side // 2 - 5, (245, 245, 240), thickness=7)
    pixels.disc(colours, side // 9, (20, 20, 30), centre=(side // 3, side // 3))
    return np.dstack((colours, opacity))


def _paste(image: Image, sprite: Image, x: float, y: float, diameter: float, angle: float) -> None:
    """Draws a sprite centred at (x, y), turned by degrees, onto the image."""
    middle, scale, radians = _SPRITE / 2, diameter / _SPRITE, angle * (math.pi / 180)
    along, across = math.cos(radians) * scale, math.sin(radians) * scale
    shift = (1 - along) * middle - across * middle, across * middle + (1 - along) * middle  # the sprite's middle stays
    place = np.array(((along, across, shift[0] + (x - middle)), (-across, along, shift[1] + (y - middle))))
    layer = pixels.turn(sprite, place, image.shape[0], image.shape[1])
    opacity = layer[..., 3:].astype(np.float32) / 255
    image[:] = (image * (1 - opacity) + layer[..., :3] * opacity).astype(np.uint8)


def write_folder(folder: Path, scene: Scene = DEFAULT) -> None:
    """Writes a scene as a sequence of the layout `folder`: `img/000001.jpg…` and `groundtruth.txt`."""
    (folder / "img").mkdir(parents=True, exist_ok=True)
    lines = []
    for number, rendered in enumerate(render(scene), start=1):
        (folder / "img" / f"{number:06d}.jpg").write_bytes(pixels.encode(rendered.image, ".jpg") or b"")
        lines.append(",".join(f"{value:.2f}" for value in rendered.box_xywh))
    (folder / "groundtruth.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(path: str) -> None:
    """Writes the default scene and says where its target begins."""
    from fear.media.writer import VideoWriter

    with VideoWriter(path, 30) as writer:
        for index, rendered in enumerate(render()):
            if index == 0:
                sys.stdout.write(",".join(f"{value:.1f}" for value in rendered.box_xywh) + "\n")
            writer.write(rendered.image, index / 30)


if __name__ == "__main__":
    if sys.argv[1] == "--folders":
        write_folder(Path(sys.argv[2]) / "disc", Scene(frames=24, height=180, width=320))
    else:
        main(sys.argv[1])
