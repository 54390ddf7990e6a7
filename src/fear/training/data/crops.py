"""From a sampler's views to crops: cut by OpenCV from files or memory, or by torch on the device that holds the pictures.

Both ways show the same: what lies outside a picture has its mean colour, as in tracking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fear.datasets.frames import FrameReference, read_frame
from fear.media.crop import crop
from fear.media.image import Image, mean_colour
from fear.training.data.sampler import View

_RECENT = 16  # decoded pictures that are kept anyway: the crops of a sample share them


class Pictures:
    """Decodes picture files.

    Args:
        keep: All that were decoded stay in memory; otherwise the last few.
    """

    def __init__(self, keep: bool) -> None:
        self._read = lru_cache(maxsize=None if keep else _RECENT)(read_frame)

    def size(self, path: FrameReference) -> tuple[int, int]:
        """Height and width."""
        height, width = self._read(path).shape[:2]
        return height, width

    def cut(self, view: View) -> Image:
        """The crop of a view, (side, side, 3)."""
        picture = self._read(view.path)
        image = crop(picture, view.window, mean_colour(picture))
        return np.ascontiguousarray(image[:, ::-1]) if view.flip else image


class PictureBank:
    """All pictures in a device's memory as uint8, on square canvases; decoding never starves training.

    Args:
        paths: Picture files.
        canvas: Side; longer pictures are reduced to it.
        device: Where they lie and crops are cut.
        on_picture: Called after each.
    """

    def __init__(
        self, paths: Iterable[FrameReference], canvas: int, device: torch.device, on_picture: Callable[[], None] = lambda: None
    ) -> None:
        self.index = {path: number for number, path in enumerate(dict.fromkeys(paths))}
        self._canvas = canvas
        count = len(self.index)
        pictures = torch.empty(count, 3, canvas, canvas, dtype=torch.uint8)
        self.sizes = [(0, 0)] * count
        self._fill, self._scale = torch.empty(count, 3), torch.empty(count)

        def place(item: tuple[FrameReference, int]) -> None:
            path, number = item
            picture = read_frame(path)
            self.sizes[number] = picture.shape[0], picture.shape[1]
            fill, scale = mean_colour(picture), min(1.0, canvas / max(picture.shape[:2]))
            if scale < 1:
                picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
            height, width = picture.shape[:2]
            self._fill[number], self._scale[number] = torch.tensor(fill), scale
            pictures[number] = self._fill[number].round().to(torch.uint8)[:, None, None]
            pictures[number, :, :height, :width] = torch.from_numpy(picture).permute(2, 0, 1)  # (H, W, 3) → (3, H, W)
            on_picture()

        with ThreadPoolExecutor() as pool:
            list(pool.map(place, self.index.items()))
        self._pictures = pictures.to(device)
        self._fill, self._scale = self._fill.to(device), self._scale.to(device)

    def size(self, path: FrameReference) -> tuple[int, int]:
        """Height and width of the file's picture."""
        return self.sizes[self.index[path]]

    def cut(self, numbers: Tensor, windows: Tensor, flips: Tensor, size: int) -> Tensor:
        """Crops in one go.

        Args:
            numbers: (B,), pictures by `index`.
            windows: (B, 4), x, y, width, height in pixels of the files.
            flips: (B,), bool.
            size: Side of the crops.

        Returns:
            (B, 3, size, size), float, 0 to 255.
        """
        windows = windows * self._scale[numbers, None]
        line = (torch.arange(size, device=windows.device) + 0.5) / size  # centres of the crop's pixels, 0 to 1
        across = torch.where(flips[:, None], 1 - line, line)  # (B, size)
        x = (windows[:, :1] + windows[:, 2:3] * across)[:, None, :].expand(-1, size, -1)
        y = (windows[:, 1:2] + windows[:, 3:] * line)[:, :, None].expand(-1, -1, size)
        grid = torch.stack((x, y), dim=-1) / self._canvas * 2 - 1  # (B, size, size, 2)
        fill = self._fill[numbers][:, :, None, None]
        crops = functional.grid_sample(self._pictures[numbers] - fill, grid, align_corners=False, padding_mode="zeros")
        return crops + fill
