"""What of a course a crew cannot fly because the ground is too steep for it, as it turns out when sorties are built."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from missions.errors import TooSteepError
from missions.surroundings import rough_distance_m

__all__ = ["Shut"]

Floats = NDArray[np.float64]


class Shut:
    """Pieces and stations that a crew leaves out.

    Attributes
    ----------
    pieces
        Pieces between two stations that it cannot patrol, shape (n - 1,).
    ends
        Stations at which its sorties neither begin nor end, shape (n,): its ways there are too steep.
    steep, far
        Both of them with what is known to be too steep before any sortie is built.
    """

    def __init__(self, count: int) -> None:
        self.pieces, self.ends = np.zeros(count - 1, dtype=bool), np.zeros(count, dtype=bool)
        self.steep, self.far = self.pieces, self.ends

    def heed(self, error: TooSteepError, begin: int, end: int, at: tuple[Floats, Floats]) -> bool:
        """Leave out what a sortie from station `begin` to `end` could not fly; whether that was not known before.

        `at` is where the stations are, degrees.
        """
        if error.part == "patrol":
            low, high = min(begin, end), max(begin, end)
            middle = [(v[low:high] + v[low + 1 : high + 1]) / 2 for v in at]
            away = rough_distance_m(error.lat_deg, error.lon_deg, *middle)
            which, known = low + int(np.argmin(away)), self.pieces
        else:
            which, known = (begin if error.part == "out" else end), self.ends
        fresh = not known[which]
        known[which] = True
        return fresh
