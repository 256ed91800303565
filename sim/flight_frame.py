"""A plane to fly in: transverse Mercator about the pad, in plain floats.

One vehicle step is a few microseconds of Python, so the frame uses no arrays. Scale at 20 km from the central meridian
is off by 5 parts in a million and straight lines are geodesics to a few centimetres: no correction is needed.
Heights are not part of it; up is height above home.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import asin, asinh, atan, atan2, atanh, cos, cosh, degrees, hypot, radians, sin, sinh, sqrt, tan

__all__ = ["FlightFrame"]

_SEMI_MAJOR_M = 6378137.0
_FLATTENING = 1.0 / 298.257223563
_E = sqrt(_FLATTENING * (2.0 - _FLATTENING))
_N = _FLATTENING / (2.0 - _FLATTENING)
_RADIUS_M = _SEMI_MAJOR_M / (1.0 + _N) * (1.0 + _N**2 / 4.0 + _N**4 / 64.0)
_MOST_SIN = 1.0 - 1e-14  # atanh has no value at 1
# Krüger's series to the fourth order of the third flattening (Karney 2011, equations 35, 36 and the inverse latitude).
_ALPHA = (
    _N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16 + 41 * _N**4 / 180,
    13 * _N**2 / 48 - 3 * _N**3 / 5 + 557 * _N**4 / 1440,
    61 * _N**3 / 240 - 103 * _N**4 / 140,
    49561 * _N**4 / 161280,
)
_BETA = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96 - _N**4 / 360,
    _N**2 / 48 + _N**3 / 15 - 437 * _N**4 / 1440,
    17 * _N**3 / 480 - 37 * _N**4 / 840,
    4397 * _N**4 / 161280,
)
_DELTA = (
    2 * _N - 2 * _N**2 / 3 - 2 * _N**3 + 116 * _N**4 / 45,
    7 * _N**2 / 3 - 8 * _N**3 / 5 - 227 * _N**4 / 45,
    56 * _N**3 / 15 - 136 * _N**4 / 35,
    4279 * _N**4 / 630,
)


@dataclass(frozen=True)
class FlightFrame:
    """East and north, metres, about an origin in degrees WGS 84; better than a millimetre within 100 km.

    Parameters
    ----------
    lat_deg, lon_deg
        The origin, which is also the central meridian: grid north is true north there.
    """

    lat_deg: float
    lon_deg: float
    _north0_m: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_north0_m", 0.0)
        object.__setattr__(self, "_north0_m", self.to_local(self.lat_deg, self.lon_deg)[1])

    def to_local(self, lat_deg: float, lon_deg: float) -> tuple[float, float]:
        """East and north in metres of a point in degrees; for a pole, a place within a metre of it."""
        sin_lat = max(-_MOST_SIN, min(_MOST_SIN, sin(radians(lat_deg))))
        lon = radians(lon_deg - self.lon_deg)
        t = sinh(atanh(sin_lat) - _E * atanh(_E * sin_lat))
        xi1 = atan2(t, cos(lon))
        eta1 = asinh(sin(lon) / hypot(t, cos(lon)))
        xi, eta = xi1, eta1
        for k, alpha in enumerate(_ALPHA, start=1):
            xi += alpha * sin(2 * k * xi1) * cosh(2 * k * eta1)
            eta += alpha * cos(2 * k * xi1) * sinh(2 * k * eta1)
        return _RADIUS_M * eta, _RADIUS_M * xi - self._north0_m

    def to_geodetic(self, east_m: float, north_m: float) -> tuple[float, float]:
        """Latitude and longitude in degrees of a local point in metres."""
        xi = (north_m + self._north0_m) / _RADIUS_M
        eta = east_m / _RADIUS_M
        xi1, eta1 = xi, eta
        for k, beta in enumerate(_BETA, start=1):
            xi1 -= beta * sin(2 * k * xi) * cosh(2 * k * eta)
            eta1 -= beta * cos(2 * k * xi) * sinh(2 * k * eta)
        chi = asin(sin(xi1) / cosh(eta1))
        lat = chi
        for k, delta in enumerate(_DELTA, start=1):
            lat += delta * sin(2 * k * chi)
        return degrees(lat), self.lon_deg + degrees(atan2(sinh(eta1), cos(xi1)))

    def convergence_deg(self, lat_deg: float, lon_deg: float) -> float:
        """What to add to a grid azimuth to get the true one at a point in degrees."""
        return degrees(atan(tan(radians(lon_deg - self.lon_deg)) * sin(radians(lat_deg))))
