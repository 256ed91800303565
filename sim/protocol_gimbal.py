"""The gimbal manager (gimbal protocol of MAVLink 2) as ArduPilot (AP_Mount) and PX4 (its gimbal module) have it.

Both tell who has primary control, and keep nobody in secondary. ArduPilot obeys everybody all the same; PX4 denies a
command and passes over a message of whoever has not claimed control, and a mission's own gimbal command takes it.
ArduPilot takes angles or rates of a message, not both; PX4 has no retracting, and no GIMBAL_MANAGER_SET_PITCHYAW. One
gimbal, device 1; its pitch is held against the horizon whether PITCH_LOCK is set or not.

Angles are radians here: pitch up, yaw to the right.
"""

from __future__ import annotations

from collections.abc import Callable
from math import asin, atan2, isfinite, isnan, nan, pi, radians
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight import Flight
from sim.flight_gimbal import PITCH_RANGE_RAD, Aim
from sim.flight_gimbal_orders import steer_by_item, steer_gimbal
from sim.flight_items import Item

__all__ = ["GIMBAL_MESSAGES", "configure_gimbal", "device_flags", "manager_information", "manager_status",
           "mount_gimbal", "order_pitch_yaw", "take_gimbal"]  # fmt: skip

_DEVICE = 1
_IDS = (0, _DEVICE)
_MYSELF, _RELEASE = -2, -3  # -1 leaves it as it is
_MOST_ID = 255
_RETRACT, _NEUTRAL = int(mav.GIMBAL_MANAGER_FLAGS_RETRACT), int(mav.GIMBAL_MANAGER_FLAGS_NEUTRAL)
_YAW_LOCK = int(mav.GIMBAL_MANAGER_FLAGS_YAW_LOCK)
_LEVEL = int(mav.GIMBAL_MANAGER_FLAGS_ROLL_LOCK | mav.GIMBAL_MANAGER_FLAGS_PITCH_LOCK)
_ACCEPTED, _DENIED, _FAILED = int(mav.MAV_RESULT_ACCEPTED), int(mav.MAV_RESULT_DENIED), int(mav.MAV_RESULT_FAILED)
# MNT_RATE_PITCH and MNT_RATE_YAW of PX4: what a full stick is.
_STICK_RADPS = radians(30.0)
_YAW_AND_PITCH = (
    mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_NEUTRAL
    | mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_PITCH_AXIS
    | mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_PITCH_LOCK
    | mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_YAW_AXIS
    | mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_YAW_LOCK
    | mav.GIMBAL_MANAGER_CAP_FLAGS_CAN_POINT_LOCATION_GLOBAL
)
_CAPABILITIES = {
    "ardupilot": _YAW_AND_PITCH
    | mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_RETRACT
    | mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_RC_INPUTS
    | mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_PITCH_FOLLOW
    | mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_YAW_FOLLOW
    | mav.GIMBAL_MANAGER_CAP_FLAGS_CAN_POINT_LOCATION_LOCAL,
    "px4": _YAW_AND_PITCH | mav.GIMBAL_MANAGER_CAP_FLAGS_HAS_ROLL_LOCK,
}
# MAV_MOUNT_MODE of DO_MOUNT_CONTROL.
_MOUNT_TARGETING = 2
_MOUNT_AIMS = {0.0: Aim.RETRACT, 1.0: Aim.NEUTRAL}

Source = tuple[int, int]


def manager_information(flight: Flight) -> Any:
    """GIMBAL_MANAGER_INFORMATION."""
    return mav.MAVLink_gimbal_manager_information_message(
        int(flight.time_s * 1000.0), int(_CAPABILITIES[flight.dialect.name]), _DEVICE,
        0.0, 0.0, *PITCH_RANGE_RAD, -pi, pi,
    )  # fmt: skip


def manager_status(flight: Flight) -> Any:
    """GIMBAL_MANAGER_STATUS; ArduPilot tells there of a lock by the sticks alone, which nobody is at."""
    flags = device_flags(flight) if flight.dialect.claims_gimbal else _LEVEL
    return mav.MAVLink_gimbal_manager_status_message(
        int(flight.time_s * 1000.0), flags, _DEVICE, *flight.gimbal.control, 0, 0
    )


