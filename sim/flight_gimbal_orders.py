"""What orders mean to a gimbal, whether a mission or a ground station gives them."""

from __future__ import annotations

from math import isfinite, radians
from typing import TYPE_CHECKING

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_gimbal import Aim
from sim.flight_items import Item

if TYPE_CHECKING:
    from sim.flight import Flight

__all__ = ["GIMBAL_COMMANDS", "order_gimbal", "steer_by_item", "steer_gimbal"]

GIMBAL_COMMANDS = frozenset(
    {
        mav.MAV_CMD_DO_MOUNT_CONTROL,
        mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW,
        mav.MAV_CMD_DO_SET_ROI_LOCATION,
        mav.MAV_CMD_DO_SET_ROI,
        mav.MAV_CMD_DO_SET_ROI_NONE,
    }
)
_AUTOPILOT = int(mav.MAV_COMP_ID_AUTOPILOT1)


def order_gimbal(flight: Flight, item: Item) -> bool:
    """Carry out one of `GIMBAL_COMMANDS`; whether it was anything."""
    gimbal = flight.gimbal
    match item.command:
        case mav.MAV_CMD_DO_MOUNT_CONTROL:
            gimbal.point(radians(item.params[2]), radians(item.params[0]))
        case mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW:
            # Of a mission: an autopilot whose gimbal obeys one alone takes control for itself.
            if flight.dialect.claims_gimbal:
                gimbal.control = (flight.setup.sysid, _AUTOPILOT)
            return steer_by_item(flight, item)
        case mav.MAV_CMD_DO_SET_ROI_LOCATION | mav.MAV_CMD_DO_SET_ROI:
            gimbal.look_at(flight.course.point_of(item))
        case mav.MAV_CMD_DO_SET_ROI_NONE:
            gimbal.ahead()
        case _:
            raise AssertionError(f"command {item.command} is no gimbal command")
    return True


def steer_by_item(flight: Flight, item: Item) -> bool:
    """MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW: degrees, degrees a second, flags where a latitude would be."""
    pitch, yaw, pitch_rate, yaw_rate = (radians(value) for value in item.params)
    return steer_gimbal(flight, item.x, (pitch, yaw), (pitch_rate, yaw_rate))


def steer_gimbal(flight: Flight, flags: int, angles: tuple[float, float], rates: tuple[float, float]) -> bool:
    """Turn to a pitch and yaw or at rates of them.

    Parameters
    ----------
    flight
        The vehicle.
    flags
        GIMBAL_MANAGER_FLAGS: retracted or neutral before all else, and whether yaw is from north.
    angles, rates
        Pitch and yaw, radians, and radians a second; what is not finite is not said, and angles come first.

    Returns
    -------
    bool
        Whether anything was said.
    """
    gimbal, north = flight.gimbal, bool(flags & mav.GIMBAL_MANAGER_FLAGS_YAW_LOCK)
    if flags & mav.GIMBAL_MANAGER_FLAGS_RETRACT:
        # PX4 takes it and does nothing.
        if not flight.dialect.claims_gimbal:
            gimbal.ahead(Aim.RETRACT)
    elif flags & mav.GIMBAL_MANAGER_FLAGS_NEUTRAL:
        gimbal.ahead(Aim.NEUTRAL)
    elif all(map(isfinite, angles)):
        # North is true north to whoever orders it, grid north to the flight.
        turned = radians(flight.setup.frame.convergence_deg(*flight.place)) if north else 0.0
        gimbal.point(angles[1] - turned, angles[0], north=north)
    elif all(map(isfinite, rates)):
        gimbal.turn(rates[1], rates[0], north=north, heading_rad=flight.body.yaw)
    else:
        return False
    return True
