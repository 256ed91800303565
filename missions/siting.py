"""Where a base could stand when nobody has said."""

from __future__ import annotations

from missions.border import BorderSegment
from missions.fleet import Base
from missions.flightline import flight_line
from missions.plane import Plane

__all__ = ["base_beside"]


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
