"""ArduPilot 4.7 has metres where 4.6 had centimetres, under other names (its page of parameter name changes)."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from sim import dialect_ardupilot
from sim.flight_orders import limits_from
from tests.sim.crafts import ARM, SET_MODE
from tests.sim.lockstep_pilot import Pilot, lockstep

# Old name, new name, of Copter; then those of QuadPlane.
COPTER = [
    ("WPNAV_SPEED", "WP_SPD"),
    ("WPNAV_SPEED_UP", "WP_SPD_UP"),
    ("WPNAV_SPEED_DN", "WP_SPD_DN"),
    ("WPNAV_ACCEL", "WP_ACC"),
    ("WPNAV_ACCEL_Z", "WP_ACC_Z"),
    ("WPNAV_RADIUS", "WP_RADIUS_M"),
    ("RTL_ALT", "RTL_ALT_M"),
    ("RTL_SPEED", "RTL_SPEED_MS"),
    ("LAND_SPEED", "LAND_SPD_MS"),
    ("LAND_SPEED_HIGH", "LAND_SPD_HIGH_MS"),
    ("LAND_ALT_LOW", "LAND_ALT_LOW_M"),
]
QUADPLANE = [(old.replace("WPNAV", "Q_WP"), f"Q_{new}") for old, new in COPTER if old.startswith("WPNAV")]


def table(frame, *, legacy):
    pilot = Pilot(lockstep(frame=frame, legacy_names=legacy))
    pilot.send(mav.MAVLink_param_request_list_message(1, 1))
    pilot.advance(5.0)
    return {message.param_id: message.param_value for message in pilot.said("PARAM_VALUE")}


@pytest.mark.parametrize(("frame", "renamed"), [("copter", COPTER), ("vtol", QUADPLANE)])
def test_each_version_has_its_names_and_units(frame, renamed):
    new, old = table(frame, legacy=False), table(frame, legacy=True)
    for before, after in renamed:
        assert before not in new
        assert after not in old
        assert old[before] == pytest.approx(100.0 * new[after])
    assert len(new) == len(old)


def test_the_older_version_does_not_know_the_new_names():
    with pytest.raises(sim.ConfigError, match="parameter WP_SPD_UP is not simulated"):
        lockstep(legacy_names=True, params={"WP_SPD_UP": 4.0})


@pytest.mark.parametrize(
    ("legacy", "given"),
    [(False, {"WPNAV_SPEED_UP": 400.0}), (False, {"WP_SPD_UP": 4.0}), (True, {"WPNAV_SPEED_UP": 400.0})],
)
def test_the_newer_version_takes_a_figure_by_either_name_the_older_by_its_own(legacy, given):
    pilot = Pilot(lockstep(legacy_names=legacy, params=given))
    body = pilot.fleet.vehicles[0].flight.body
    assert [pilot.command(SET_MODE, 1, 4), pilot.command(ARM, 1), pilot.command(22, 0, 0, 0, 0, 0, 0, 60.0)] == [0] * 3
    pilot.advance(6.0)
    assert body.vu == pytest.approx(4.0, abs=0.1)


def test_what_nothing_could_fly_by_is_what_ardupilot_takes_in_its_place():
    """AC_WPNav: an acceleration of none is the default one, a speed or a radius at least its smallest."""
    names = [new for old, new in COPTER if old.startswith("WPNAV")]
    params = dict.fromkeys(names, 0.0)
    limits = limits_from(dialect_ardupilot.ARDUCOPTER.figures_of(params))
    assert (limits.accel, limits.climb_accel) == (2.5, 1.0)
    assert (limits.speed, limits.up, limits.down, limits.radius_m) == (0.1, 0.1, 0.1, 0.05)
    pilot = Pilot(lockstep(params={"WP_ACC": 0.0, "WP_ACC_Z": 0.0}))
    assert [pilot.command(SET_MODE, 1, 4), pilot.command(ARM, 1), pilot.command(22, 0, 0, 0, 0, 0, 0, 20.0)] == [0] * 3
    pilot.until(lambda: pilot.fleet.vehicles[0].flight.body.u > 19.5, 60.0)
    assert pilot.command(17) == 0
    pilot.advance(2.0)
