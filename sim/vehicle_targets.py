"""Targets beside the mission: where a vehicle in GUIDED is to fly, or how fast.

PX4 takes them in OFFBOARD alone, which is not simulated.
"""

from __future__ import annotations

from math import cos, isfinite, sin
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect import Form
from sim.flight import Flight
from sim.flight_items import Item
from sim.flight_modes import Mode

__all__ = ["take_local_target", "take_target"]

_GLOBAL_FRAMES = {5: 0, 6: 3, 0: 0, 3: 3}
_NO_POSITION, _NO_HEIGHT, _NO_VELOCITY = 0b111, 0b100, 0b111000
_FROM_HERE = frozenset({mav.MAV_FRAME_LOCAL_OFFSET_NED, mav.MAV_FRAME_BODY_OFFSET_NED})
_TURNED = frozenset({mav.MAV_FRAME_BODY_NED, mav.MAV_FRAME_BODY_OFFSET_NED})
_LOCAL_FRAMES = _FROM_HERE | _TURNED | {mav.MAV_FRAME_LOCAL_NED}


def take_target(flight: Flight, message: Any) -> None:
    """Take SET_POSITION_TARGET_GLOBAL_INT; what names no place or another frame is passed over."""
    frame = _GLOBAL_FRAMES.get(message.coordinate_frame)
    if frame is None or not flight.dialect.has(Mode.GUIDED):
        return
    wings = flight.dialect.form is not Form.ROTOR
    if (wings or not message.type_mask & _NO_POSITION) and not message.type_mask & _NO_HEIGHT and isfinite(message.alt):
        x, y = (0, 0) if wings else (message.lat_int, message.lon_int)
        item = Item(mav.MAV_CMD_DO_REPOSITION, frame, (0.0, 0.0, 0.0, 0.0), x, y, message.alt)
        _change_height(flight, flight.course.point_of(item)[2]) if wings else flight.go_to(item)
    elif message.type_mask & _NO_POSITION:
        _drive(flight, message, turned=False)


def take_local_target(flight: Flight, message: Any) -> None:
    """Take SET_POSITION_TARGET_LOCAL_NED: a place from home or from where it is, or a velocity for three seconds."""
    frame = message.coordinate_frame
    if frame not in _LOCAL_FRAMES or not flight.dialect.has(Mode.GUIDED):
        return
    if flight.dialect.form is not Form.ROTOR:
        if frame == mav.MAV_FRAME_LOCAL_OFFSET_NED and isfinite(message.z):
            _change_height(flight, flight.course.goal[2] - message.z)
        return
    if message.type_mask & _NO_POSITION:
        _drive(flight, message, turned=frame in _TURNED)
        return
    north, east, up = _turned(flight, message.x, message.y) if frame in _TURNED else (message.x, message.y, 0.0)
    up -= message.z
    if not (isfinite(north) and isfinite(east) and isfinite(up)):
        return
    if frame in _FROM_HERE or frame in _TURNED:
        body = flight.body
        north, east, up = north + body.n, east + body.e, up + body.u
    flight.go_to_point((east, north, up))


def _change_height(flight: Flight, up_m: float) -> None:
    """Of a target ArduPlane takes the height alone (GCS_MAVLink_Plane.cpp): about the same place."""
    east, north, _ = flight.course.goal
    flight.go_to_point((east, north, up_m))


def _turned(flight: Flight, forward: float, right: float) -> tuple[float, float, float]:
    """North, east and no height of what is ahead and to the right."""
    yaw = flight.body.yaw
    return forward * cos(yaw) - right * sin(yaw), forward * sin(yaw) + right * cos(yaw), 0.0


def _drive(flight: Flight, message: Any, *, turned: bool) -> None:
    """By velocity: what has rotors alone, as ArduCopter does."""
    if message.type_mask & _NO_VELOCITY or flight.dialect.form is not Form.ROTOR:
        return
    north, east = message.vx, message.vy
    if turned:
        north, east, _ = _turned(flight, north, east)
    if isfinite(north) and isfinite(east) and isfinite(message.vz):
        flight.drive((east, north, -message.vz))
