"""The plane in which a plan is made: east and north of the middle of its border, metres."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import LocalFrame, shorter_turn
from missions.border import BorderSegment

__all__ = ["Chart", "Plane"]

Floats = NDArray[np.float64]

_EARTH_M = 6.371e6
_DESCENTS = 4
"""How often a point of the plane is brought nearer to the ellipsoid, most."""

_ACROSS_M = 1e-9
"""What that may leave out across, metres: far less than what coordinates are rounded to."""


class Plane:
    """Points of the ellipsoid projected on the tangent plane in the middle of a border.

    A distance in it is never longer than the true one (the projection only shortens), so what keeps its distance here
    keeps it on the ground; at 200 km from the middle it is 0.05 % short.
    """

    def __init__(self, border: BorderSegment) -> None:
        self.frame = LocalFrame(*border.centre())

    @classmethod
    def of(cls, border: BorderSegment) -> Plane:
        """The plane of the middle of a border."""
        return cls(border)

    @classmethod
    def at(cls, lat_deg: float, lon_deg: float) -> Plane:
        """The plane of a place, degrees."""
        plane = cls.__new__(cls)
        plane.frame = LocalFrame(lat_deg, shorter_turn(lon_deg))
        return plane

    def xy(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """East and north, metres, shape (..., 2)."""
        east, north, _ = self.frame.to_enu(lat_deg, lon_deg)
        return np.stack([east, north], axis=-1)

    def lat_lon(self, xy: ArrayLike) -> tuple[Floats, Floats]:
        """Latitude and longitude, degrees, of points, shape (..., 2)."""
        points = np.asarray(xy, dtype=float)
        away = np.hypot(points[..., 0], points[..., 1])
        # The ellipsoid falls away from the plane: go down about as far as to a sphere, then the rest, until what is
        # left moves nothing across.
        up = -(away**2) / (2 * _EARTH_M)
        leaning = float(np.max(away, initial=0.0)) / _EARTH_M
        for _ in range(_DESCENTS):
            lat, lon, height = self.frame.to_geodetic(points[..., 0], points[..., 1], up)
            if float(np.max(np.abs(height), initial=0.0)) * leaning <= _ACROSS_M:
                break
            up = up - height
        return lat, lon

    def lat_lon_near(self, xy: ArrayLike, lon_deg: float) -> tuple[Floats, Floats]:
        """As `lat_lon`, with longitudes within half a turn of `lon_deg`: they run on across the antimeridian."""
        lat, lon = self.lat_lon(xy)
        return lat, lon_deg + shorter_turn(lon - lon_deg)


class Chart:
    """Degrees scaled to metres east and north of a place: what is straight in degrees is straight here.

    Borders and zones run straight in degrees between their vertices (RFC 7946), and autopilots try the edges of a fence
    in degrees, so one that holds another here holds it in the air. Metres are those of the place: 25 km north of it
    those to the east are out by tan(latitude) times 0.4 %.
    """

    def __init__(self, lat_deg: float, lon_deg: float) -> None:
        self._lat, self._lon = lat_deg, lon_deg
        # Radii of curvature of WGS 84 along the meridian and across it.
        square = 1.0 - 0.00669437999014 * math.sin(math.radians(lat_deg)) ** 2
        self._north = math.radians(6_335_439.327) / square**1.5
        self._east = math.radians(6_378_137.0) / math.sqrt(square) * math.cos(math.radians(lat_deg))

    def xy(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """East and north, metres, shape (..., 2); longitudes run on over the antimeridian from that of the place."""
        lon = self._lon + shorter_turn(np.asarray(lon_deg, dtype=float) - self._lon)
        return self.unwrapped(lat_deg, lon)

    def unwrapped(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """As `xy`, of longitudes that run on already: a line far around the globe stays in one piece."""
        lat, lon = np.asarray(lat_deg, dtype=float), np.asarray(lon_deg, dtype=float)
        return np.stack([(lon - self._lon) * self._east, (lat - self._lat) * self._north], axis=-1)

    def lat_lon(self, xy: ArrayLike) -> tuple[Floats, Floats]:
        """Latitude and longitude, degrees within ±180, of points, shape (..., 2)."""
        points = np.asarray(xy, dtype=float)
        lon = self._lon + points[..., 0] / self._east
        return self._lat + points[..., 1] / self._north, shorter_turn(lon)

    def line(self, lon_lat: ArrayLike) -> Floats:
        """A line of vertices (longitude, latitude) that runs on, brought to the turn of the globe of the place."""
        lon, lat = np.asarray(lon_lat, dtype=float).T
        turns = np.round((self._lon - lon) / 360.0)
        # Of a line around the globe that part is meant which is nearest.
        nearest = int(np.argmin(np.hypot(lon + 360.0 * turns - self._lon, lat - self._lat)))
        return self.unwrapped(lat, lon + 360.0 * turns[nearest])
