"""Where a base could stand when nobody has said."""

from __future__ import annotations

import numpy as np

from geo import densify, geodesic_length_m
from missions.border import BorderSegment
from missions.fleet import Base
from missions.flightline import flight_line
from missions.plane import Plane

__all__ = ["base_behind", "base_beside"]


def base_beside(border: BorderSegment, distance_m: float = 1500.0, name: str = "base") -> Base:
    """A base on the own side, opposite the middle of a border, at least about `distance_m` behind it.

    Raises
    ------
    PlanError
        When there is no room for it on the own side.
    """
    plane = Plane(border)
    line = flight_line(border.local_line(plane.frame), border.own_side, max(distance_m, border.stand_off_m + 10.0))
    lat, lon = plane.lat_lon(line.at(line.length_m / 2))
    return Base(name, round(float(lat), 6), round(float(lon), 6))


def base_behind(border: BorderSegment, along_m: float, distance_m: float = 1500.0, name: str = "base") -> Base:
    """A base on the own side, behind a place of a border, metres along it, at least about `distance_m` from the border.

    Raises
    ------
    PlanError
        When there is no room for it on the own side.
    """
    lon, lat = border.unwrapped().T
    lat, lon = densify(lat, lon, 500.0)
    step = geodesic_length_m(lat, lon) / (len(lat) - 1)
    middle = int(np.clip(round(along_m / step), 0, len(lat) - 1))
    room = int(np.ceil(6 * distance_m / step)) + 10
    part = slice(max(0, middle - room), min(len(lat), middle + room + 1))
    plane = Plane.at(float(lat[middle]), float(lon[middle]))
    xy = plane.xy(lat[part], lon[part])
    line = flight_line(xy, border.own_side, max(distance_m, border.stand_off_m + 10.0))
    nearest = int(np.argmin(np.hypot(*(line.points - plane.xy(float(lat[middle]), float(lon[middle]))).T)))
    at_lat, at_lon = plane.lat_lon(line.points[nearest])
    return Base(name, round(float(at_lat), 6), round(float(at_lon), 6))
