"""MAV_CMD_DO_SET_HOME as each autopilot takes it: here, or at a place whose height is above sea level."""

from __future__ import annotations

from math import isfinite

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect_terms import Form
from sim.flight import Flight
from sim.flight_conduct import begin_mode
from sim.flight_modes import Mode
from sim.flight_tasks import Vector
from sim.protocol_order import ACCEPTED, DENIED, FAILED, Order

__all__ = ["ardupilot_home", "px4_home"]

_HERE = 1.0
_MOST_LAT_E7, _MOST_LON_E7 = 900_000_000, 1_800_000_000
_REJECTED = int(mav.MAV_RESULT_TEMPORARILY_REJECTED)


def ardupilot_home(flight: Flight, order: Order) -> int:
    """GCS_MAVLINK::handle_command_do_set_home: kept until it boots anew; without a place it is here."""
    item = order.item
    here = item.params[0] == _HERE or item.x == item.y == 0
    if not here and not (_on_the_globe(order) and isfinite(item.z)):
        return DENIED
    if not flight.has_position:
        return FAILED
    _set(flight, _place(flight) if here else flight.course.point_of(item), kept=True)
    if flight.dialect.form is not Form.ROTOR and flight.mode in (Mode.RTL, Mode.HOVER_RTL) and not flight.landed:
        begin_mode(flight)  # ArduPlane turns to it at once, Copter on its next return (GCS_MAVLink_Plane.cpp)
    return ACCEPTED


def px4_home(flight: Flight, order: Order) -> int:
    """Commander and HomePosition.cpp: what was set here is set again where it stands, a place stays."""
    item = order.item
    here = item.params[0] > 0.5
    if not here and not (_on_the_globe(order) and isfinite(item.z)):
        return DENIED
    if not flight.has_position:
        return _REJECTED
    if here:
        _set(flight, _place(flight), kept=False)
    else:
        east, north = flight.setup.frame.to_local(item.x / 1e7, item.y / 1e7)
        _set(flight, (east, north, item.z - flight.setup.home_amsl_m), kept=True)
    return ACCEPTED


def _on_the_globe(order: Order) -> bool:
    """Whether it has a place; without one both are 0."""
    x, y = order.item.x, order.item.y
    return (x, y) != (0, 0) and abs(x) <= _MOST_LAT_E7 and abs(y) <= _MOST_LON_E7


def _place(flight: Flight) -> Vector:
    body = flight.body
    return body.e, body.n, body.u


def _set(flight: Flight, at: Vector, *, kept: bool) -> None:
    flight.course.home.at, flight.course.home.kept = at, kept
    flight.guard.look_again()
