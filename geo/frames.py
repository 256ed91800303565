"""Local east-north-up frames on the WGS 84 ellipsoid, and geodesic measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import CoordinateError

if TYPE_CHECKING:
    from pyproj import Geod, Transformer

__all__ = ["LocalFrame", "check_coordinates", "geodesic_destination", "geodesic_distance_m", "geodesic_length_m"]

Floats = NDArray[np.float64]


@cache
def _geod() -> Geod:
    """The ellipsoid; PROJ, which takes longer to load than all else here, is for those alone who ask it something."""
    from pyproj import Geod  # noqa: PLC0415

    return Geod(ellps="WGS84")


def check_coordinates(lat_deg: ArrayLike, lon_deg: ArrayLike, what: str) -> None:
    """Refuse coordinates that are not finite degrees in range.

    Parameters
    ----------
    lat_deg, lon_deg
        Latitudes and longitudes, degrees WGS 84, any shape.
    what
        The object they belong to; the message names it.

    Raises
    ------
    CoordinateError
        On NaN, infinity, a latitude outside [-90, 90] or a longitude outside [-360, 360].
    """
    for name, values, limit in (("latitude", lat_deg, 90.0), ("longitude", lon_deg, 360.0)):
        array = np.atleast_1d(np.asarray(values, dtype=float)).ravel()
        bad = np.flatnonzero(~(np.abs(array) <= limit))
        if bad.size:
            raise CoordinateError(
                f"{what}: {name} {array[bad[0]]} of vertex {bad[0]} is not within ±{limit:g} degrees: "
                "give WGS 84 degrees, longitude first in GeoJSON"
            )


@dataclass(frozen=True)
class LocalFrame:
    """East-north-up tangent frame at a point of the ellipsoid.

    Heights are whatever datum the caller uses throughout (AMSL in Vedette): at ranges of tens of kilometres the
    undulation moves horizontal positions by parts in a million, so the frame treats them as ellipsoidal.

    Parameters
    ----------
    lat_deg, lon_deg
        Origin, degrees WGS 84.
    height_m
        Height of the origin, metres.

    Raises
    ------
    CoordinateError
        When the origin is outside the range of degrees.

    Examples
    --------
    >>> frame = LocalFrame(31.333, -110.938, 1180.0)
    >>> east, north, up = frame.to_enu(31.334, -110.938, 1180.0)
    >>> round(float(north), 1)
    110.9
    """

    lat_deg: float
    lon_deg: float
    height_m: float = 0.0
    _forward: Transformer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_coordinates(self.lat_deg, self.lon_deg, "local frame origin")
        for name in ("lat_deg", "lon_deg", "height_m"):
            # A numpy scalar writes itself into the pipeline as "np.float64(...)".
            object.__setattr__(self, name, float(getattr(self, name)))
        pipeline = (
            "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=WGS84 "
            "+step +proj=topocentric +ellps=WGS84 "
            f"+lon_0={self.lon_deg!r} +lat_0={self.lat_deg!r} +h_0={self.height_m!r}"
        )
        from pyproj import Transformer  # noqa: PLC0415 - see _geod

        object.__setattr__(self, "_forward", Transformer.from_pipeline(pipeline))

    def to_enu(
        self, lat_deg: ArrayLike, lon_deg: ArrayLike, height_m: ArrayLike = 0.0
    ) -> tuple[Floats, Floats, Floats]:
        """East, north, up in metres of geodetic points (degrees, metres), broadcast over the inputs' shapes."""
        lat, lon, height = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (lat_deg, lon_deg, height_m)))
        east, north, up = self._forward.transform(lon, lat, height)
        return np.asarray(east), np.asarray(north), np.asarray(up)

    def to_geodetic(
        self, east_m: ArrayLike, north_m: ArrayLike, up_m: ArrayLike = 0.0
    ) -> tuple[Floats, Floats, Floats]:
        """Latitude and longitude in degrees and height in metres of local points, broadcast over the inputs' shapes."""
        east, north, up = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (east_m, north_m, up_m)))
        lon, lat, height = self._forward.transform(east, north, up, direction="INVERSE")
        return np.asarray(lat), np.asarray(lon), np.asarray(height)


def geodesic_distance_m(lat1_deg: ArrayLike, lon1_deg: ArrayLike, lat2_deg: ArrayLike, lon2_deg: ArrayLike) -> Floats:
    """Geodesic distance in metres between points in degrees (Karney 2013, through pyproj), broadcast."""
    lon1, lat1, lon2, lat2 = np.broadcast_arrays(
        *(np.asarray(v, dtype=float) for v in (lon1_deg, lat1_deg, lon2_deg, lat2_deg))
    )
    return np.asarray(_geod().inv(lon1, lat1, lon2, lat2)[2], dtype=np.float64)


def geodesic_length_m(lat_deg: ArrayLike, lon_deg: ArrayLike) -> float:
    """Length in metres of the geodesic polyline through the given vertices, degrees, shape (n,)."""
    return float(_geod().line_length(np.asarray(lon_deg, dtype=float), np.asarray(lat_deg, dtype=float)))


def geodesic_destination(lat_deg: float, lon_deg: float, azimuth_deg: float, distance_m: float) -> tuple[float, float]:
    """Latitude and longitude, degrees, at a distance from a point along an azimuth (degrees from true north)."""
    lon, lat, _ = _geod().fwd(lon_deg, lat_deg, azimuth_deg, distance_m)
    return float(lat), float(lon)
