"""Sticks over the link: who is heeded, in which modes, for how long, and what comes of letting go."""

from math import hypot, pi

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.crafts import ARM, SET_MODE, every_kind, px4_kinds
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import ACCEPTED, HOME, home_item, waypoint

UNMOVED, RELEASED, NO_AXIS = 65535, 65534, 32767
LOITER, ALT_HOLD, STABILIZE, GUIDED, AUTO = 5, 2, 0, 4, 3
CALM = sim.Wind(0.0, 0.0, 0.0)


def override(pilot, **us):
    """RC_CHANNELS_OVERRIDE of some channels, by number (`c1=1900`); the others are left as they are."""
    channels = [us.get(f"c{n}", UNMOVED if n <= 8 else 0) for n in range(1, 19)]
    pilot.send(mav.MAVLink_rc_channels_override_message(pilot.target, 1, *channels))


def stick(pilot, *, x=0, y=0, z=500, r=0, target=None):
    pilot.send(mav.MAVLink_manual_control_message(pilot.target if target is None else target, x, y, z, r, 0))


def held(pilot, seconds, send):
    """Sent again and again, as a ground station does."""
    for _ in range(round(seconds / 0.25)):
        send()
        pilot.advance(0.25)


def in_the_air(kind="ardupilot", up=30.0, **changes):
    """A multirotor over its pad, in GUIDED or HOLD."""
    pilot = Pilot(lockstep(autopilot=kind, frame="copter", wind=CALM, **changes))
    if kind == "px4":
        assert pilot.command(22, 0, 0, 0, 0, 0, 0, HOME[2] + up) == ACCEPTED
        assert pilot.command(ARM, 1) == ACCEPTED
    else:
        assert [pilot.command(SET_MODE, 1, GUIDED), pilot.command(ARM, 1)] == [ACCEPTED] * 2
        assert pilot.command(22, 0, 0, 0, 0, 0, 0, up) == ACCEPTED
    body = pilot.fleet.vehicles[0].flight.body
    pilot.until(lambda: body.u > up - 1.0)
    return pilot, body


def mode_of(pilot):
    return pilot.request(0).custom_mode


@pytest.mark.parametrize("mode", [LOITER, ALT_HOLD, STABILIZE])
def test_a_copter_goes_where_its_sticks_point(mode):
    """By its own nose, at LOIT_SPEED_MS and PILOT_SPD_UP with a stick at its end."""
    pilot, body = in_the_air(params={"LOIT_SPEED_MS": 8.0, "PILOT_SPD_UP": 2.0})
    assert pilot.command(115, 90) == ACCEPTED
    pilot.until(lambda: abs(body.yaw - pi / 2.0) < 0.01)
    override(pilot, c3=1500)
    assert pilot.command(SET_MODE, 1, mode) == ACCEPTED
    before = body.e, body.n, body.u
    held(pilot, 10.0, lambda: override(pilot, c2=1100, c3=1500))  # pushed: ahead
    assert (body.ve, body.vn) == (pytest.approx(8.0, abs=0.1), pytest.approx(0.0, abs=0.1))
    held(pilot, 9.0, lambda: override(pilot, c1=1900, c2=1500, c3=1500))  # to the right: south
    assert (body.ve, body.vn) == (pytest.approx(0.0, abs=0.1), pytest.approx(-8.0, abs=0.1))
    assert body.u == pytest.approx(before[2], abs=0.5)
    held(pilot, 5.0, lambda: override(pilot, c1=1500, c3=1900))
    assert body.vu == pytest.approx(2.0, abs=0.1)
    yaw = body.yaw
    held(pilot, 2.0, lambda: override(pilot, c3=1500, c4=1900))
    assert body.yaw != pytest.approx(yaw, abs=0.2)


