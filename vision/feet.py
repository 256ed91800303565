"""How far the foot of a box can be trusted: what hides the legs of a person cuts the box short.

The place of an object is that of its foot. A box that is shorter than the object's own boxes shortly before and after
ends at a wall, a car or another person's back: its lower edge says little. The measurement stays, with its error as
large as the piece that is missing.
"""

from __future__ import annotations

from bisect import bisect_left, insort

import numpy as np
from numpy.typing import NDArray

from vision.types import Track

__all__ = ["FOOT_PX", "FOOT_SHARE", "foot_doubt"]

Floats = NDArray[np.float64]

FOOT_SHARE, FOOT_PX = 0.03, 1.0
"""One sigma of where a foot is in its box, in shares of the box's height, and least pixels."""

_AROUND_S = 2.0
_WHOLE = 0.75
"""Quantile of the heights about a moment that is the whole object's: a quarter of the boxes may show all of it."""

_STRIDE = 0.15
"""Share of its height by which a whole object's box changes as it walks and turns."""


def foot_doubt(track: Track) -> Floats:
    """Factors, shape (n,), 1 or more, by which the variances of the feet of a track are larger than of whole objects.

    A box that lacks m pixels of the whole object's height, and that is more than a walk takes off it, has a sigma of
    sqrt(s² + m²) instead of s, which is that of a whole object's foot.
    """
    heights = np.array([o.detection.size[1] for o in track.observations])
    times = np.array([o.time_us for o in track.observations], dtype=np.int64)
    whole = _whole(heights, times)
    missing = np.where(heights < (1 - _STRIDE) * whole, whole - heights, 0.0)
    return np.asarray(1.0 + (missing / np.maximum(FOOT_PX, FOOT_SHARE * heights)) ** 2)


def _whole(heights: Floats, times: NDArray[np.int64]) -> Floats:
    """Height of the whole object at each time, by a window that slides over the boxes in order of height."""
    around_us = round(_AROUND_S * 1e6)
    begin = np.searchsorted(times, times - around_us).tolist()
    end = np.searchsorted(times, times + around_us, side="right").tolist()
    values, window = heights.tolist(), list[float]()
    out = np.empty(len(values))
    first = last = 0
    for k, (a, b) in enumerate(zip(begin, end, strict=True)):
        for value in values[last:b]:
            insort(window, value)
        for value in values[first:a]:
            del window[bisect_left(window, value)]
        first, last = a, b
        out[k] = window[int(_WHOLE * (len(window) - 1))]
    return out
