"""Sorties and the lines beside them, for validation: each in its own projection, lines cut to what is near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod
from shapely import Geometry, LineString, MultiLineString

from missions.border import BorderSegment
from missions.network import Branch
from missions.sortie import Sortie, Waypoint

__all__ = ["About", "Beside", "Edge", "joined", "lat_lon"]

Floats = NDArray[np.float64]

_GEOD = Geod(ellps="WGS84")
_EDGE_DEG = 0.004


@dataclass(frozen=True, slots=True)
class Beside:
    """What of one line lies beside a sortie, degrees; and whether its first and its last run hold an end of it."""

    runs: tuple[Floats, ...]
    ends: tuple[bool, bool]


class About:
    """One sortie in a projection about it.

    Parameters
    ----------
    sortie
        The sortie.

    Attributes
    ----------
    starts, stops
        Both ends of every leg, metres east and north, shape (n, 2).
    low, high
        Its box: least and greatest longitude and latitude, degrees.
    """

    def __init__(self, sortie: Sortie) -> None:
        lat, lon = lat_lon(sortie.way)
        self.low, self.high = np.array([lon.min(), lat.min()]), np.array([lon.max(), lat.max()])
        self._middle = float(lon.mean()), float(lat.mean())
        self.starts = self.xy(*lat_lon([leg.start for leg in sortie.legs]))
        self.stops = self.xy(*lat_lon([leg.end for leg in sortie.legs]))

    def xy(self, lat: Floats, lon: Floats) -> Floats:
        """Metres east and north of the sortie: by the direction and the length of the geodesic to each place."""
        lon, lat = (np.asarray(v, dtype=float) for v in (lon, lat))
        from_lon, from_lat = (np.full_like(lat, v) for v in self._middle)
        azimuth, _, away = _GEOD.inv(from_lon, from_lat, lon, lat)
        angle = np.radians(azimuth)
        return np.stack([away * np.sin(angle), away * np.cos(angle)], axis=-1)


class Edge:
    """A line in small steps of degrees, to cut from."""

    def __init__(self, line: BorderSegment | Branch) -> None:
        self._of = line
        vertices = np.array(line.unwrapped())
        dense = [vertices[:1]]
        for a, b in pairwise(vertices):
            count = max(1, int(np.ceil(np.hypot(*(b - a)) / _EDGE_DEG)))
            dense.append(a + np.arange(1, count + 1)[:, None] / count * (b - a))
        self._line = np.concatenate(dense)
        # Each by itself: of rows of two numbers it takes longer to see whether both are within a box.
        self._lon, self._lat = np.ascontiguousarray(self._line.T)

    def beside(self, sortie: Sortie) -> Beside:
        """What of the line lies beside a sortie."""
        if isinstance(self._of, BorderSegment) and self._of.is_ring:
            return Beside((self._line,), (False, False))
        lat, lon = lat_lon(sortie.way)
        middle = float(self._line[:, 0].mean())
        lon = middle + (lon - middle + 180.0) % 360.0 - 180.0
        for room in (0.1, 0.5, 2.0):
            low = np.array([lon.min(), lat.min()]) - room / np.cos(np.radians(lat.mean()))
            high = np.array([lon.max(), lat.max()]) + room / np.cos(np.radians(lat.mean()))
            inside = (self._lon >= low[0]) & (self._lon <= high[0]) & (self._lat >= low[1]) & (self._lat <= high[1])
            if inside.any():
                break
        # A vertex more at each side, for the edges that come in.
        inside |= np.roll(inside, 1) | np.roll(inside, -1)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
        spans = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1]
        ends = bool(spans) and spans[0][0] == 0, bool(spans) and spans[-1][1] == len(self._line)
        return Beside(tuple(self._line[a:b] for a, b in spans), ends)


def lat_lon(points: Sequence[Waypoint]) -> tuple[Floats, Floats]:
    """Latitudes and longitudes, degrees; longitudes run on across the antimeridian."""
    lat, lon = np.array([p.lat_deg for p in points]), np.array([p.lon_deg for p in points])
    return lat, lon[0] + (lon - lon[0] + 180.0) % 360.0 - 180.0


def joined(lines: Sequence[Floats]) -> Geometry:
    """Lines as one geometry, from arrays: by lists a line of fifty thousand vertices takes half a second."""
    if not lines:
        return MultiLineString()
    return MultiLineString([LineString(line) for line in lines])
