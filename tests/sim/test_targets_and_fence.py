"""Places beyond its fence that a vehicle is steered to by messages: as the sources of each autopilot have it."""

from math import pi

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_state import Mode
from sim.vehicle_targets import take_local_target, take_target
from tests.sim.wing_flights import FRAME, Craft, place

PLACE_AND_YAW = 0b100111111000
ARDUPILOT = {"FENCE_ENABLE": 1, "FENCE_TYPE": 3, "FENCE_RADIUS": 300.0, "FENCE_ALT_MAX": 100.0}
PX4 = {"GF_ACTION": 1, "GF_MAX_HOR_DIST": 300.0, "GF_MAX_VER_DIST": 100.0}


def steer(flight, form, east, north, up):
    """By each message that a place may come in, with the nose to the south."""
    rest = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, pi, 0.0)
    if form == "global":
        lat, lon = FRAME.to_geodetic(east, north)
        x, y = round(lat * 1e7), round(lon * 1e7)
        message = mav.MAVLink_set_position_target_global_int_message(0, 1, 1, 6, PLACE_AND_YAW, x, y, up, *rest)
        return take_target(flight, message)
    at = flight.body if form == "from here" else None
    where = (north, east, -up) if at is None else (north - at.n, east - at.e, at.u - up)
    frame = mav.MAV_FRAME_LOCAL_NED if at is None else mav.MAV_FRAME_LOCAL_OFFSET_NED
    return take_local_target(
        flight, mav.MAVLink_set_position_target_local_ned_message(0, 1, 1, frame, PLACE_AND_YAW, *where, *rest)
    )


def aloft(autopilot, frame, params):
    """Over its pad in the mode in which it is steered."""
    craft = Craft(autopilot, frame, [place(0, 0, 60, 22), place(0, 250, 60)], params=params).start()
    craft.until(lambda flight: flight.body.u > 55.0)
    craft.flight.steering.heard = True
    assert craft.flight.set_mode(Mode.OFFBOARD if autopilot == "px4" else Mode.GUIDED)
    return craft.flight


BEYOND = [(400.0, 0.0, 60.0), (100.0, 0.0, 110.0)]


@pytest.mark.parametrize("form", ["global", "local", "from here"])
@pytest.mark.parametrize("beyond", BEYOND, ids=["far", "high"])
def test_an_arducopter_goes_nowhere_beyond_its_fence(form, beyond):
    """ModeGuided::set_destination: it goes on to where it was going, and says nothing."""
    flight = aloft("ardupilot", "copter", ARDUPILOT)
    assert steer(flight, form, 100.0, 50.0, 60.0)
    flight.events.clear()
    assert flight.course.goal == pytest.approx((100.0, 50.0, 60.0), abs=0.1)
    steer(flight, form, *beyond)
    assert flight.course.goal == pytest.approx((100.0, 50.0, 60.0), abs=0.1)
    assert (flight.mode, list(flight.events)) == (Mode.GUIDED, [])
    flight.params["FENCE_ENABLE"] = 0
    assert steer(flight, form, *beyond)
    assert flight.course.goal == pytest.approx(beyond, abs=0.1)


@pytest.mark.parametrize("beyond", BEYOND, ids=["far", "high"])
def test_a_px4_takes_any_setpoint(beyond):
    flight = aloft("px4", "copter", PX4)
    assert not flight.guard.allows(beyond)
    assert steer(flight, "local", *beyond)
    assert flight.course.goal == pytest.approx(beyond, abs=0.1)


def test_an_arduplane_takes_any_height():
    flight = aloft("ardupilot", "plane", ARDUPILOT)
    east, north, _ = flight.course.goal
    assert not flight.guard.allows((east, north, 110.0))
    assert steer(flight, "global", 0.0, 0.0, 110.0)
    assert flight.course.goal == pytest.approx((east, north, 110.0), abs=0.1)
