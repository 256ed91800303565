"""Pictures of more than 8 bits in the 256 shades that detectors look at.

Thermal cameras write counts or degrees: a scene takes a few hundred of 65,536 values, and its upper 8 bits show one
shade. So each picture of one channel is stretched over what it holds, as such cameras do for a screen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["shades"]

# Cut at either end, share of the pixels: dead ones and the sun. A person far away takes as little as that times ten.
_CUT = 2e-5
# Of whole numbers, the least that is stretched over all shades: less is the noise of a picture that shows nothing.
_LEAST_SPAN = 64


def shades(image: NDArray[Any]) -> NDArray[np.uint8]:
    """A picture of 16 bits or floats as (height, width, 3), uint8.

    Parameters
    ----------
    image
        Shape (height, width), or (height, width, channels) blue-green-red, whose channels count only where they differ.
        What is no finite number is as dark as the darkest.
    """
    channels = image[..., :3] if image.ndim == 3 and image.shape[2] >= 3 else None
    if channels is not None and (channels != channels[..., :1]).any():  # colour: the eye's own range
        top = np.iinfo(image.dtype).max if np.issubdtype(image.dtype, np.integer) else float(np.nanmax(channels)) or 1.0
        return np.asarray(np.clip(np.nan_to_num(channels / top * 255), 0, 255).round(), dtype=np.uint8)
    grey = np.asarray(image if image.ndim == 2 else image[..., 0], dtype=np.float64)
    known = grey[np.isfinite(grey)]
    if not known.size:
        return np.zeros((*grey.shape, 3), np.uint8)
    cut = round(_CUT * known.size)
    low, high = np.partition(known, (cut, known.size - 1 - cut))[[cut, known.size - 1 - cut]]
    span = max(high - low, _LEAST_SPAN) if np.issubdtype(image.dtype, np.integer) else high - low
    stretched = np.nan_to_num(grey - low, nan=0.0, posinf=0.0, neginf=0.0) * (255 / span if span > 0 else 0.0)
    one = np.clip(stretched, 0, 255).round().astype(np.uint8)
    return np.repeat(one[..., None], 3, axis=2)
