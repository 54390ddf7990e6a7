"""Tone mapping: pictures of high dynamic range as ordinary screens show them.

The transfer functions are those of ITU-R BT.2100: PQ (SMPTE ST 2084) and HLG (ARIB STD-B67). The brightness is compressed by the curve of
Hable (2010), which FFmpeg offers as well; the colours go from the primaries of BT.2020 to those of BT.709.
"""

from __future__ import annotations

from functools import lru_cache

import av
import numpy as np
from av.video.reformatter import ColorTrc
from numpy.typing import NDArray

from fear.media import pixels
from fear.media.image import Image

_WHITE = 203.0  # cd/m², the brightness of a white sheet of paper (ITU-R BT.2408)
_PEAK = 1000.0  # cd/m², the brightest highlight that is told apart
_BT2020_TO_BT709 = np.array(((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)), np.float32)
_LEVELS = 4096


def tone_mapped(picture: av.VideoFrame) -> Image:
    """The picture as a screen of ordinary range shows it.

    Args:
        picture: Its transfer function is PQ or HLG.

    Returns:
        (H, W, 3), RGB by BT.709.
    """
    deep = np.asarray(picture.to_ndarray(format="rgb48le"), np.uint16)
    light = _light(ColorTrc(picture.color_trc))[deep >> 4]
    light = pixels.mix_channels(light, _BT2020_TO_BT709)
    index = np.sqrt(np.clip(light / (_PEAK / _WHITE), 0, 1)) * (_LEVELS - 1)
    mapped: Image = _curve()[index.astype(np.uint16)]
    return mapped


@lru_cache
def _light(transfer: ColorTrc) -> NDArray[np.float32]:
    """Linear light for each of the coded levels; white paper is 1."""
    coded = np.linspace(0, 1, _LEVELS)
    if transfer == ColorTrc.SMPTE2084:
        m1, m2, c1, c2, c3 = 1305 / 8192, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128
        power = coded ** (1 / m2)
        return (10_000 / _WHITE * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    return (_PEAK / _WHITE * scene**1.2).astype(np.float32)  # the system gamma of a screen of 1000 cd/m²


@lru_cache
def _curve() -> Image:
    """Coded levels of an ordinary screen, for the square root of light between 0 and the peak."""
    light = np.linspace(0, 1, _LEVELS) ** 2 * _PEAK / _WHITE
    mapped = _hable(light) / _hable(np.array(_PEAK / _WHITE))
    coded = np.where(mapped < 0.018, 4.5 * mapped, 1.099 * np.maximum(mapped, 0.018) ** 0.45 - 0.099)
    return np.round(255 * np.clip(coded, 0, 1)).astype(np.uint8)


def _hable(light: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c, d, e, f = 0.15, 0.50, 0.10, 0.20, 0.02, 0.30
    value: NDArray[np.float64] = (light * (a * light + c * b) + d * e) / (light * (a * light + b) + d * f) - e / f
    return value
