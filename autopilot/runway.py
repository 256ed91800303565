"""Vehicles that take off and land along a line: that they point along it, and that a return of theirs lands."""

from __future__ import annotations

import math

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import Setting
from autopilot.errors import NotReadyError, ParameterError
from autopilot.vehicle import Vehicle
from geo import shorter_turn
from missions import Mission

__all__ = ["check_heading", "circles_at_the_end", "land_by_mission"]

_LANDINGS = frozenset({mav.MAV_CMD_NAV_LAND, mav.MAV_CMD_NAV_VTOL_LAND})
_ASIDE_DEG = 30.0
"""How far its nose may be off the line, degrees: a compass of 10 degrees' error, and an aircraft set down by eye."""

_SPOT_M = 30.0
"""A take-off to a place nearer than this has no direction, metres."""


async def circles_at_the_end(vehicle: Vehicle, mission: Mission) -> bool:
    """Whether a mission that does not land ends in circles of a plane without rotors."""
    if vehicle.dialect.hovers is None or any(item.command in _LANDINGS for item in mission.items):
        return False
    return not await _has_rotors(vehicle)


async def land_by_mission(vehicle: Vehicle, mission: Mission) -> None:
    """Have a return end on the ground, and prove it by reading back.

    It ends with the landing sequence of the mission, where that has one, and on the rotors of wings that have some.
    Without that a plane that returns, for its battery or its fence, circles over its home.

    Raises
    ------
    ParameterError
        When the setting is absent or does not take its value.
    """
    dialect = vehicle.dialect
    if any(item.command == mav.MAV_CMD_DO_LAND_START for item in mission.items):
        await _set(vehicle, dialect.landing)
    if dialect.rotor_return is not None and await _has_rotors(vehicle):
        await _set(vehicle, dialect.rotor_return)


async def _set(vehicle: Vehicle, setting: Setting | None) -> None:
    if setting is None:
        return
    present = await vehicle.parameter(setting.name)
    if setting.wanted(present) != present:
        await vehicle.set_parameter(setting.name, setting.wanted(present))


async def _has_rotors(vehicle: Vehicle) -> bool:
    """Whether wings have rotors to land on; firmware for small boards is built without."""
    try:
        return vehicle.dialect.hovers is not None and bool(await vehicle.parameter(vehicle.dialect.hovers))
    except ParameterError:
        return False


def check_heading(vehicle: Vehicle, mission: Mission) -> None:
    """Refuse to take off with the nose not along the line of the mission: wings climb out straight ahead.

    Raises
    ------
    NotReadyError
        When it points elsewhere, or does not say where; the message says where it has to point.
    """
    wanted = _line_deg(vehicle, mission)
    if wanted is None:
        return
    yaw = vehicle.telemetry.yaw_deg
    if yaw is None:
        raise NotReadyError(f"{vehicle}: does not say where it points, and it takes off along {wanted:.0f} degrees")
    if abs(shorter_turn(yaw - wanted)) > _ASIDE_DEG:
        raise NotReadyError(
            f"{vehicle}: points along {yaw:.0f} degrees and would climb out that way: its mission takes off along "
            f"{wanted:.0f} degrees, turn it there"
        )


def _line_deg(vehicle: Vehicle, mission: Mission) -> float | None:
    """Direction of the take-off of a mission that lands along a line, degrees from north; None for any other."""
    if vehicle.dialect.landing is None or not _lands_along(mission):
        return None
    off = next((item for item in mission.items if item.command == mav.MAV_CMD_NAV_TAKEOFF), None)
    down = next(item for item in mission.items if item.command == mav.MAV_CMD_NAV_LAND)
    if off is None:
        return None
    north, east = (off.x - down.x) / 1e7, shorter_turn((off.y - down.y) / 1e7)
    east *= math.cos(math.radians(down.x / 1e7))
    if math.hypot(north, east) * 111_320.0 < _SPOT_M:
        return None
    return math.degrees(math.atan2(east, north)) % 360.0


def _lands_along(mission: Mission) -> bool:
    commands = [item.command for item in mission.items]
    return mav.MAV_CMD_DO_LAND_START in commands and mav.MAV_CMD_NAV_LAND in commands
