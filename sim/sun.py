"""Where the sun stands, for what differs by day and by night."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["is_day", "sun_elevation_deg"]

# 2000-01-01T12:00:00Z, from which the series below count their days.
_J2000_US = 946_728_000_000_000
# Upper rim on the horizon, with the usual refraction.
_RISE_DEG = -0.833


def sun_elevation_deg(lat_deg: float, lon_deg: float, time_us: ArrayLike) -> NDArray[np.float64]:
    """Geometric elevation of the sun's centre above the horizon, degrees.

    The low-precision series of the Astronomical Almanac: within 0.02 degrees from 1950 to 2050. UT1 is taken to be UTC.

    Parameters
    ----------
    lat_deg, lon_deg
        The place, degrees WGS 84.
    time_us
        UTC microseconds since the Unix epoch, shape (...).
    """
    days = (np.asarray(time_us, dtype=np.int64) - _J2000_US) / 86_400e6
    mean_longitude = 280.460 + 0.9856474 * days
    anomaly = np.radians(357.528 + 0.9856003 * days)
    longitude = np.radians(mean_longitude + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 4e-7 * days)
    ascension = np.arctan2(np.cos(tilt) * np.sin(longitude), np.cos(longitude))
    declination = np.arcsin(np.sin(tilt) * np.sin(longitude))
    sidereal_deg = 280.46061837 + 360.98564736629 * days
    hour_angle = np.radians(sidereal_deg + lon_deg) - ascension
    lat = np.radians(lat_deg)
    sine = np.sin(lat) * np.sin(declination) + np.cos(lat) * np.cos(declination) * np.cos(hour_angle)
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))))


def is_day(lat_deg: float, lon_deg: float, time_us: ArrayLike) -> NDArray[np.bool_]:
    """Whether the sun is up, its upper rim above the horizon; `time_us` as in `sun_elevation_deg`."""
    return np.asarray(sun_elevation_deg(lat_deg, lon_deg, time_us) > _RISE_DEG)
