"""Orders for the camera: turn the gimbal, look at a place, look ahead again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import GimbalWay
from autopilot.errors import CommandError, PlaceError
from autopilot.order_heights import order_height
from geo import CoordinateError, check_coordinates

if TYPE_CHECKING:
    from autopilot.vehicle import Vehicle

__all__ = ["look_ahead", "look_at", "turn_gimbal", "turn_gimbal_at"]

_KEEP = -1.0
# Pitch and roll are held against the horizon (GIMBAL_MANAGER_FLAGS).
_LEVEL = mav.GIMBAL_MANAGER_FLAGS_ROLL_LOCK | mav.GIMBAL_MANAGER_FLAGS_PITCH_LOCK


async def turn_gimbal(vehicle: Vehicle, pitch_deg: float, yaw_deg: float, *, from_north: bool = False) -> None:
    """Turn the gimbal to angles.

    Parameters
    ----------
    vehicle
        The vehicle.
    pitch_deg
        Against the horizon, degrees, down negative.
    yaw_deg
        Against the nose, degrees, right positive; or from true north.
    from_north
        Whether `yaw_deg` is from north and stays there while the nose turns.

    Raises
    ------
    CommandError
        When it is refused, or an angle is not finite, or the autopilot's protocol cannot hold a direction.
    """
    _check_finite("an angle", pitch_deg, yaw_deg)
    if vehicle.dialect.orders.gimbal is GimbalWay.MOUNT:
        if from_north:
            raise CommandError(f"{vehicle}: its gimbal takes no angle from north: give one against the nose")
        targeting = float(mav.MAV_MOUNT_MODE_MAVLINK_TARGETING)
        await vehicle.command(mav.MAV_CMD_DO_MOUNT_CONTROL, pitch_deg, 0.0, yaw_deg, 0.0, 0.0, 0.0, targeting)
        return
    await _manage(vehicle, pitch_deg, yaw_deg, math.nan, math.nan, from_north=from_north)


async def turn_gimbal_at(vehicle: Vehicle, pitch_deg_s: float, yaw_deg_s: float) -> None:
    """Keep the gimbal turning, degrees a second, up and right positive; 0 and 0 stop it. Raises as `turn_gimbal`."""
    _check_finite("a rate", pitch_deg_s, yaw_deg_s)
    if vehicle.dialect.orders.gimbal is GimbalWay.MOUNT:
        raise CommandError(f"{vehicle}: its gimbal takes angles and no rates: turn it to an angle")
    await _manage(vehicle, math.nan, math.nan, pitch_deg_s, yaw_deg_s, from_north=False)


async def _manage(
    vehicle: Vehicle, pitch: float, yaw: float, pitch_rate: float, yaw_rate: float, *, from_north: bool
) -> None:
    if vehicle.dialect.orders.claims_gimbal:
        link = vehicle.link
        who = float(link.system_id), float(link.component_id)
        await vehicle.command(mav.MAV_CMD_DO_GIMBAL_MANAGER_CONFIGURE, *who, _KEEP, _KEEP)
    flags = _LEVEL | (mav.GIMBAL_MANAGER_FLAGS_YAW_LOCK if from_north else 0)
    await vehicle.command(mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW, pitch, yaw, pitch_rate, yaw_rate, float(flags))


async def look_at(vehicle: Vehicle, lat_deg: float, lon_deg: float, above_home_m: float = 0.0) -> None:
    """Keep the camera, and the nose where the gimbal has no yaw, on a place (DO_SET_ROI_LOCATION).

    Parameters
    ----------
    vehicle
        The vehicle.
    lat_deg, lon_deg, above_home_m
        The place, degrees WGS 84, and its height above home, metres: 0 for ground as high as home.

    Raises
    ------
    PlaceError
        When it is no place.
    CommandError
        When it is refused.
    NotReadyError
        When the autopilot wants heights above the sea and does not say how high home is.
    """
    try:
        check_coordinates(lat_deg, lon_deg, "a place to look at")
    except CoordinateError as error:
        raise PlaceError(str(error)) from None
    _check_finite("a height", above_home_m)
    frame, z = order_height(vehicle.telemetry, vehicle.dialect, above_home_m)
    x, y = round(lat_deg * 1e7), round(lon_deg * 1e7)
    await vehicle.command_int(mav.MAV_CMD_DO_SET_ROI_LOCATION, frame=frame, x=x, y=y, z=z)


async def look_ahead(vehicle: Vehicle) -> None:
    """Stop looking at a place (DO_SET_ROI_NONE); the gimbal goes to its own default.

    ArduCopter before 4.5 freed only the gimbal by that: the nose went on looking at the place. A region of interest at
    no place at all frees both, and is sent first where the dialect says so. In other autopilots the nose turns with the
    next place that is flown to.

    Raises
    ------
    CommandError
        When it is refused.
    """
    if vehicle.dialect.orders.frees_nose_by_place:
        frame = vehicle.dialect.orders.frame
        await vehicle.command_int(mav.MAV_CMD_DO_SET_ROI_LOCATION, frame=frame, x=0, y=0, z=0.0)
    await vehicle.command(mav.MAV_CMD_DO_SET_ROI_NONE)


def _check_finite(what: str, *values: float) -> None:
    for value in values:
        if not math.isfinite(value):
            raise CommandError(f"{what} is {value}: give a number")
