"""Where wings stay: circles about a place, come to and left along tangents."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Circle"]

Floats = NDArray[np.float64]

_STEP_RAD = math.radians(30.0)
_OUTSIDE = 1.05
"""Tangents are drawn from places at least so many radii away: nearer ones touch almost where they begin."""


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle that is flown round.

    Parameters
    ----------
    centre
        Metres, shape (2,).
    radius_m
        Its radius, metres.
    side
        1 where it is flown anticlockwise, -1 clockwise.
    """

    centre: Floats
    radius_m: float
    side: int

    def flown(self, way: Floats, home: Floats, laps: int) -> tuple[Floats, Floats, Floats] | None:
        """A way to the centre, what is flown round it, and a way home from the centre, led along the circle.

        Parameters
        ----------
        way, home
            Vertices, metres, shape (n, 2); the first ends at the centre, the second begins there.
        laps
            How many times it is flown round beside the part of a lap that leads from the one way to the other.

        Returns
        -------
        tuple of numpy.ndarray or None
            The way up to where it touches the circle, the vertices round it from there to where it is left, and the way
            home from there. None where a way does not leave the circle.

        Notes
        -----
        With D the distance of a place from the centre its tangents touch the circle at the angles acos(R / D) to
        either side of the direction of the place; which of them is flown along depends on the side and on whether it is
        come from or left for.
        """
        come, left = self._outside(way[:-1]), self._outside(home[:0:-1])
        if come is None or left is None:
            return None
        begin, end = self._touch(come[-1], -self.side), self._touch(left[-1], self.side)
        turn = (self.side * (end - begin)) % (2 * math.pi) + 2 * math.pi * laps
        count = max(1, math.ceil(turn / _STEP_RAD))
        angles = begin + self.side * turn * np.arange(count + 1) / count
        ring = self.centre + self.radius_m * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        return np.concatenate([come, ring[:1]]), ring, np.concatenate([ring[-1:], left[::-1]])

    def lap(self) -> Floats:
        """Vertices of one lap, metres, shape (n, 2)."""
        angles = self.side * np.arange(0.0, 2 * math.pi + _STEP_RAD / 2, _STEP_RAD)
        return np.asarray(self.centre + self.radius_m * np.stack([np.cos(angles), np.sin(angles)], axis=-1))

    def _outside(self, way: Floats) -> Floats | None:
        """A way, up to its last vertex that a tangent can be drawn from."""
        away = np.hypot(*(way - self.centre).T) if len(way) else np.empty(0)
        far = np.flatnonzero(away >= _OUTSIDE * self.radius_m)
        return way[: far[-1] + 1] if len(far) else None

    def _touch(self, place: Floats, sense: int) -> float:
        """Angle about the centre, radians from east, at which one of the tangents through a place touches.

        From where it is come the circle goes on in its own sense, so that the touch lies back from the direction of the
        place; to where it is left for, ahead of it.
        """
        off = place - self.centre
        away = float(np.hypot(*off))
        return math.atan2(off[1], off[0]) - sense * math.acos(self.radius_m / away)
