"""The ground that a vehicle stands on, flies over and may hit: heights of terrain in the frame of its flight.

As in ArduPilot's SITL the ground at home is where home is said to be, and elsewhere as much higher as the terrain is
higher there: a shift between two data of heights lifts no vehicle off its pad.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf
from pathlib import Path

import numpy as np

import geo
from geo import TerrainError
from sim.flight_frame import FlightFrame
from sim.flight_posts import Posts

__all__ = ["Ground", "opened"]

# High above all ground nearby nothing has to be known to the centimetre.
_CLEAR_M = 60.0
_PATCH_STEPS = 16.0
_PATCH_M = (32.0, 480.0)
_SPARE_M = 5.0


@lru_cache(maxsize=4)
def opened(path: Path) -> Posts:
    """Terrain of a file or folder, one for all vehicles; raises TerrainError when there is none."""
    return Posts(geo.TileTerrain(path))


class Ground:
    """Height of the ground against a vehicle's pad, metres, up.

    A look-up costs as much as a step of a flight, so it is left out where the vehicle is high above the highest
    ground of the patch around it: its samples, a resolution's half apart, with twice the largest difference between two
    neighbours on top.

    Parameters
    ----------
    terrain
        Its elevations.
    frame
        Of the flight; its origin is the pad.

    Attributes
    ----------
    ended
        Whether the vehicle has been where there are no data: there the ground is as high as it last was.

    Raises
    ------
    TerrainError
        When there are no data at the pad.
    """

    def __init__(self, terrain: Posts, frame: FlightFrame) -> None:
        self._terrain = terrain
        self._frame = frame
        self._zero_m = terrain.at(frame.lat_deg, frame.lon_deg)
        self._half_m = min(max(_PATCH_STEPS * terrain.resolution_m, _PATCH_M[0]), _PATCH_M[1])
        self._patch = (inf, inf)
        self._ceiling_m = inf
        self._last_m = 0.0
        self.ended = False

    def at(self, e: float, n: float) -> float:
        """Height at a place, metres; the last known where there are no data."""
        try:
            elevation = self._terrain.at(*self._frame.to_geodetic(e, n))
        except TerrainError:
            self.ended = True
            return self._last_m
        self._last_m = elevation - self._zero_m
        return self._last_m

    def below(self, e: float, n: float, u: float) -> float:
        """Height below a vehicle; from high above any ground nearby that of an earlier moment will do."""
        if abs(e - self._patch[0]) > 0.5 * self._half_m or abs(n - self._patch[1]) > 0.5 * self._half_m:
            self._patch = (e, n)
            self._ceiling_m = self._ceiling(e, n)
        return self._last_m if u > self._ceiling_m else self.at(e, n)

    def _ceiling(self, e: float, n: float) -> float:
        half = self._half_m
        south, west = self._frame.to_geodetic(e - half, n - half)
        north, east = self._frame.to_geodetic(e + half, n + half)
        count = 2 * int(2.0 * half / max(self._terrain.resolution_m, 1.0)) + 2
        try:
            heights = self._terrain.elevation_m(
                np.linspace(south, north, count)[:, None], np.linspace(west, east, count)[None, :]
            )
        except TerrainError:
            return inf
        steepest = max(float(np.abs(np.diff(heights, axis=axis)).max()) for axis in (0, 1))
        return float(heights.max()) - self._zero_m + 2.0 * steepest + _SPARE_M + _CLEAR_M