@pytest.mark.parametrize("mode", [GUIDED, AUTO])
def test_in_modes_that_fly_by_themselves_sticks_of_arducopter_do_nothing(mode):
    pilot, body = in_the_air()
    assert pilot.upload([home_item(), waypoint(HOME[0] + 0.005, HOME[1], 30)]) == 0
    assert pilot.command(SET_MODE, 1, mode) == ACCEPTED
    held(pilot, 20.0, lambda: override(pilot, c1=1900, c3=1900))
    assert mode_of(pilot) == mode
    assert abs(body.e) < 1.0
    assert body.u == pytest.approx(30.0, abs=1.0)


def test_arducopter_heeds_its_own_ground_station_alone():
    pilot, body = in_the_air(params={"MAV_GCS_SYSID": 255.0})
    assert pilot.command(SET_MODE, 1, LOITER) == ACCEPTED
    stranger = Pilot(pilot.fleet, as_sysid=250)
    held(stranger, 5.0, lambda: override(stranger, c2=1100))
    held(stranger, 5.0, lambda: stick(stranger, x=1000))
    assert hypot(body.ve, body.vn) < 0.1
    held(pilot, 5.0, lambda: stick(pilot, x=1000, target=2))
    held(pilot, 5.0, lambda: stick(pilot, x=1000, z=-500))
    assert hypot(body.ve, body.vn) < 0.1
    held(pilot, 5.0, lambda: stick(pilot, x=1000))
    assert hypot(body.ve, body.vn) > 5.0


@pytest.mark.parametrize(
    ("longest_s", "after_s", "moves"), [(3.0, 2.0, True), (3.0, 4.5, False), (-1.0, 60.0, True), (0.0, 0.5, False)]
)
def test_an_override_is_forgotten_after_its_time(longest_s, after_s, moves):
    """RC_OVERRIDE_TIME: less than 0 keeps it, 0 takes none."""
    pilot, body = in_the_air(params={"RC_OVERRIDE_TIME": longest_s, "LOIT_SPEED_MS": 2.0})
    assert pilot.command(SET_MODE, 1, LOITER) == ACCEPTED
    override(pilot, c2=1100)
    pilot.advance(after_s)
    north = body.n
    pilot.advance(1.0)
    assert (body.n - north > 0.5) == moves


@pytest.mark.parametrize("how", [{"c2": 0}, {"c2": 1500}])
def test_a_channel_is_let_go_of(how):
    pilot, body = in_the_air(params={"RC_OVERRIDE_TIME": -1.0})
    assert pilot.command(SET_MODE, 1, LOITER) == ACCEPTED
    override(pilot, c2=1100)
    pilot.advance(5.0)
    assert body.vn > 5.0
    override(pilot)  # leaves it as it is
    pilot.advance(1.0)
    assert body.vn > 5.0
    override(pilot, **how)
    pilot.advance(12.0)
    assert hypot(body.ve, body.vn) < 0.1


def test_what_is_overridden_is_told():
    pilot = Pilot(lockstep(wind=CALM))
    override(pilot, c1=1600, c2=1200, c3=1700, c4=1850)
    told = pilot.request(65)
    assert [told.chan1_raw, told.chan2_raw, told.chan3_raw, told.chan4_raw] == [1600, 1200, 1700, 1850]


def test_what_a_ground_station_says_to_all_the_others_hear():
    pilot = Pilot(lockstep(wind=CALM))
    other = Pilot(pilot.fleet, as_sysid=254)
    other.heartbeat()
    pilot.heartbeat()
    other.listen()
    assert [m.get_srcSystem() for m in other.said("HEARTBEAT") if m.type == mav.MAV_TYPE_GCS] == [255]
    assert not [m for m in pilot.said("HEARTBEAT") if m.get_srcSystem() == 255]


def test_an_axis_that_is_none_lets_its_channel_go():
    pilot, body = in_the_air(params={"RC_OVERRIDE_TIME": -1.0})
    assert pilot.command(SET_MODE, 1, LOITER) == ACCEPTED
    stick(pilot, x=1000, y=1000)
    pilot.advance(5.0)
    assert min(abs(body.ve), abs(body.vn)) > 5.0
    stick(pilot, x=NO_AXIS, y=1000)
    pilot.advance(6.0)
    assert abs(body.vn) < 0.1 < abs(body.ve)


