"""PX4 steered from outside: OFFBOARD by a stream of setpoints, orbits by command; by its documentation."""

from math import atan2, cos, degrees, hypot, nan, pi

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.crafts import ARM, SET_MODE, int_on_wire
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import ACCEPTED, HOME

REJECTED, UNSUPPORTED = 1, 3
OFFBOARD, HOLD = (1, 6), (1, 4, 3)
PLACE, SPEED = 0xDF8, 0xDC7
AUTO_HOLD, AUTO_RTL, ORBIT_MODE = 4 << 16 | 3 << 24, 4 << 16 | 5 << 24, 3 << 16 | 1 << 24


class Steered:
    """A PX4 with rotors, and a companion computer that may go on telling it the same."""

    def __init__(self, **changes):
        calm = {"autopilot": "px4", "frame": "copter", "wind": sim.Wind(0.0, 0.0, 0.0)}
        self.pilot = Pilot(lockstep(**{**calm, **changes}))
        self.flight = self.pilot.fleet.vehicles[0].flight
        self.body = self.flight.body

    def tell(self, mask, *, place=(0.0, 0.0, 0.0), velocity=(0.0, 0.0, 0.0), frame=1, yaw=0.0):
        rest = (0.0, 0.0, 0.0, yaw, 0.0)
        head = (0, 1, 1, frame, mask)
        self.pilot.send(mav.MAVLink_set_position_target_local_ned_message(*head, *place, *velocity, *rest))

    def keep_telling(self, seconds, *what, **more):
        for _ in range(round(seconds * 4)):
            self.tell(*what, **more)
            self.pilot.advance(0.25)

    @property
    def mode(self):
        return self.pilot.request(0).custom_mode


def aloft(**changes):
    """Off the ground in OFFBOARD, without another order."""
    steered = Steered(**changes)
    steered.tell(PLACE, place=(0.0, 0.0, -20.0))
    assert [steered.pilot.command(SET_MODE, *OFFBOARD), steered.pilot.command(ARM, 1)] == [ACCEPTED] * 2
    steered.keep_telling(20.0, PLACE, place=(0.0, 0.0, -20.0))
    assert steered.body.u == pytest.approx(20.0, abs=0.5)
    return steered


def test_offboard_arms_nothing_until_setpoints_come():
    steered = Steered()
    assert steered.pilot.command(SET_MODE, *OFFBOARD) == ACCEPTED  # not armed it takes any mode
    assert steered.pilot.command(ARM, 1) == REJECTED
    steered.tell(PLACE, frame=8)  # of the body's frame it takes velocities alone
    assert steered.pilot.command(ARM, 1) == REJECTED
    steered.tell(SPEED, velocity=(0.0, 0.0, 0.0))
    steered.pilot.advance(3.0)
    assert steered.pilot.command(ARM, 1) == REJECTED


def test_in_the_air_offboard_is_refused_until_setpoints_come():
    steered = aloft()
    assert steered.pilot.command(SET_MODE, *HOLD) == ACCEPTED
    steered.pilot.advance(3.0)
    assert steered.pilot.command(SET_MODE, *OFFBOARD) == REJECTED
    steered.tell(PLACE, place=(0.0, 0.0, -20.0))
    assert steered.pilot.command(SET_MODE, *OFFBOARD) == ACCEPTED


def test_places_and_velocities_are_flown_for_as_long_as_they_are_told():
    steered = aloft()
    body = steered.body
    steered.keep_telling(30.0, PLACE, place=(30.0, -20.0, -25.0))
    assert hypot(body.n - 30.0, body.e + 20.0, body.u - 25.0) < 0.5
    steered.keep_telling(10.0, SPEED, velocity=(0.0, 2.0, 0.5))
    assert (body.vn, body.ve, body.vu) == pytest.approx((0.0, 2.0, -0.5), abs=0.05)
    steered.keep_telling(6.0, SPEED & ~0x400, velocity=(0.0, 0.0, 0.0), yaw=pi / 2)
    assert degrees(body.yaw) % 360.0 == pytest.approx(90.0, abs=2.0)
    steered.keep_telling(5.0, SPEED, velocity=(2.0, 0.0, 0.0), frame=8)  # ahead, which is east now
    assert (body.vn, body.ve) == pytest.approx((0.0, 2.0), abs=0.1)
    steered.keep_telling(40.0, SPEED, velocity=(0.0, 0.0, 1.0))
    assert steered.flight.landed


@pytest.mark.parametrize(("action", "mode"), [(0, AUTO_HOLD), (3, AUTO_RTL)])
def test_setpoints_that_end_are_a_failsafe(action, mode):
    steered = aloft()
    steered.pilot.send(mav.MAVLink_param_set_message(1, 1, b"COM_OBL_RC_ACT", int_on_wire(action), 6))
    steered.keep_telling(3.0, SPEED, velocity=(3.0, 0.0, 0.0))
    steered.pilot.advance(0.5, 0.1)
    assert steered.mode == OFFBOARD[1] << 16
    steered.pilot.advance(1.5, 0.1)
    assert steered.mode == mode
    assert "No offboard signal" in steered.pilot.texts
    if mode == AUTO_HOLD:
        steered.pilot.advance(10.0)
        assert hypot(steered.body.vn, steered.body.ve) < 0.05


