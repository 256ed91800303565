"""Where a base could stand when nobody has said."""

from __future__ import annotations

import numpy as np
import shapely

from geo import densify
from missions.border import BorderSegment
from missions.course import distances_m
from missions.fleet import Base
from missions.flightline import flight_line
from missions.plane import Plane

__all__ = ["base_behind", "base_beside"]

_STEP_M = 500.0
_ROOM, _ROOM_M = 6, 5000.0
"""How far along a border is looked at to either side of a place: by the distance behind it, and besides, metres."""
_LARGE = 8
"""A ring of so many times that is large, and most of it is of no matter."""


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
    lat, lon = densify(lat, lon, _STEP_M)
    along = distances_m(lat, lon)
    at_m, room_m = float(np.clip(along_m, 0.0, along[-1])), _ROOM * distance_m + _ROOM_M
    near = np.ones(len(lat), dtype=bool)
    # A small ring is looked at whole, and of another what is past the place where its line begins too.
    if not border.is_ring or along[-1] > _LARGE * room_m:
        if border.is_ring:
            lat, lon, along = (
                np.append(lat[:-1], lat),
                np.append(lon[:-1], lon),
                np.append(along[:-1], along + along[-1]),
            )
            at_m += along[-1] / 2 if at_m < room_m else 0.0
        near = np.abs(along - at_m) <= room_m
    plane = Plane.at(float(np.interp(at_m, along, lat)), float(np.interp(at_m, along, lon)))
    line = flight_line(plane.xy(lat[near], lon[near]), border.own_side, max(distance_m, border.stand_off_m + 10.0))
    # The plane is one of the place itself.
    nearest_m = float(shapely.line_locate_point(shapely.linestrings(line.points), shapely.points(0.0, 0.0)))
    at_lat, at_lon = plane.lat_lon(line.at(nearest_m))
    return Base(name, round(float(at_lat), 6), round(float(at_lon), 6))