def device_flags(flight: Flight) -> int:
    """GIMBAL_DEVICE_FLAGS of this moment, without the frame that yaw is told in."""
    gimbal = flight.gimbal
    flags = _LEVEL | (_YAW_LOCK if gimbal.locked else 0)
    if gimbal.aim is Aim.RETRACT:
        flags |= _RETRACT
    return flags | _NEUTRAL if gimbal.aim is Aim.NEUTRAL else flags


def configure_gimbal(flight: Flight, item: Item, source: Source) -> int:
    """MAV_RESULT of DO_GIMBAL_MANAGER_CONFIGURE: who has primary control from now on."""
    gimbal, lenient = flight.gimbal, flight.dialect.claims_gimbal
    sysid, compid = item.params[0], item.params[1]
    if not lenient and item.z not in _IDS:
        return _FAILED
    if not all(isfinite(value) and _RELEASE <= value <= _MOST_ID for value in (sysid, compid)):
        return _ACCEPTED if lenient else _FAILED
    wanted = round(sysid)
    if wanted == _MYSELF:
        gimbal.control = source
    elif wanted == _RELEASE and gimbal.control == source:
        gimbal.control = (0, 0)
    elif wanted >= 0:
        gimbal.control = (wanted, max(0, round(compid)))
    return _ACCEPTED


def order_pitch_yaw(flight: Flight, item: Item, source: Source) -> int:
    """MAV_RESULT of DO_GIMBAL_MANAGER_PITCHYAW."""
    if not flight.dialect.claims_gimbal and item.z not in _IDS:
        return _FAILED
    if _is_foreign(flight, source):
        return _DENIED
    return _ACCEPTED if steer_by_item(flight, item) or flight.dialect.claims_gimbal else _FAILED


def mount_gimbal(flight: Flight, item: Item) -> int:
    """MAV_RESULT of DO_MOUNT_CONTROL as a command, the seventh parameter of which is the mode."""
    if item.z == _MOUNT_TARGETING:
        return _ACCEPTED if flight.do(item) else _FAILED
    aim = _MOUNT_AIMS.get(item.z)
    if aim is None:
        return _FAILED
    flight.gimbal.ahead(aim)
    return _ACCEPTED


def take_gimbal(flight: Flight, message: Any, source: Source) -> None:
    """Take a message of the manager; of who has no control, or for another device, it is passed over."""
    reader = GIMBAL_MESSAGES[flight.dialect.name].get(message.get_msgId())
    if reader is None or message.gimbal_device_id not in _IDS or _is_foreign(flight, source):
        return
    angles, rates = reader(message)
    # ArduPilot wants one of both.
    both = all(map(isfinite, (*angles, *rates)))
    if flight.dialect.claims_gimbal or not both or message.flags & (_RETRACT | _NEUTRAL):
        steer_gimbal(flight, int(message.flags), angles, rates)


def _is_foreign(flight: Flight, source: Source) -> bool:
    return flight.dialect.claims_gimbal and flight.gimbal.control != source


def _attitude(message: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    w, x, y, z = message.q
    rates = (message.angular_velocity_y, message.angular_velocity_z)
    if any(isnan(value) for value in message.q):
        return (nan, nan), rates
    pitch = asin(max(-1.0, min(1.0, 2.0 * (w * y - z * x))))
    return (pitch, atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))), rates


def _pitch_yaw(message: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    return (message.pitch, message.yaw), (message.pitch_rate, message.yaw_rate)


def _manual(message: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    """Sticks: PX4 takes a position from -1 to 1 for radians, and a rate for a share of its fastest."""
    return (message.pitch, message.yaw), (message.pitch_rate * _STICK_RADPS, message.yaw_rate * _STICK_RADPS)


_Reader = Callable[[Any], tuple[tuple[float, float], tuple[float, float]]]
GIMBAL_MESSAGES: dict[str, dict[int, _Reader]] = {
    "ardupilot": {
        mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_SET_ATTITUDE: _attitude,
        mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_SET_PITCHYAW: _pitch_yaw,
    },
    "px4": {
        mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_SET_ATTITUDE: _attitude,
        mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_SET_MANUAL_CONTROL: _manual,
    },
}
"""By autopilot, the messages that are taken and how they are read: pitch and yaw, and their rates."""