def test_setpoints_that_end_on_the_ground_may_disarm():
    steered = Steered(params={"COM_OBL_RC_ACT": 7.0})
    steered.tell(SPEED)
    assert [steered.pilot.command(SET_MODE, *OFFBOARD), steered.pilot.command(ARM, 1)] == [ACCEPTED] * 2
    steered.pilot.advance(0.5, 0.1)
    assert steered.flight.armed
    steered.pilot.advance(1.5, 0.1)
    assert not steered.flight.armed
    assert steered.flight.landed


def test_setpoints_turn_nothing_that_does_not_follow_them():
    """They come before OFFBOARD is asked for, and in any other mode."""
    steered = aloft()
    assert steered.pilot.command(SET_MODE, *HOLD) == ACCEPTED
    before = steered.body.yaw
    for mask in (PLACE, SPEED):
        steered.keep_telling(5.0, mask & ~0x400, yaw=before + pi / 2)
        assert steered.body.yaw == pytest.approx(before, abs=0.01)


def test_the_nose_is_turned_at_a_place_in_either_frame():
    steered = aloft()
    steered.keep_telling(6.0, PLACE & ~0x400, place=(0.0, 0.0, -20.0), yaw=pi / 2)
    assert degrees(steered.body.yaw) % 360.0 == pytest.approx(90.0, abs=2.0)
    place = (round(HOME[0] * 1e7), round(HOME[1] * 1e7), 20.0)
    for _ in range(24):
        head = (0, 1, 1, 6, PLACE & ~0x400)
        steered.pilot.send(mav.MAVLink_set_position_target_global_int_message(*head, *place, *[0.0] * 6, pi, 0.0))
        steered.pilot.advance(0.25)
    assert degrees(steered.body.yaw) % 360.0 == pytest.approx(180.0, abs=2.0)
    assert hypot(steered.body.e, steered.body.n, steered.body.u - 20.0) < 0.5


@pytest.mark.parametrize("lat_e7", [900_000_000, -900_000_000, 2**31 - 1])
def test_a_place_at_a_pole_ends_nothing(lat_e7):
    steered = aloft()
    amsl_m = HOME[2] + 20.0  # of a command, whatever its frame
    head = (0, 1, 1, 6, PLACE)
    steered.pilot.send(mav.MAVLink_set_position_target_global_int_message(*head, lat_e7, 1, 20.0, *[0.0] * 8))
    steered.pilot.advance(1.0)
    steered.pilot.send(
        mav.MAVLink_command_int_message(1, 1, 6, mav.MAV_CMD_DO_ORBIT, 0, 0, 30.0, 4.0, 0.0, 0.0, lat_e7, 1, amsl_m)
    )
    steered.pilot.advance(1.0)
    assert steered.pilot.request(mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT).relative_alt == pytest.approx(20_000, abs=500)


def orbit(steered, radius, speed, nose=0.0, z=nan):
    place = (round(HOME[0] * 1e7), round(HOME[1] * 1e7), z)
    steered.pilot.send(
        mav.MAVLink_command_int_message(1, 1, 0, mav.MAV_CMD_DO_ORBIT, 0, 0, radius, speed, nose, 0, *place)
    )
    return steered.pilot.last("COMMAND_ACK").result


@pytest.mark.parametrize(("radius", "speed", "flown"), [(30.0, 4.0, 4.0), (-30.0, 4.0, 4.0), (8.0, 9.0, 4.0)])
def test_an_orbit_goes_round_as_fast_as_it_was_told_and_the_turn_allows(radius, speed, flown):
    """Clockwise for a positive radius; never more than 2 m/s² across (FlightTaskOrbit)."""
    steered = aloft()
    body = steered.body
    assert orbit(steered, radius, speed) == ACCEPTED
    assert steered.mode == ORBIT_MODE
    steered.pilot.advance(40.0)
    bearing = atan2(body.e, body.n)
    turned = 0.0
    for _ in range(20):
        steered.pilot.advance(0.5)
        assert hypot(body.e, body.n) == pytest.approx(abs(radius), abs=1.5)
        assert cos(body.yaw - atan2(-body.e, -body.n)) > 0.9  # the nose to the centre
        now = atan2(body.e, body.n)
        turned += (now - bearing + pi) % (2 * pi) - pi
        bearing = now
    assert 0.85 * flown < turned * radius / 10.0 < 1.05 * flown
    assert body.u == pytest.approx(20.0, abs=0.5)
    assert steered.pilot.command(SET_MODE, *HOLD) == ACCEPTED
    steered.pilot.advance(10.0)
    assert hypot(body.vn, body.ve) < 0.05


def test_wings_go_round_in_hold_and_ardupilot_knows_no_orbit():
    steered = Steered(frame="plane")
    up = (22, 0, 0, 0, nan, nan, nan, HOME[2] + 50.0)
    assert [steered.pilot.command(*up), steered.pilot.command(ARM, 1)] == [ACCEPTED] * 2
    steered.pilot.until(lambda: steered.body.u > 45.0)
    assert orbit(steered, -120.0, nan, z=HOME[2] + 60.0) == ACCEPTED
    assert steered.mode == AUTO_HOLD
    steered.pilot.advance(120.0)
    assert hypot(steered.body.e, steered.body.n) == pytest.approx(120.0, abs=3.0)
    assert steered.body.u == pytest.approx(60.0, abs=1.0)
    assert steered.pilot.command(SET_MODE, *OFFBOARD) == REJECTED
    assert orbit(Steered(autopilot="ardupilot"), 30.0, 4.0) == UNSUPPORTED
