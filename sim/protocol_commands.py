"""Commands (COMMAND_LONG and COMMAND_INT) and what the vehicle answers. A table: what is not in it is unsupported."""

from __future__ import annotations

from math import isfinite
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect_terms import Form
from sim.flight import Flight
from sim.flight_items import Item
from sim.flight_state import Mode, Severity
from sim.protocol_gimbal import configure_gimbal, mount_gimbal, order_pitch_yaw
from sim.protocol_modes import AVAILABLE_MODES, tell_modes
from sim.protocol_order import ACCEPTED, DENIED, FAILED, UNSUPPORTED, Handler, Order, result_of
from sim.protocol_own import OWN
from sim.protocol_streams import BUILDERS

__all__ = ["carry_out", "item_from_int", "item_from_long"]

_CHANGE_MODE = 1.0
_PX4_AUTO = 4.0  # its main mode of that name
_NOWHERE = 2**31 - 1
_LONGEST_US = 2**31 - 1  # that MESSAGE_INTERVAL can tell
# Commands the first parameter of which is a whole number.
_NUMBERED = frozenset(
    {
        mav.MAV_CMD_SET_MESSAGE_INTERVAL,
        mav.MAV_CMD_GET_MESSAGE_INTERVAL,
        mav.MAV_CMD_REQUEST_MESSAGE,
        mav.MAV_CMD_DO_SET_MISSION_CURRENT,
    }
)
# Commands the fifth and sixth parameter of which is no place.
_NO_PLACE = frozenset({mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW, mav.MAV_CMD_DO_GIMBAL_MANAGER_CONFIGURE})


def item_from_long(message: Any, *, amsl: bool) -> Item:
    """Of a COMMAND_LONG: latitude and longitude in degrees, heights above home or AMSL (PX4, and a home's)."""
    p = [float(getattr(message, f"param{i}")) for i in range(1, 8)]
    command = int(message.command)
    if command in _NO_PLACE:
        place = [round(v) if isfinite(v) else 0 for v in p[4:6]]
    else:
        place = [round(v * 1e7) if isfinite(v) and abs(v) <= 180.0 else 0 for v in p[4:6]]
    amsl = amsl or command == mav.MAV_CMD_DO_SET_HOME
    frame = mav.MAV_FRAME_GLOBAL if amsl else mav.MAV_FRAME_GLOBAL_RELATIVE_ALT
    return Item(command, frame, (p[0], p[1], p[2], p[3]), place[0], place[1], p[6])


def item_from_int(message: Any, *, amsl: bool) -> Item:
    """Of a COMMAND_INT; PX4 looks at no frame, and takes every height for one above the sea (mavlink_receiver.cpp)."""
    m: dict[str, float] = {k: getattr(message, k) for k in ("command", "frame", "x", "y", "z")}
    p = [float(getattr(message, f"param{i}")) for i in range(1, 5)]
    if amsl:
        m["frame"] = mav.MAV_FRAME_GLOBAL
    if m["x"] == m["y"] == _NOWHERE:
        m["x"] = m["y"] = 0  # no place: where it is
    return Item(int(m["command"]), int(m["frame"]), (p[0], p[1], p[2], p[3]), int(m["x"]), int(m["y"]), float(m["z"]))


def carry_out(flight: Flight, order: Order) -> int:
    """MAV_RESULT of a command."""
    command = order.item.command
    dialect = flight.dialect
    handler = None if command in dialect.refused else OWN[dialect.name].get(command) or _HANDLERS.get(command)
    if handler is None:
        return UNSUPPORTED
    return DENIED if command in _NUMBERED and not isfinite(order.item.params[0]) else handler(flight, order)


def _set_mode(flight: Flight, order: Order) -> int:
    base = order.item.params[0]
    if not (isfinite(base) and int(base) & mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED):
        _unsupported(flight, "base")
        return flight.dialect.no_mode
    mode = flight.dialect.mode_of_command(order.item.params[1], order.item.params[2])
    if mode is None:
        _unsupported(flight, "auto" if order.item.params[1] == _PX4_AUTO else "main")
    return result_of(flight, mode is not None and flight.set_mode(mode))


def _unsupported(flight: Flight, which: str) -> None:
    """PX4 says which part of a mode it does not know (Commander.cpp)."""
    if flight.dialect.two_part_modes:
        flight.say(Severity.CRITICAL, f"Unsupported {which} mode\t")


def _fixed_mode(mode: Mode) -> Handler:
    def change(flight: Flight, _: Order) -> int:
        if not flight.dialect.has(mode):
            return UNSUPPORTED
        done = flight.set_mode(mode)
        return result_of(flight, done or flight.dialect.heeds_nothing)

    return change


def _take_off(flight: Flight, order: Order) -> int:
    item = order.item
    # No height is the autopilot's own, where it takes that.
    up_m = flight.course.point_of(item)[2] if isfinite(item.z) else 0.0
    return result_of(flight, flight.order_takeoff(up_m))


def _transition(flight: Flight, order: Order) -> int:
    done = not flight.landed and flight.do(order.item)
    if done:
        flight.course.change_over()
    return result_of(flight, done)


def _reposition(flight: Flight, order: Order) -> int:
    item = order.item
    if item.frame not in (0, 3, 5, 6) or not isfinite(item.z):
        return DENIED
    there = flight.dialect.goto_mode
    if flight.mode != there and item.params[1] != _CHANGE_MODE:
        return DENIED
    # Beyond its fence it is sent nowhere, before its mode is changed (AC_Fence::check_destination_within_fence).
    if not flight.guard.allows(flight.course.point_of(item)):
        return flight.dialect.refusal if flight.dialect.form is Form.ROTOR else DENIED
    if flight.mode != there and not flight.set_mode(there):
        return DENIED
    return result_of(flight, flight.steering.go_to(item))


