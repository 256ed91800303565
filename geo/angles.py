"""Turns, and differences of longitude, the shorter way round."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["longitude_between", "shorter_turn"]

Floats = NDArray[np.float64]
_Degrees = TypeVar("_Degrees", float, NDArray[np.float64])


def shorter_turn(deg: _Degrees) -> _Degrees:
    """A turn, or how far one longitude is east of another: the same in degrees within [-180, 180)."""
    return (deg + 180.0) % 360.0 - 180.0


def longitude_between(start_deg: ArrayLike, stop_deg: ArrayLike, share: ArrayLike) -> Floats:
    """Longitudes at shares of the shorter way from one to another, degrees within [-180, 180), all broadcast."""
    start, stop = np.asarray(start_deg, dtype=float), np.asarray(stop_deg, dtype=float)
    return shorter_turn(np.asarray(start + np.asarray(share, dtype=float) * shorter_turn(np.asarray(stop - start))))
