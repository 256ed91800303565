"""Commands that ArduPilot and PX4 answer each in its own way: a table for each.

ArduPilot's are those of its three GCS_MAVLink files (common, Copter, Plane), PX4's those of Commander.cpp and
navigator_main.cpp.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import atan2, copysign, cos, isfinite, radians, sin, sqrt

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect_terms import Form
from sim.flight import Flight
from sim.flight_items import Item
from sim.flight_state import Mode, Severity
from sim.protocol_home import ardupilot_home, px4_home
from sim.protocol_order import ACCEPTED, DENIED, FAILED, UNSUPPORTED, Handler, Order, result_of

__all__ = ["OWN"]

_HEIGHTS = frozenset({0, 3, 5, 6, 10, 11})  # frames whose height is one
_FORCE, _FORCE_ARM = 21196.0, 2989.0  # the second is ArduPilot's (GCS.h)
_REBOOT = 1.0
_CHANGE_MODE = 1  # MAV_DO_REPOSITION_FLAGS; it knows no other
# Of orbits (FlightTaskOrbit.hpp).
_LEAST_M, _MOST_M = 1.0, 1000.0
_FASTEST_MPS, _ORBIT_MPS2 = 10.0, 2.0
_LEAST_ABORT_M = 30.0  # MIS_LND_ABRT_ALT
_TO_THE_CENTRE = int(mav.ORBIT_YAW_BEHAVIOUR_HOLD_FRONT_TO_CIRCLE_CENTER)  # of the others none is simulated


def _arm(flight: Flight, order: Order) -> int:
    wanted, magic = order.item.params[0], order.item.params[1]
    if wanted == 1.0:
        return result_of(flight, flight.arm(force=magic == _FORCE_ARM))
    if wanted == 0.0:
        return result_of(flight, flight.disarm(force=magic == _FORCE))
    return UNSUPPORTED


# --- ArduPilot -----------------------------------------------------------------------------------------------------


def _terminate(flight: Flight, order: Order) -> int:
    """Motors off at once, where that is set up; there is nothing to take back."""
    if not flight.dialect.ends_flights:
        flight.say(Severity.INFO, "AFS not enabled, can't terminate the vehicle")
        return FAILED
    return result_of(flight, order.item.params[0] > 0.5 and flight.terminate())


def _change_speed(flight: Flight, order: Order) -> int:
    if flight.dialect.form is Form.ROTOR and not order.item.params[1] > 0.0:
        return DENIED
    return ACCEPTED if flight.mode in flight.dialect.speed_modes and flight.do(order.item) else FAILED


def _yaw(flight: Flight, order: Order) -> int:
    angle_deg, _, _, relative = order.item.params
    valid = 0.0 <= angle_deg <= 360.0 and relative in (0.0, 1.0)
    return ACCEPTED if valid and flight.do(order.item) else FAILED


def _fence(flight: Flight, order: Order) -> int:
    """0 and 1 switch it, 2 its floor, which is not simulated; there has to be one to switch on."""
    wanted = order.item.params[0]
    if wanted not in (0.0, 1.0, 2.0) or (wanted == 1.0 and not flight.guard.present):
        return FAILED
    return ACCEPTED if flight.do(order.item) else FAILED


def _reboot(flight: Flight, order: Order) -> int:
    """The vehicle boots anew once it has answered; not in the air, nor armed."""
    if order.item.params[0] != _REBOOT:
        return UNSUPPORTED
    return FAILED if flight.armed else ACCEPTED


def _start(flight: Flight, order: Order) -> int:
    """Copter takes off; Plane changes the mode, and says that it has."""
    first, last, *_ = order.item.params
    if first or last:
        return DENIED
    if flight.dialect.heeds_nothing:
        flight.set_mode(Mode.AUTO)
        return ACCEPTED
    return result_of(flight, flight.start_mission())


def _go_around(flight: Flight, _: Order) -> int:
    """Of a landing on wings alone: from DO_LAND_START once more, or by the item before (``trigger_land_abort``)."""
    if flight.mode != Mode.AUTO or flight.landed or not _on_wings(flight):
        return FAILED
    run = flight.run
    if flight.mission[run.index].command not in (mav.MAV_CMD_NAV_LAND, mav.MAV_CMD_NAV_VTOL_LAND):
        return FAILED
    begin = run.land_start(or_landing=False)
    return ACCEPTED if flight.set_current(run.index - 1 if begin is None else begin) else FAILED


def _on_wings(flight: Flight) -> bool:
    return flight.dialect.form is Form.WING or flight.body.load > 0.0


def _in_guided(change: Handler) -> Handler:
    """Commands of AP_PLANE_OFFBOARD_GUIDED_SLEW; how fast they may come about is not simulated."""
    return lambda flight, order: change(flight, order) if flight.mode == Mode.GUIDED else FAILED


def _guided_speed(flight: Flight, order: Order) -> int:
    kind, speed_mps, *_ = order.item.params
    if kind != mav.SPEED_TYPE_AIRSPEED:
        return DENIED
    params = flight.params
    if not params["AIRSPEED_MIN"] <= speed_mps <= params["AIRSPEED_MAX"]:
        return FAILED
    return ACCEPTED if flight.do(replace(order.item, command=mav.MAV_CMD_DO_CHANGE_SPEED)) else FAILED


def _guided_height(flight: Flight, order: Order) -> int:
    item = order.item
    if item.z in (-1.0, 0.0) or not isfinite(item.z) or item.frame not in _HEIGHTS:
        return DENIED
    up_m = flight.course.point_of(Item(item.command, item.frame, item.params, 0, 0, item.z))[2]
    east, north, _ = flight.course.goal
    flight.steering.go_to_point((east, north, up_m))
    return ACCEPTED


def _guided_heading(flight: Flight, order: Order) -> int:
    """A course over ground is held as a line; of a heading, that over which the wind takes it."""
    kind, angle_deg, *_ = order.item.params
    if not 0.0 <= angle_deg < 360.0 or kind not in (0.0, 1.0, 2.0):
        return DENIED
    if kind == mav.HEADING_TYPE_DEFAULT:
        flight.steering.head(None)
        return ACCEPTED
    way = radians(angle_deg - flight.setup.frame.convergence_deg(*flight.place))
    if kind == mav.HEADING_TYPE_HEADING:
        speed_mps, wind = flight.params["AIRSPEED_CRUISE"], flight.wind
        way = atan2(speed_mps * sin(way) + wind.mean_e_mps, speed_mps * cos(way) + wind.mean_n_mps)
    flight.steering.head(way)
    return ACCEPTED


# --- PX4 -----------------------------------------------------------------------------------------------------------


def _px4_arm(flight: Flight, order: Order) -> int:
    """By force alone it disarms in the air; to arm it makes its checks whatever a ground station says.

    ``arm(reason, cmd.from_external || !forced)`` (Commander.cpp since 1.12).
    """
    wanted, magic, *_ = order.item.params
    if not isfinite(wanted) or round(wanted) not in (0, 1):
        return UNSUPPORTED
    return result_of(flight, flight.arm() if round(wanted) else flight.disarm(force=magic == _FORCE))


def _px4_terminate(flight: Flight, order: Order) -> int:
    if not (order.item.params[0] > 0.5 and flight.armed):
        return DENIED
    return result_of(flight, flight.terminate())


def _px4_change_speed(flight: Flight, order: Order) -> int:
    """Any speed is taken; one that is none ends the last that was."""
    if not (order.item.params[1] > 0.0 and flight.do(order.item)):
        flight.course.usual_speed()
    return ACCEPTED


def _px4_reposition(flight: Flight, order: Order) -> int:
    """It is taken by the mode alone, armed or not; the place counts in the air, its frame never (Commander.cpp).

    What is not given stays as it is: the place, the height; outside its fence it goes nowhere, and says that alone
    (navigator_main.cpp).
    """
    item = order.item
    flags = item.params[1]
    if not (isfinite(flags) and int(flags) == _CHANGE_MODE):
        return UNSUPPORTED
    if not flight.set_mode(flight.dialect.goto_mode):
        return flight.dialect.refusal
    if not flight.landed:
        height = item.z if isfinite(item.z) else flight.setup.home_amsl_m + flight.body.u
        there = replace(item, z=height)
        if flight.guard.allows(flight.course.point_of(there)):
            flight.steering.go_to(there)
        else:
            flight.say(Severity.CRITICAL, "Reposition is outside geofence\t")
    return ACCEPTED


def _px4_reboot(flight: Flight, order: Order) -> int:
    """0 asks for nothing, and gets it."""
    wanted = order.item.params[0]
    return ACCEPTED if wanted == 0.0 or (wanted == _REBOOT and not flight.armed) else DENIED


def _px4_start(flight: Flight, order: Order) -> int:
    count = len(flight.mission) - 1
    if not flight.run.is_there:
        flight.say(Severity.CRITICAL, "Mission start denied! No valid mission\t")
        return DENIED
    return result_of(flight, flight.start_mission()) if -1.0 <= order.item.params[0] < count else DENIED


def _px4_go_around(flight: Flight, _: Order) -> int:
    """Accepted whatever comes of it (navigator_main.cpp); wings on their way down go round above their landing."""
    if flight.dialect.form is Form.WING and not flight.landed and flight.course.lands:
        east, north, _up = flight.course.goal
        flight.course.go_to((east, north, max(flight.body.u, _LEAST_ABORT_M)))
    return ACCEPTED


def _orbit(flight: Flight, order: Order) -> int:
    """Round a place; wings in HOLD, as they loiter. Its turn takes 2 m/s² at most (FlightTaskOrbit)."""
    item = order.item
    radius, speed, nose, _ = item.params
    mode = Mode.LOITER if flight.body.load > 0.0 or flight.dialect.form is Form.WING else Mode.ORBIT
    if not flight.set_mode(mode):
        flight.say(Severity.CRITICAL, "Orbit command rejected")
        return flight.dialect.refusal
    if flight.landed:
        return ACCEPTED
    size_m = min(max(abs(radius), _LEAST_M), _MOST_M) if isfinite(radius) else _LEAST_M
    most_mps = min(_FASTEST_MPS, sqrt(_ORBIT_MPS2 * size_m))
    speed_mps = min(abs(speed), most_mps) if isfinite(speed) else min(1.0, most_mps)
    east, north, up = flight.course.point_of(item if isfinite(item.z) else replace(item, z=0.0, frame=3))
    centre = (east, north, up if isfinite(item.z) else flight.body.u)
    faces = not isfinite(nose) or int(nose) == _TO_THE_CENTRE
    flight.course.orbit(centre, copysign(size_m, radius) if isfinite(radius) else size_m, speed_mps, faces=faces)
    return ACCEPTED


OWN: Mapping[str, Mapping[int, Handler]] = {
    "ardupilot": {
        mav.MAV_CMD_COMPONENT_ARM_DISARM: _arm,
        mav.MAV_CMD_DO_FLIGHTTERMINATION: _terminate,
        mav.MAV_CMD_DO_CHANGE_SPEED: _change_speed,
        mav.MAV_CMD_CONDITION_YAW: _yaw,
        mav.MAV_CMD_DO_FENCE_ENABLE: _fence,
        mav.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN: _reboot,
        mav.MAV_CMD_MISSION_START: _start,
        mav.MAV_CMD_DO_GO_AROUND: _go_around,
        mav.MAV_CMD_GUIDED_CHANGE_SPEED: _in_guided(_guided_speed),
        mav.MAV_CMD_GUIDED_CHANGE_ALTITUDE: _in_guided(_guided_height),
        mav.MAV_CMD_GUIDED_CHANGE_HEADING: _in_guided(_guided_heading),
        mav.MAV_CMD_DO_SET_HOME: ardupilot_home,
    },
    "px4": {
        mav.MAV_CMD_DO_GO_AROUND: _px4_go_around,
        mav.MAV_CMD_DO_REPOSITION: _px4_reposition,
        mav.MAV_CMD_COMPONENT_ARM_DISARM: _px4_arm,
        mav.MAV_CMD_DO_FLIGHTTERMINATION: _px4_terminate,
        mav.MAV_CMD_DO_CHANGE_SPEED: _px4_change_speed,
        mav.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN: _px4_reboot,
        mav.MAV_CMD_MISSION_START: _px4_start,
        mav.MAV_CMD_DO_ORBIT: _orbit,
        mav.MAV_CMD_DO_SET_HOME: px4_home,
    },
}
"""By autopilot."""