def _pause(flight: Flight, order: Order) -> int:
    wanted = order.item.params[0]
    return result_of(flight, flight.steering.pause(go_on=wanted == 1.0)) if wanted in (0.0, 1.0) else DENIED


def _calibrate(flight: Flight, order: Order) -> int:
    """Gyros or the barometer, which are good as they are; on the ground alone. Nothing else is simulated."""
    if flight.armed:
        return flight.dialect.refusal
    return ACCEPTED if 1.0 in (order.item.params[0], order.item.params[2]) else UNSUPPORTED


def _do(flight: Flight, order: Order) -> int:
    return ACCEPTED if flight.do(order.item) else FAILED


def _interval(flight: Flight, order: Order) -> int:
    message, interval_us = int(order.item.params[0]), order.item.params[1]
    if message not in BUILDERS or message in flight.dialect.silent or not isfinite(interval_us):
        return FAILED
    if interval_us == 0.0:
        order.schedule.set(message, 1.0 if message == mav.MAVLINK_MSG_ID_HEARTBEAT else None)
    else:
        order.schedule.set(message, None if interval_us < 0.0 else min(interval_us, _LONGEST_US) / 1e6)
    return ACCEPTED


def _tell_interval(flight: Flight, order: Order) -> int:
    """MESSAGE_INTERVAL: for what it does not know ArduPilot fails, and PX4 tells the same 0 as of what it stopped."""
    message, dialect = int(order.item.params[0]), flight.dialect
    known = message in BUILDERS and message not in dialect.silent
    interval_s = order.schedule.interval_s(message)
    told_us = 0 if not known else dialect.stopped_us if interval_s is None else round(interval_s * 1e6)
    order.reply(mav.MAVLink_message_interval_message(message & 0xFFFF, told_us))
    return ACCEPTED if known or dialect.stopped_us == 0 else FAILED


def _request(flight: Flight, order: Order) -> int:
    if int(order.item.params[0]) == AVAILABLE_MODES:
        return tell_modes(flight, order)
    return ACCEPTED if order.send_now(int(order.item.params[0])) else flight.dialect.unsent


def _fixed_request(message: int) -> Handler:
    return lambda flight, order: ACCEPTED if order.send_now(message) else flight.dialect.unsent


def _run_checks(flight: Flight, _: Order) -> int:
    if flight.armed:
        return int(mav.MAV_RESULT_TEMPORARILY_REJECTED)
    flight.tell_reasons()
    return ACCEPTED


def _land_start(flight: Flight, _: Order) -> int:
    return ACCEPTED if flight.land_by_mission() else FAILED


def _set_current(flight: Flight, order: Order) -> int:
    return ACCEPTED if flight.set_current(int(order.item.params[0]) + flight.dialect.first) else DENIED


_HANDLERS: dict[int, Handler] = {
    mav.MAV_CMD_DO_SET_MODE: _set_mode,
    mav.MAV_CMD_NAV_TAKEOFF: _take_off,
    mav.MAV_CMD_NAV_VTOL_TAKEOFF: _take_off,
    mav.MAV_CMD_NAV_LAND: _fixed_mode(Mode.LAND),
    mav.MAV_CMD_NAV_VTOL_LAND: _fixed_mode(Mode.LAND),
    mav.MAV_CMD_NAV_RETURN_TO_LAUNCH: _fixed_mode(Mode.RTL),
    mav.MAV_CMD_NAV_LOITER_UNLIM: _fixed_mode(Mode.LOITER),
    mav.MAV_CMD_DO_SET_MISSION_CURRENT: _set_current,
    mav.MAV_CMD_DO_LAND_START: _land_start,
    mav.MAV_CMD_DO_REPOSITION: _reposition,
    mav.MAV_CMD_DO_VTOL_TRANSITION: _transition,
    mav.MAV_CMD_DO_PAUSE_CONTINUE: _pause,
    mav.MAV_CMD_DO_MOUNT_CONTROL: lambda flight, order: mount_gimbal(flight, order.item),
    mav.MAV_CMD_DO_GIMBAL_MANAGER_CONFIGURE: lambda flight, order: configure_gimbal(flight, order.item, order.source),
    mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW: lambda flight, order: order_pitch_yaw(flight, order.item, order.source),
    mav.MAV_CMD_DO_SET_ROI_LOCATION: _do,
    mav.MAV_CMD_DO_SET_ROI: _do,
    mav.MAV_CMD_DO_SET_ROI_NONE: _do,
    mav.MAV_CMD_PREFLIGHT_CALIBRATION: _calibrate,
    mav.MAV_CMD_DO_SET_SERVO: _do,
    mav.MAV_CMD_DO_SET_RELAY: _do,
    mav.MAV_CMD_VIDEO_START_CAPTURE: _do,
    mav.MAV_CMD_VIDEO_STOP_CAPTURE: _do,
    mav.MAV_CMD_SET_MESSAGE_INTERVAL: _interval,
    mav.MAV_CMD_GET_MESSAGE_INTERVAL: _tell_interval,
    mav.MAV_CMD_REQUEST_MESSAGE: _request,
    mav.MAV_CMD_REQUEST_AUTOPILOT_CAPABILITIES: _fixed_request(mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION),
    mav.MAV_CMD_GET_HOME_POSITION: _fixed_request(mav.MAVLINK_MSG_ID_HOME_POSITION),
    mav.MAV_CMD_RUN_PREARM_CHECKS: _run_checks,
}
