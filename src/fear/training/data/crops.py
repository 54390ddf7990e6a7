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
from fear.training.data.batch import PlannedCrop
from fear.training.data.cutouts import Cutouts, lose_detail
from fear.training.data.sampler import View

_RECENT = 16  # decoded pictures that are always kept, because the crops of a sample share them
CANVAS = 512
"""Side of the canvas of each picture on a device, in pixels; larger pictures are reduced to it."""


class Pictures:
    """Decodes the pictures of frames.

    Args:
        keep: Every decoded picture stays in memory; otherwise the last few.
        cutouts: The objects that views may ask to be pasted.
    """

    def __init__(self, keep: bool, cutouts: Cutouts | None = None) -> None:
        self._cutouts = cutouts
        self._read = lru_cache(maxsize=None if keep else _RECENT)(read_frame)

    def size(self, frame: FrameReference) -> tuple[int, int]:
        """Height and width."""
        height, width = self._read(frame).shape[:2]
        return height, width

    def cut(self, view: View) -> Image:
        """The crop of a view, (side, side, 3)."""
        picture = self._read(view.frame)
        image = crop(picture, view.window, mean_colour(picture))
        image = np.ascontiguousarray(image[:, ::-1]) if view.flip else image
        if view.pastes and self._cutouts is not None:
            image = self._cutouts.paste(image, view.pastes)
        return lose_detail(image, view.detail)


class PictureBank:
    """All pictures as uint8 in the memory of a device, on square canvases, so that training never waits for decoding.

    Args:
        frames: Whose pictures.
        device: Where they lie and crops are cut.
        on_picture: Called after each picture.
        canvas: Side of the canvases, in pixels.
    """

    def __init__(
        self,
        frames: Iterable[FrameReference],
        device: torch.device,
        on_picture: Callable[[], None] = lambda: None,
        canvas: int = CANVAS,
    ) -> None:
        self.index = {frame: number for number, frame in enumerate(dict.fromkeys(frames))}
        self._canvas, self._on_picture = canvas, on_picture
        count = len(self.index)
        self._pictures = torch.empty(count, 3, canvas, canvas, dtype=torch.uint8)
        self._sizes = [(0, 0)] * count
        self._fill, self._scale = torch.empty(count, 3), torch.empty(count)
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._place, self.index.items()))
        self._pictures = self._pictures.to(device)
        self._fill, self._scale = self._fill.to(device), self._scale.to(device)

    def _place(self, item: tuple[FrameReference, int]) -> None:
        """Decodes a picture onto its canvas."""
        frame, number = item
        picture = read_frame(frame)
        self._sizes[number] = picture.shape[0], picture.shape[1]
        fill, scale = mean_colour(picture), min(1.0, self._canvas / max(picture.shape[:2]))
        if scale < 1:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        height, width = picture.shape[:2]
        self._fill[number], self._scale[number] = torch.tensor(fill), scale
        self._pictures[number] = self._fill[number].round().to(torch.uint8)[:, None, None]
        self._pictures[number, :, :height, :width] = torch.from_numpy(picture).permute(2, 0, 1)  # (H, W, 3) → (3, H, W)
        self._on_picture()

    def size(self, frame: FrameReference) -> tuple[int, int]:
        """Height and width of the frame's own picture."""
        return self._sizes[self.index[frame]]

    def plan(self, view: View) -> PlannedCrop:
        """What `cut` needs to know of a view."""
        number, window = torch.tensor(self.index[view.frame]), torch.tensor(view.window[:4], dtype=torch.float32)
        return PlannedCrop(number, window, torch.tensor(view.window.side), torch.tensor(view.flip))

    def cut(self, crops: PlannedCrop) -> Tensor:
        """Cuts a batch of crops that have one side.

        Args:
            crops: Each field with a first dimension B.

        Returns:
            (B, 3, side, side), float, 0 to 255.
        """
        numbers, side = crops.picture, int(crops.side[0])
        windows = crops.window * self._scale[numbers, None]
        line = (torch.arange(side, device=windows.device) + 0.5) / side  # centres of the crop's pixels, 0 to 1
        across = torch.where(crops.flip[:, None], 1 - line, line)  # (B, side)
        x = (windows[:, :1] + windows[:, 2:3] * across)[:, None, :].expand(-1, side, -1)
        y = (windows[:, 1:2] + windows[:, 3:] * line)[:, :, None].expand(-1, -1, side)
        grid = torch.stack((x, y), dim=-1) / self._canvas * 2 - 1  # (B, side, side, 2)
        fill = self._fill[numbers][:, :, None, None]
        cut = functional.grid_sample(self._pictures[numbers] - fill, grid, align_corners=False, padding_mode="zeros")
        return cut + fill
