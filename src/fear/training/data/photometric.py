"""Changes of light, colour and sharpness, in batches on the device, by kornia. `colours` changes crops on the processor.

A joint change is the same for all crops of a sample, as if another camera had filmed it. Changes of single crops teach the network that the
target may look different a second later.
"""

from __future__ import annotations

import warnings
from functools import partial

import torch
from torch import Tensor

from fear.training.data.batch import SampleCrops
from fear.training.data.colours import BLUR_SPREAD, BRIGHTNESS, CONTRAST, NOISE_SPREAD, SATURATION, WARMTH
from fear.training.sections import PhotometricSection

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # kornia warns about torch's scripting when it is imported
    from kornia import augmentation


_BLUR_KERNEL = (5, 5)  # pixels
_MOTION_KERNEL, _MOTION_ANGLE, _MOTION_DIRECTION = (3, 9), 45.0, 0.5  # pixels, degrees, from 0 (symmetric) to 1


def _colour_changes(share: float) -> list[augmentation.IntensityAugmentationBase2D]:
    return [
        augmentation.RandomBrightness((1 - BRIGHTNESS, 1 + BRIGHTNESS), p=share),
        augmentation.RandomContrast((1 - CONTRAST, 1 + CONTRAST), p=share),
        augmentation.RandomSaturation((1 - SATURATION, 1 + SATURATION), p=share),
        augmentation.RandomPlanckianJitter(p=share * WARMTH),
    ]


class PhotometricChange:
    """Applies the changes of a recipe.

    Args:
        options: Probabilities of the changes.
    """

    def __init__(self, options: PhotometricSection) -> None:
        self._joint = [*_colour_changes(options.joint), augmentation.RandomGrayscale(p=options.grey)]
        self._each = [
            *_colour_changes(options.each),
            augmentation.RandomGaussianBlur(_BLUR_KERNEL, BLUR_SPREAD, p=options.blur),
            augmentation.RandomMotionBlur(_MOTION_KERNEL, _MOTION_ANGLE, _MOTION_DIRECTION, p=options.motion),
            augmentation.RandomGaussianNoise(std=NOISE_SPREAD, p=options.noise),
        ]

    @torch.no_grad()
    def __call__(self, crops: SampleCrops[Tensor], seed: int) -> SampleCrops[Tensor]:
        """Changes a batch.

        Args:
            crops: (B, 3, side, side) each, 0 to 255; sides may differ from crop to crop.
            seed: The same seed makes the same changes.

        Returns:
            The same shapes, float, 0 to 255.
        """
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            changed = crops.map(lambda one: one.float() / 255)
            for change in self._joint:
                changed = changed.map(partial(change, params=change.forward_parameters(changed.static_template.shape)))
            for change in self._each:
                changed = changed.map(change)
            return changed.map(lambda one: (one * 255).clamp(0, 255).contiguous(memory_format=torch.channels_last))
