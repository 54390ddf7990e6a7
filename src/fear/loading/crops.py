"""Template and search crops as a tracker cuts them: what exports are compared on, and what quantisation is calibrated on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fear.config import NetworkConfig, TrackerConfig
from fear.errors import DatasetError
from fear.export.pairs import Pair
from fear.geometry.boxes import Box
from fear.geometry.context import search_window, template_window
from fear.media.crop import crop
from fear.media.image import IMAGE_SUFFIXES, Image, mean_colour, read_image
from fear.media.synthetic import Scene, render

_SCENES = 4  # that are rendered


def cut_pairs(config: NetworkConfig, count: int, pictures: Path | None = None, seed: int = 0, steady: bool = False) -> list[Pair]:
    """Cuts template and search crops around the same targets.

    Args:
        config: Tells the sides of the crops.
        count: Number of pairs.
        pictures: A folder of pictures, at any depth; crops are cut around random boxes in them. None renders scenes.
        seed: Seed of the random boxes and of the choice of pictures.
        steady: Search crops have the side for steady targets; most frames do.

    Raises:
        DatasetError: there are no pictures in the folder.
    """
    views = _rendered_views(count) if pictures is None else _picture_views(pictures, count, np.random.default_rng(seed))
    return [_pair(config, first, second, box_xywh, steady) for first, second, box_xywh in views]


def _rendered_views(count: int) -> Iterator[tuple[Image, Image, Box]]:
    """Two consecutive frames of a rendered scene, and the true box in the first one."""
    scenes = [list(render(Scene(frames=count // _SCENES + 2, seed=seed))) for seed in range(_SCENES)]
    for number in range(count):
        place, scene = divmod(number, _SCENES)
        first, second = scenes[scene][place : place + 2]
        yield first.image, second.image, first.box_xywh


def _picture_views(folder: Path, count: int, rng: np.random.Generator) -> Iterator[tuple[Image, Image, Box]]:
    """A picture, the next one of the same folder and size (else the same one again), and a random box in the first one."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise DatasetError(f"{folder}: expected pictures, found none")
    for _ in range(count):
        number = int(rng.integers(len(files)))
        first = read_image(files[number])
        after = files[min(number + 1, len(files) - 1)]
        second = read_image(after) if after.parent == files[number].parent else first
        height, width = first.shape[:2]
        w, h = (float(side * rng.uniform(0.08, 0.35)) for side in (width, height))
        box = (float(rng.uniform(0, width - w)), float(rng.uniform(0, height - h)), w, h)
        yield first, second if second.shape == first.shape else first, box


def _pair(config: NetworkConfig, now: Image, later: Image, box_xywh: Box, steady: bool) -> Pair:
    rules, fill = TrackerConfig(), mean_colour(now)
    return Pair(
        crop(now, template_window(box_xywh, rules, config), fill)[None],
        crop(later, search_window(box_xywh, rules, config, steady), fill)[None],
    )
