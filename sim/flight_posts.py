"""Elevations of terrain one at a time, in plain floats: a look-up in arrays costs as much as three steps of a flight.

A grid of elevations is bilinear between its posts, so that four of them are all there is to know of a cell. Cells are
cut where posts of whole fractions of a degree are, as those of SRTM; one that three of its inner points contradict, of
data whose posts lie elsewhere, is looked up in the data each time.
"""

from __future__ import annotations

from math import floor, isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import Terrain, TerrainError

__all__ = ["Posts"]

_DEGREE_M = 111_132.0  # as `Terrain.resolution_m` counts
_MOST_CELLS = 50_000
_NORTH = np.array([0.0, 0.0, 1.0, 1.0, 0.25, 0.5, 0.8])
_EAST = np.array([0.0, 1.0, 0.0, 1.0, 0.5, 0.8, 0.3])
_SAME_M = 1e-4

Cell = tuple[float, float, float, float]


class Posts:
    """Terrain that answers for single places as well; a `geo.Terrain` itself.

    Parameters
    ----------
    terrain
        The data.
    """

    def __init__(self, terrain: Terrain) -> None:
        self._terrain = terrain
        self._a_degree = _DEGREE_M / terrain.resolution_m
        if abs(self._a_degree - round(self._a_degree)) < 1e-6:
            self._a_degree = float(round(self._a_degree))
        self._cells: dict[tuple[int, int], Cell | None] = {}

    @property
    def resolution_m(self) -> float:
        """Of the data."""
        return self._terrain.resolution_m

    def elevation_m(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float64]:
        """Elevations of the data at many places."""
        return self._terrain.elevation_m(lat_deg, lon_deg)

    def known_elevation_m(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float64]:
        """The same; NaN where there are no data."""
        return self._terrain.known_elevation_m(lat_deg, lon_deg)

    def lack(self, lat_deg: float, lon_deg: float) -> str:
        """What the data lack at a place."""
        return self._terrain.lack(lat_deg, lon_deg)

    def at(self, lat_deg: float, lon_deg: float) -> float:
        """Elevation at one place, metres AMSL; raises TerrainError where there are no data."""
        if not (self._a_degree > 0.0 and isfinite(lat_deg) and isfinite(lon_deg)):
            return float(self._terrain.elevation_m(lat_deg, lon_deg))
        north, east = lat_deg * self._a_degree, lon_deg * self._a_degree
        row, column = floor(north), floor(east)
        key = (row, column)
        cell = self._cells[key] if key in self._cells else self._load(key)
        if cell is None:
            return float(self._terrain.elevation_m(lat_deg, lon_deg))
        north -= row
        west = cell[0] + north * (cell[2] - cell[0])
        return west + (east - column) * (cell[1] + north * (cell[3] - cell[1]) - west)

    def _load(self, key: tuple[int, int]) -> Cell | None:
        if len(self._cells) >= _MOST_CELLS:
            self._cells.clear()
        try:
            found = self._terrain.elevation_m((key[0] + _NORTH) / self._a_degree, (key[1] + _EAST) / self._a_degree)
        except TerrainError:
            self._cells[key] = None
            return None
        four = (float(found[0]), float(found[1]), float(found[2]), float(found[3]))
        for north, east, height in zip(_NORTH[4:], _EAST[4:], found[4:], strict=True):
            west, right = four[0] + north * (four[2] - four[0]), four[1] + north * (four[3] - four[1])
            if not abs(west + east * (right - west) - height) <= _SAME_M:
                self._cells[key] = None
                return None
        self._cells[key] = four
        return four
