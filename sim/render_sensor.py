"""What a sensor makes of the light that reaches it: optics, gain, noise, sharpening."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["DAY_LOOK", "Look", "Sensor"]

Singles = NDArray[np.float32]

_WHITE = 249.0
"""Greys above this saturate, so that the noise still shows in the warmest places as it does in real cameras."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a camera renders a scene; the defaults are a thermal camera at night.

    Parameters
    ----------
    level
        Grey of ground at its mean (thermal), or the exposure as a share of the usual (day).
    gain
        Greys between the mean of the ground and a warm person's skin (thermal); contrast, 1 for none (day).
    ground_contrast
        Factor on the variation of the ground (thermal).
    body_contrast
        Factor on the warmth of people and animals (thermal): low on a hot day, negative where they are the cooler.
    shade
        Light that a shadow takes away: additive in thermal units (thermal), a share (day).
    sun
        Metres east and north that a shadow reaches for each metre of height.
    blur_px
        One-sigma blur of the optics, pixels.
    sharpen
        Strength of the sharpening that draws dark rims round warm bodies.
    noise
        One-sigma noise, greys.
    vignette
        Share of light lost in the corners.
    """

    level: float = 124.0
    gain: float = 122.0
    ground_contrast: float = 1.3
    body_contrast: float = 1.0
    shade: float = 0.0
    sun: tuple[float, float] = (0.7, 0.5)
    blur_px: float = 0.75
    sharpen: float = 0.55
    noise: float = 1.6
    vignette: float = 0.05


DAY_LOOK = Look(level=1.0, gain=1.0, shade=0.55, blur_px=0.55, sharpen=0.5, noise=2.0, vignette=0.06)


class Sensor:
    """Turns radiance into greys, with noise that depends on the seed and the time alone.

    Parameters
    ----------
    width_px, height_px
        Image size, pixels.
    look
        How it renders.
    seed
        Chooses the noise.
    """

    def __init__(self, width_px: int, height_px: int, look: Look, seed: int) -> None:
        self._look = look
        self._seed = seed
        self._size = (height_px, width_px)
        bank = np.random.default_rng([seed, 0x5E50]).standard_normal((height_px + 256, width_px + 256), np.float32)
        self._noise = bank * np.float32(look.noise)
        columns = np.random.default_rng([seed, 0xF1]).standard_normal((1, width_px)).astype(np.float32)
        self._pattern = columns * np.float32(0.25 * look.noise)
        y, x = np.mgrid[-1 : 1 : height_px * 1j, -1 : 1 : width_px * 1j]
        self._falloff = (1 - look.vignette * (x**2 + y**2) / 2).astype(np.float32)

    def expose(self, radiance: Singles, time_us: int) -> NDArray[np.uint8]:
        """Greys, uint8, of radiance in thermal units, shape (h, w), or in RGB greys, shape (h, w, 3)."""
        look, (height, width) = self._look, self._size
        rng = np.random.default_rng([self._seed, time_us & 0xFFFFFFFFFFFF, 0x7E])
        dy, dx = (int(v) for v in rng.integers(0, 256, 2))
        noise = self._noise[dy : dy + height, dx : dx + width]
        if radiance.ndim == 2:
            picture = np.asarray(cv2.GaussianBlur(radiance, (0, 0), look.blur_px))
            picture *= np.float32(look.gain)
            picture *= self._falloff
            picture += np.float32(look.level)
            noise = noise + self._pattern
        else:
            picture = np.asarray(cv2.GaussianBlur(radiance, (0, 0), look.blur_px))
            picture -= np.float32(118.0)
            picture *= np.float32(look.gain)
            picture += np.float32(118.0)
            picture *= np.float32(look.level) * self._falloff[..., None]
            noise = noise[..., None]
        if look.sharpen > 0:
            soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.6))
            picture = np.asarray(cv2.addWeighted(picture, 1 + look.sharpen, soft, -look.sharpen, 0.0))
        np.minimum(picture, np.float32(_WHITE), out=picture)
        picture += noise
        return np.asarray(cv2.convertScaleAbs(np.maximum(picture, 0, out=picture)))
