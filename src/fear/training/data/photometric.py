"""Changes of light, colour and sharpness, in batches on the device, by kornia.

Joint changes are the same for all crops of a sample: another camera, another evening. Changes of each crop alone teach the network that the
target may look different a second later.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from fear.training.recipe import Photometric

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # kornia's own imports warn of torch's scripting
    from kornia import augmentation


class PhotometricChange:
    """Applies the changes of a recipe.

    Args:
        options: Shares of crops and strengths.
    """

    def __init__(self, options: Photometric) -> None:
        def around_one(spread: float) -> tuple[float, float]:
            return 1 - spread, 1 + spread

        def colours(share: float) -> list[augmentation.IntensityAugmentationBase2D]:
            return [
                augmentation.RandomBrightness(around_one(options.brightness), p=share),
                augmentation.RandomContrast(around_one(options.contrast), p=share),
                augmentation.RandomSaturation(around_one(options.saturation), p=share),
                augmentation.RandomPlanckianJitter(p=share * options.warmth),
            ]

        self._joint = [*colours(options.joint), augmentation.RandomGrayscale(p=options.grey)]
        self._each = [
            *colours(options.each),
            augmentation.RandomGaussianBlur((5, 5), (0.3, 2.0), p=options.blur),
            augmentation.RandomMotionBlur((3, 9), 45.0, 0.5, p=options.motion),
            augmentation.RandomGaussianNoise(std=options.noise_spread, p=options.noise),
        ]

    @torch.no_grad()
    def __call__(self, groups: tuple[Tensor, ...], seed: int) -> tuple[Tensor, ...]:
        """Changes groups of crops, (B, 3, H, W) each, 0 to 255, row k of each from the same sample.

        Args:
            groups: Such as templates and searches; sides may differ from group to group.
            seed: The same seed makes the same changes.
        """
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            changed = [crops.float() / 255 for crops in groups]
            for change in self._joint:
                parameters = change.forward_parameters(changed[0].shape)
                changed = [change(crops, params=parameters) for crops in changed]
            for change in self._each:
                changed = [change(crops) for crops in changed]
            return tuple((crops * 255).clamp(0, 255).contiguous(memory_format=torch.channels_last) for crops in changed)
