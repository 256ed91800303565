"""Targets beside the mission: where a vehicle in GUIDED (ArduPilot) or OFFBOARD (PX4) is to fly, or how fast.

Acceleration, attitude and rates are not simulated, nor OFFBOARD with wings.
Of its body frame PX4 takes velocities alone.
"""

from __future__ import annotations

from math import cos, degrees, isfinite, sin
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect_terms import Form
from sim.flight import Flight
from sim.flight_items import Item
from sim.flight_modes import Mode
from sim.flight_tasks import Vector

__all__ = ["take_local_target", "take_target"]

_GLOBAL_FRAMES = {5: 0, 6: 3, 0: 0, 3: 3}
_NO_POSITION, _NO_HEIGHT, _NO_VELOCITY, _NO_YAW = 0b111, 0b100, 0b111000, 1 << 10
_FROM_HERE = frozenset({mav.MAV_FRAME_LOCAL_OFFSET_NED, mav.MAV_FRAME_BODY_OFFSET_NED})
_TURNED = frozenset({mav.MAV_FRAME_BODY_NED, mav.MAV_FRAME_BODY_OFFSET_NED})
_LOCAL_FRAMES = {
    "ardupilot": _FROM_HERE | _TURNED | {mav.MAV_FRAME_LOCAL_NED},
    "px4": frozenset({mav.MAV_FRAME_LOCAL_NED, mav.MAV_FRAME_BODY_NED}),
}
_NONE = (0.0, 0.0, 0.0, 0.0)


def take_target(flight: Flight, message: Any) -> bool:
    """Take SET_POSITION_TARGET_GLOBAL_INT; whether it was one that this vehicle can follow."""
    frame = _GLOBAL_FRAMES.get(message.coordinate_frame)
    if frame is None or flight.steering.mode is None:
        return False
    mask, wings = message.type_mask, flight.dialect.form is not Form.ROTOR
    if wings or not mask & _NO_POSITION:
        if mask & _NO_HEIGHT or not isfinite(message.alt):
            return False
        x, y = (0, 0) if wings else (message.lat_int, message.lon_int)
        point = flight.course.point_of(Item(mav.MAV_CMD_DO_REPOSITION, frame, _NONE, x, y, message.alt))
        if wings:
            _change_height(flight, point[2])
        else:
            _go(flight, message, point, turned=False)
        return True
    return _drive(flight, message, turned=False)


def take_local_target(flight: Flight, message: Any) -> bool:
    """Take SET_POSITION_TARGET_LOCAL_NED: a place from home or from where it is, or a velocity; whether it was one."""
    frame, steering, mask = message.coordinate_frame, flight.steering, message.type_mask
    if frame not in _LOCAL_FRAMES[flight.dialect.name] or steering.mode is None:
        return False
    if flight.dialect.form is not Form.ROTOR:
        if frame != mav.MAV_FRAME_LOCAL_OFFSET_NED or not isfinite(message.z):
            return False
        _change_height(flight, flight.course.goal[2] - message.z)
        return True
    if mask & _NO_POSITION or (steering.mode is Mode.OFFBOARD and frame in _TURNED):
        return _drive(flight, message, turned=frame in _TURNED)
    north, east = _turned(flight, message.x, message.y) if frame in _TURNED else (message.x, message.y)
    up = -message.z
    if not (isfinite(north) and isfinite(east) and isfinite(up)):
        return False
    if frame in _FROM_HERE or frame in _TURNED:
        body = flight.body
        north, east, up = north + body.n, east + body.e, up + body.u
    _go(flight, message, (east, north, up), turned=frame in _TURNED)
    return True


def _go(flight: Flight, message: Any, point: Vector, *, turned: bool) -> None:
    """To a place, facing as told. ArduCopter takes none beyond its fence, and says nothing of it.

    So ``ModeGuided::set_destination`` and ``set_destination_posvelaccel``; PX4 asks no fence for setpoints, nor
    ArduPlane for heights.
    """
    if flight.steering.mode is Mode.OFFBOARD or flight.guard.allows(point):
        flight.steering.go_to_point(point)
        _face(flight, message, turned=turned)


def _face(flight: Flight, message: Any, *, turned: bool) -> None:
    """Where the nose is to point, where that is told and targets are what it flies by."""
    follows = flight.mode == flight.steering.mode and not flight.landed
    if follows and not message.type_mask & _NO_YAW and isfinite(message.yaw) and not turned:
        flight.course.turn(Item(mav.MAV_CMD_CONDITION_YAW, 0, (degrees(message.yaw) % 360.0, 0.0, 0.0, 0.0), 0, 0, 0.0))


def _change_height(flight: Flight, up_m: float) -> None:
    """Of a target ArduPlane takes the height alone (GCS_MAVLink_Plane.cpp): about the same place."""
    east, north, _ = flight.course.goal
    flight.steering.go_to_point((east, north, up_m))


def _turned(flight: Flight, forward: float, right: float) -> tuple[float, float]:
    """North and east of what is ahead and to the right."""
    yaw = flight.body.yaw
    return forward * cos(yaw) - right * sin(yaw), forward * sin(yaw) + right * cos(yaw)


def _drive(flight: Flight, message: Any, *, turned: bool) -> bool:
    """By velocity: what has rotors alone, as ArduCopter and PX4 do."""
    if message.type_mask & _NO_VELOCITY or flight.dialect.form is not Form.ROTOR:
        return False
    north, east = message.vx, message.vy
    if turned:
        north, east = _turned(flight, north, east)
    if not (isfinite(north) and isfinite(east) and isfinite(message.vz)):
        return False
    flight.steering.drive((east, north, -message.vz))
    _face(flight, message, turned=turned)
    return True
