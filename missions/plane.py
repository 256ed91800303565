"""The plane in which a plan is made: east and north of the middle of its border, metres."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import LocalFrame
from missions.border import BorderSegment

__all__ = ["Plane"]

Floats = NDArray[np.float64]


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
        plane.frame = LocalFrame(lat_deg, (lon_deg + 180.0) % 360.0 - 180.0)
        return plane

    def xy(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
        """East and north, metres, shape (..., 2)."""
        east, north, _ = self.frame.to_enu(lat_deg, lon_deg)
        return np.stack([east, north], axis=-1)

    def lat_lon(self, xy: ArrayLike) -> tuple[Floats, Floats]:
        """Latitude and longitude, degrees, of points, shape (..., 2)."""
        points = np.asarray(xy, dtype=float)
        up = np.zeros(points.shape[:-1])
        # The ellipsoid falls away from the plane: go down to it.
        for _ in range(4):
            lat, lon, height = self.frame.to_geodetic(points[..., 0], points[..., 1], up)
            up = up - height
        return lat, lon

    def lat_lon_near(self, xy: ArrayLike, lon_deg: float) -> tuple[Floats, Floats]:
        """As `lat_lon`, with longitudes within half a turn of `lon_deg`: they run on across the antimeridian."""
        lat, lon = self.lat_lon(xy)
        return lat, lon_deg + (lon - lon_deg + 180.0) % 360.0 - 180.0
