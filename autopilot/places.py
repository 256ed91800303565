"""How far from home a mission goes, and how high."""

from __future__ import annotations

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import LOCATED, RELATIVE_FRAMES
from autopilot.vehicle import Vehicle
from geo import geodesic_distance_m
from missions import Mission, MissionItem

__all__ = ["above_home_m", "farthest_m", "highest_above_home_m", "highest_amsl_m"]

_AMSL_FRAMES = frozenset({mav.MAV_FRAME_GLOBAL, mav.MAV_FRAME_GLOBAL_INT})


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


def highest_amsl_m(vehicle: Vehicle, mission: Mission) -> float | None:
    """How high above mean sea level a mission climbs, metres.

    None where it flies above the terrain, or above a home that the vehicle does not say.
    """
    home_m = _home_amsl_m(vehicle)
    heights: list[float] = []
    for item in mission.items:
        if item.command not in LOCATED:
            continue
        if item.frame in _AMSL_FRAMES:
            heights.append(item.z)
        elif item.frame in RELATIVE_FRAMES and home_m is not None:
            heights.append(home_m + item.z)
        else:
            return None
    return max(heights, default=None)


def highest_above_home_m(vehicle: Vehicle, mission: Mission) -> float | None:
    """How high above home a mission climbs, metres, 0 where it has no such place; what is above terrain does not count.

    None where it has heights above mean sea level and the vehicle says nothing of the height of its home.
    """
    heights = [0.0]
    # Where home is the first item, the vehicle has its own in that place.
    for item in mission.items[1:] if vehicle.dialect.home_is_item_0 else mission.items:
        if item.command not in LOCATED:
            continue
        height_m = above_home_m(vehicle, item)
        if height_m is not None:
            heights.append(height_m)
        elif item.frame in _AMSL_FRAMES:
            return None
    return max(heights)


def above_home_m(vehicle: Vehicle, item: MissionItem) -> float | None:
    """How high above home a place of a mission is, metres; None above terrain, and above a home that it does not say.

    Parameters
    ----------
    vehicle, item
        Who flies there, and the item that is the place.
    """
    if item.frame in RELATIVE_FRAMES:
        return item.z
    home_m = _home_amsl_m(vehicle) if item.frame in _AMSL_FRAMES else None
    return None if home_m is None else item.z - home_m


def _home_amsl_m(vehicle: Vehicle) -> float | None:
    now = vehicle.telemetry
    if now.home is not None:
        return now.home[2]
    if now.altitude is None or now.above_home_m is None:
        return None
    return now.altitude.metres - now.above_home_m
