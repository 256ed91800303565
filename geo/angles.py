"""Turns, and differences of longitude, the shorter way round."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["shorter_turn"]

_Degrees = TypeVar("_Degrees", float, NDArray[np.float64])


def shorter_turn(deg: _Degrees) -> _Degrees:
    """A turn, or how far one longitude is east of another: the same in degrees within [-180, 180)."""
    return (deg + 180.0) % 360.0 - 180.0
