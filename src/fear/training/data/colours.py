"""Changes of light, colour and sharpness of crops in the memory of the processor, by OpenCV.

`photometric` makes the same changes to batches on a graphics card. On one core that takes half a second for eight samples, more than the
step of the network; this takes some hundredths. All colour changes of a crop are one affine function of its colours.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from fear.media.image import Image
from fear.training.data.batch import SampleCrops
from fear.training.sections import PhotometricSection

# strengths, our choice
BRIGHTNESS, CONTRAST, SATURATION = 0.3, 0.3, 0.4
"""Largest change of the brightness, as a share of white, and largest distance of the other factors from 1."""
WARMTH = 0.3
"""Share of the colour changes that also make the light warmer or colder."""
BLUR_SPREAD = (0.3, 2.0)
"""Spread of the blur, in pixels."""
NOISE_SPREAD = 0.04
"""Spread of the noise, as a share of white."""
_MOTION_LENGTH = (3, 12)  # pixels
_WARMTH_SPREAD = 0.25  # largest logarithm of the factor of red, and of the divisor of blue
_GREY = np.array((0.299, 0.587, 0.114))  # ITU-R BT.601

Affine = NDArray[np.float64]
"""(3, 4): new red, green and blue, 0 to 255, from the old ones and 1."""


def change_crops(crops: SampleCrops[Image], options: PhotometricSection, rng: np.random.Generator) -> SampleCrops[Image]:
    """Changes all crops of a sample alike, then each crop alone.

    Args:
        crops: (side, side, 3) each.
        options: Probabilities of the changes.
        rng: Draws the changes.
    """
    joint = _colour_change(options.joint, rng)
    if rng.random() < options.grey:
        joint = _then(joint, _saturation(0.0))
    return crops.map(lambda crop: _change(crop, _then(joint, _colour_change(options.each, rng)), options, rng))


def _change(crop: Image, colours: Affine, options: PhotometricSection, rng: np.random.Generator) -> Image:
    if not np.array_equal(colours, np.eye(3, 4)):
        crop = cv2.transform(crop, colours)  # type: ignore[assignment]
    if rng.random() < options.blur:
        crop = cv2.GaussianBlur(crop, (5, 5), rng.uniform(*BLUR_SPREAD))  # type: ignore[assignment]
    if rng.random() < options.motion:
        crop = cv2.filter2D(crop, -1, motion_kernel(rng.uniform(*_MOTION_LENGTH), rng.uniform(0, math.pi)))  # type: ignore[assignment]
    if rng.random() < options.noise:
        noise = rng.standard_normal(crop.shape, np.float32) * (255 * NOISE_SPREAD)
        crop = (crop + noise).clip(0, 255).astype(np.uint8)
    return crop


def motion_kernel(length: float, angle: float) -> NDArray[np.float32]:
    """A line through the centre with sum 1, which blurs as a movement does.

    Args:
        length: In pixels.
        angle: Of the movement, in radians.

    Returns:
        (K, K), where K is odd and at least the length.
    """
    size = 2 * math.ceil(length / 2) + 1
    middle, fine = size // 2, 16  # OpenCV counts fractions of a pixel as sixteenths
    across, down = math.cos(angle) * length / 2, math.sin(angle) * length / 2
    ends = [(round((middle + sign * across) * fine), round((middle + sign * down) * fine)) for sign in (-1, 1)]
    kernel = np.zeros((size, size), np.uint8)
    cv2.line(kernel, ends[0], ends[1], 255, 1, cv2.LINE_AA, 4)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _colour_change(share: float, rng: np.random.Generator) -> Affine:
    """Brightness, contrast, saturation and warmth, each with a probability of `share`."""
    change: Affine = np.eye(3, 4)
    if rng.random() < share:
        change[:, 3] += 255 * rng.uniform(-BRIGHTNESS, BRIGHTNESS)
    if rng.random() < share:
        change = _then(change, np.eye(3, 4) * rng.uniform(1 - CONTRAST, 1 + CONTRAST))
    if rng.random() < share:
        change = _then(change, _saturation(rng.uniform(1 - SATURATION, 1 + SATURATION)))
    if rng.random() < share * WARMTH:
        warmth = math.exp(rng.uniform(-_WARMTH_SPREAD, _WARMTH_SPREAD))
        change = _then(change, np.diag((warmth, 1.0, 1 / warmth)) @ np.eye(3, 4))
    return change


def _saturation(factor: float) -> Affine:
    """Moves colours towards their grey, or away from it; 0 leaves grey alone."""
    change: Affine = np.eye(3, 4) * factor
    change[:, :3] += (1 - factor) * _GREY
    return change


def _then(first: Affine, second: Affine) -> Affine:
    """Both changes as one."""
    both: Affine = second[:, :3] @ first
    both[:, 3] += second[:, 3]
    return both
