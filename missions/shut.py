"""What of a course a crew cannot fly: the ground is too steep for it, or not known, or there is no room to turn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from missions.errors import TooSharpError, UnflyableError, UnknownGroundError
from missions.surroundings import rough_distance_m

__all__ = ["Shut"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Shut:
    """Pieces and stations that a crew leaves out.

    Attributes
    ----------
    pieces
        Pieces between two stations that turned out, when sorties were built, to be none it can patrol, shape (n - 1,).
    ends
        Stations at which its sorties neither begin nor end, shape (n,): so it turned out for its ways there.
    steep, far
        Pieces that are too steep for it, and stations to which its ways are, known before or as it turned out.
    blank, blank_ends
        Pieces and stations likewise of which, or of the ways there, the elevation is not known.
    tight
        Stations likewise at which its wings have no room to turn into the patrol, or out of it.
    off_runway
        Those of them of which it is the turn off the runway, or on to it, that has no room.
    cornered
        Those of them of which it is a corner of the way that has none.
    over, on_way
        Where there is none, degrees: a place by each piece and each station of which that turned out when sorties were
        built.
    """

    def __init__(self, count: int) -> None:
        self.pieces, self.ends = np.zeros(count - 1, dtype=bool), np.zeros(count, dtype=bool)
        self._unknown, self._unknown_ends = self.pieces.copy(), self.ends.copy()
        self.steep, self.far = self.pieces, self.ends
        self.blank, self.blank_ends = self.pieces, self.ends
        self.tight, self.off_runway, self.cornered = np.zeros((3, count), dtype=bool)
        self.over: dict[int, tuple[float, float]] = {}
        self.on_way: dict[int, tuple[float, float]] = {}

    def note(self, steep: Bools, far: Bools, blank: Bools, blank_ends: Bools) -> None:
        """Take note of what is known before any sortie is built."""
        self.steep = steep | (self.pieces & ~self._unknown)
        self.far = far | (self.ends & ~self._unknown_ends & ~self.tight)
        self.blank, self.blank_ends = blank | self._unknown, blank_ends | self._unknown_ends

    def heed(self, error: UnflyableError, begin: int, end: int, at: tuple[Floats, Floats]) -> bool:
        """Leave out what a sortie from station `begin` to `end` could not fly; whether that was not known before.

        `at` is where the stations are, degrees.
        """
        if error.part == "patrol":
            low, high = min(begin, end), max(begin, end)
            middle = [(v[low:high] + v[low + 1 : high + 1]) / 2 for v in at]
            away = rough_distance_m(error.lat_deg, error.lon_deg, *middle)
            which, known, unknown, places = low + int(np.argmin(away)), self.pieces, self._unknown, self.over
        else:
            which = begin if error.part == "out" else end
            known, unknown, places = self.ends, self._unknown_ends, self.on_way
        fresh = not known[which]
        known[which] = True
        if isinstance(error, TooSharpError):
            self.tight[which] = True
            self.off_runway[which], self.cornered[which] = error.at_runway, error.at_corner
        if isinstance(error, UnknownGroundError):
            unknown[which] = True
            places.setdefault(which, (error.lat_deg, error.lon_deg))
        return fresh

    def narrow(self, stations: slice, *, at_runway: bool, at_corner: bool) -> None:
        """Leave out as ends stations beside one at which there is no room to turn, where there is none either."""
        fresh = ~self.ends[stations]
        self.tight[stations] |= fresh
        self.off_runway[stations] |= fresh & at_runway
        self.cornered[stations] |= fresh & at_corner
        self.ends[stations] = True