def test_sticks_are_a_sign_of_life_of_the_ground_station():
    pilot, _ = in_the_air(params={"FS_GCS_ENABLE": 1.0})
    pilot.heartbeat()
    held(pilot, 12.0, lambda: override(pilot, c1=1500))
    assert mode_of(pilot) == GUIDED
    pilot.advance(8.0)
    assert mode_of(pilot) == 6  # RTL


@pytest.mark.parametrize("mode", [LOITER, ALT_HOLD, STABILIZE])
def test_a_copter_is_lifted_off_and_set_down_by_hand(mode):
    pilot = Pilot(lockstep(wind=CALM, params={"DISARM_DELAY": 5.0}))
    flight = pilot.fleet.vehicles[0].flight
    assert [pilot.command(SET_MODE, 1, mode), pilot.command(ARM, 1)] == [ACCEPTED] * 2
    held(pilot, 2.0, lambda: override(pilot, c3=1500))
    assert flight.landed
    held(pilot, 6.0, lambda: override(pilot, c3=1900))
    assert flight.body.u > 8.0
    for _ in range(400):
        override(pilot, c3=1100)
        pilot.advance(0.25)
        if not flight.armed:
            break
    assert (flight.armed, flight.landed, flight.wrecked) == (False, True, False)


@pytest.mark.parametrize("target", [0, 1])
def test_a_stick_that_moves_takes_px4_out_of_its_mission(target):
    """COM_RC_OVERRIDE: rotors in modes that fly by themselves go to POSCTL, where one moves by COM_RC_STICK_OV."""
    pilot, body = in_the_air("px4")
    posctl = 3 << 16
    held(pilot, 2.0, lambda: stick(pilot, x=250))
    assert mode_of(pilot) != posctl
    held(pilot, 6.0, lambda: stick(pilot, x=900, target=target))
    assert mode_of(pilot) == posctl
    assert "Pilot took over using sticks\t" in pilot.texts
    assert hypot(body.ve, body.vn) > 5.0


@pytest.mark.parametrize(
    ("param", "value"), [("COM_RC_OVERRIDE", 0.0), ("COM_RC_IN_MODE", 0.0), ("COM_RC_IN_MODE", 4.0)]
)
def test_px4_that_takes_no_joystick_flies_on(param, value):
    pilot, body = in_the_air("px4", params={param: value})
    before = mode_of(pilot)
    held(pilot, 6.0, lambda: stick(pilot, x=1000))
    assert mode_of(pilot) == before
    assert hypot(body.ve, body.vn) < 0.1


def test_px4_hears_anybody_and_passes_over_what_is_out_of_range():
    pilot, body = in_the_air("px4")
    other = Pilot(pilot.fleet, as_sysid=77)
    held(other, 1.0, lambda: stick(other, y=-1000))
    assert mode_of(pilot) == 3 << 16
    held(other, 5.0, lambda: stick(other, x=1000, y=2000))
    assert (body.ve, body.vn) == (pytest.approx(0.0, abs=0.2), pytest.approx(10.0, abs=0.2))


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({}, "RTL"),
        ({"NAV_RCL_ACT": 1.0}, "LOITER"),
        ({"NAV_RCL_ACT": 3.0}, "LAND"),
        ({"COM_RCL_EXCEPT": 1.0}, "MISSION"),
    ],
)
def test_px4_in_a_mission_misses_sticks_that_were_there(params, name):
    """NAV_RCL_ACT, in every mode that COM_RCL_EXCEPT does not except (failsafe.cpp)."""
    numbers = {"RTL": 5, "LOITER": 3, "LAND": 6, "MISSION": 4}
    pilot, _ = in_the_air("px4", params=params)
    assert pilot.upload([waypoint(HOME[0] + 0.02, HOME[1], 30)]) == 0
    assert pilot.command(SET_MODE, 1, 4, 4) == ACCEPTED
    held(pilot, 3.0, lambda: stick(pilot))
    assert mode_of(pilot) >> 24 == 4
    pilot.advance(1.5)
    # It holds for 5 s before it does more.
    assert mode_of(pilot) >> 24 == numbers["MISSION" if name == "MISSION" else "LOITER"]
    pilot.advance(5.0)
    assert mode_of(pilot) >> 24 == numbers[name]


