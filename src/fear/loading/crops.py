"""Template and search crops as a tracker cuts them: what exports are compared on, and what quantisation is calibrated on."""

from __future__ import annotations

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
    rng = np.random.default_rng(seed)
    if pictures is None:
        scenes = [list(render(Scene(frames=count // 4 + 2, seed=number))) for number in range(4)]
        found = []
        for k in range(count):
            scene = scenes[k % 4]
            now, then = scene[k // 4], scene[k // 4 + 1]
            found.append(_pair(config, now.image, then.image, now.box_xywh, steady))
        return found
    files = sorted(path for path in pictures.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise DatasetError(f"{pictures}: expected pictures, found none")
    pairs = []
    for _ in range(count):
        number = int(rng.integers(len(files)))
        image = read_image(files[number])
        height, width = image.shape[:2]
        after = files[min(number + 1, len(files) - 1)]
        later = read_image(after) if after.parent == files[number].parent else image
        later = later if later.shape == image.shape else image
        w, h = (float(side * rng.uniform(0.08, 0.35)) for side in (width, height))
        box = (float(rng.uniform(0, width - w)), float(rng.uniform(0, height - h)), w, h)
        pairs.append(_pair(config, image, later, box, steady))
    return pairs


def _pair(config: NetworkConfig, now: Image, later: Image, box_xywh: Box, steady: bool) -> Pair:
    rules, fill = TrackerConfig(), mean_colour(now)
    return Pair(
        crop(now, template_window(box_xywh, rules, config), fill)[None],
        crop(later, search_window(box_xywh, rules, config, steady), fill)[None],
    )
