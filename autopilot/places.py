"""How far from home a mission goes."""

from __future__ import annotations

from autopilot.dialect import LOCATED
from autopilot.vehicle import Vehicle
from geo import geodesic_distance_m
from missions import Mission

__all__ = ["farthest_m"]


def farthest_m(vehicle: Vehicle, mission: Mission) -> float | None:
    """How far from home a mission goes, metres; from where the vehicle is where it has no home yet.

    None where it says neither.
    """
    now = vehicle.telemetry
    lat, lon = (now.lat_deg, now.lon_deg) if now.home is None else now.home[:2]
    if lat is None or lon is None:
        return None
    far = [item for item in mission.items if item.command in LOCATED and (item.x or item.y)]
    return max((float(geodesic_distance_m(lat, lon, item.x / 1e7, item.y / 1e7)) for item in far), default=0.0)