@px4_kinds
def test_px4_arms_for_the_sticks_only_where_somebody_is_at_them(kind):
    pilot = Pilot(lockstep(**kind.config, wind=CALM))
    assert pilot.command(SET_MODE, 1, *kind.command_mode("POSCTL")) == ACCEPTED
    assert pilot.command(ARM, 1) == kind.refusal
    pilot.command(401)
    assert "Preflight Fail: No manual control input\t" in pilot.texts
    stick(pilot)
    assert pilot.command(ARM, 1) == ACCEPTED


@px4_kinds
def test_px4_in_the_air_goes_to_no_mode_of_the_sticks_without_them(kind):
    pilot = Pilot(lockstep(**kind.config, wind=CALM))
    assert pilot.upload(_mission(kind)) == 0
    kind_start = [pilot.command(SET_MODE, 1, 4, 4), pilot.command(ARM, 1)]
    assert kind_start == [ACCEPTED] * 2
    body = pilot.fleet.vehicles[0].flight.body
    pilot.until(lambda: body.u > 20.0)
    assert pilot.command(SET_MODE, 1, *kind.command_mode("POSCTL")) == kind.refusal
    assert pilot.texts[-1] == "Switching to Position is currently not available\t"


def _mission(kind):
    return [(frame, command, *rest) for frame, command, *rest in kind.mission()]


@every_kind
def test_wings_and_rotors_are_flown_by_hand_in_modes_that_leave_it_to_them(kind):
    """Banked to the right they turn right; rotors go there."""
    pilot = Pilot(lockstep(**kind.config, wind=CALM))
    assert pilot.upload(_mission(kind)) == 0
    modes = [("MISSION", 0)] if kind.px4 else [(kind.ready, 0), ("AUTO", 1)]
    assert pilot.command(SET_MODE, 1, *kind.command_mode(modes[0][0])) == ACCEPTED
    assert pilot.command(ARM, 1) == ACCEPTED
    if not kind.px4:
        assert pilot.command(SET_MODE, 1, *kind.command_mode("AUTO")) == ACCEPTED
        pilot.command(300)
    body = pilot.fleet.vehicles[0].flight.body
    pilot.until(lambda: body.n > 500.0)
    by_hand = "POSCTL" if kind.px4 else {"copter": "LOITER"}.get(kind.frame, "FBWA")
    stick(pilot, y=0)
    assert pilot.command(SET_MODE, 1, *kind.command_mode(by_hand)) == ACCEPTED
    up = body.u
    held(pilot, 4.0, lambda: stick(pilot, y=800))
    assert body.ve > 5.0
    assert body.u == pytest.approx(up, abs=1.5)
    held(pilot, 4.0, lambda: stick(pilot, x=0, z=500) if kind.frame == "copter" else stick(pilot, x=800))
    assert body.u < up + 0.5 if kind.frame == "copter" else body.u < up - 5.0


@every_kind
def test_noise_at_the_sticks_does_no_harm(kind):
    pilot = Pilot(lockstep(**kind.config, wind=CALM))
    for value in (-32768, 32767, -1, 0, 1001):
        stick(pilot, x=value, y=value, z=value, r=value)
        pilot.advance(0.5)
    for us in (0, 1, 65533, 65534, 65535):
        pilot.send(mav.MAVLink_rc_channels_override_message(1, 1, *[us] * 18))
        pilot.advance(0.5)
    assert pilot.request(0).type == kind.mav_type
