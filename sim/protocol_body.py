"""Telemetry of the body and of what is wired to it: seldom read, and asked for all the same."""

from __future__ import annotations

from math import atan2, cos, degrees, hypot, radians, sin
from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from geo import shorter_turn

if TYPE_CHECKING:
    from sim.protocol_streams import Snapshot

__all__ = [
    "attitude_quaternion",
    "local_position",
    "nav_controller",
    "raw_imu",
    "rc_channels",
    "scaled_pressure",
    "servo_output",
]

_PWM_LOW, _PWM_MIDDLE, _PWM_SPAN = 1000, 1500, 1000
_PWM_WAY = 400  # of a stick from its middle to its end
_MOTORS, _CHANNELS, _UNUSED = 4, 8, 65535
_SEA_LEVEL_HPA, _SCALE_M, _POWER = 1013.25, 44330.8, 5.25588  # the standard atmosphere below 11 km
_MILLI_G = 1000


def local_position(s: Snapshot) -> Any:
    """LOCAL_POSITION_NED from home; nothing before there is a position."""
    if not s.flight.has_position:
        return None
    body = s.flight.body  # at the pad its grid is true
    return mav.MAVLink_local_position_ned_message(s.boot_ms, body.n, body.e, -body.u, s.vn, s.ve, -body.vu)


def attitude_quaternion(s: Snapshot) -> Any:
    """ATTITUDE as a quaternion, w first (turns Z-Y-X)."""
    yaw, pitch, roll = 0.5 * radians(s.yaw_deg), 0.5 * s.pitch, 0.5 * s.roll
    (cy, sy), (cp, sp), (cr, sr) = ((cos(a), sin(a)) for a in (yaw, pitch, roll))
    return mav.MAVLink_attitude_quaternion_message(
        s.boot_ms,
        cy * cp * cr + sy * sp * sr,
        cy * cp * sr - sy * sp * cr,
        cy * sp * cr + sy * cp * sr,
        sy * cp * cr - cy * sp * sr,
        0.0,
        0.0,
        s.flight.body.yaw_rate,
    )


def nav_controller(s: Snapshot) -> Any:
    """NAV_CONTROLLER_OUTPUT: way and height to what is being flown to."""
    body, target = s.flight.body, s.flight.course.target
    east, north, up = (0.0, 0.0, 0.0)
    if target is not None and not s.flight.landed:
        east, north, up = target[0] - body.e, target[1] - body.n, target[2] - body.u
    bearing = degrees(atan2(east, north)) if east or north else degrees(body.yaw)
    bearing = round(shorter_turn(bearing))
    return mav.MAVLink_nav_controller_output_message(
        degrees(s.roll), degrees(s.pitch), bearing, bearing, min(round(hypot(east, north)), _UNUSED), up, 0.0, 0.0
    )


def raw_imu(s: Snapshot) -> Any:
    """RAW_IMU of a body that feels its weight alone, thousandths of g."""
    down = cos(s.pitch) * cos(s.roll)
    return mav.MAVLink_raw_imu_message(
        s.boot_ms * 1000,
        round(_MILLI_G * sin(s.pitch)),
        round(-_MILLI_G * cos(s.pitch) * sin(s.roll)),
        round(-_MILLI_G * down),
        0,
        0,
        round(s.flight.body.yaw_rate * 1000.0),
        0,
        0,
        0,
    )


def scaled_pressure(s: Snapshot) -> Any:
    """SCALED_PRESSURE of the standard atmosphere at its height, hPa and hundredths of a degree."""
    height_m = s.amsl_mm / 1000.0
    pressure = _SEA_LEVEL_HPA * max(1.0 - height_m / _SCALE_M, 0.0) ** _POWER
    return mav.MAVLink_scaled_pressure_message(s.boot_ms, pressure, 0.0, round(1500.0 - 0.65 * height_m))


def servo_output(s: Snapshot) -> Any:
    """SERVO_OUTPUT_RAW: the same for all motors."""
    share = 0.0 if s.flight.landed else min(1.0, 0.5 * s.flight.battery.power_w / s.flight.setup.power.hover_w)
    pwm = round(_PWM_LOW + _PWM_SPAN * share) if s.flight.armed else _PWM_LOW
    return mav.MAVLink_servo_output_raw_message(s.boot_ms * 1000 % 2**32, 0, *[pwm] * _MOTORS, *[0] * _MOTORS)


def rc_channels(s: Snapshot) -> Any:
    """RC_CHANNELS of sticks that nobody moves, the throttle down; ArduPilot's as they are overridden."""
    first = [_PWM_MIDDLE, _PWM_MIDDLE, _PWM_LOW, _PWM_MIDDLE]
    sticks, dialect = s.flight.hands.sticks, s.flight.dialect
    if sticks is not None and not dialect.misses_sticks:
        ways = sticks.right, -sticks.forward, sticks.up, sticks.turn
        first = [round(_PWM_MIDDLE + _PWM_WAY * way) for way in ways]
    rest = [_PWM_MIDDLE] * (_CHANNELS - len(first))
    return mav.MAVLink_rc_channels_message(s.boot_ms, _CHANNELS, *first, *rest, *[_UNUSED] * (18 - _CHANNELS), 255)
