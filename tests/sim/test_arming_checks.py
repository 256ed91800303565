"""Which checks are made before arming: ARMING_SKIPCHK of ArduPilot 4.7, ARMING_CHECK of versions before it."""

import numpy as np
import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import ACCEPTED, HOME, home_item, item, takeoff

SENSORS, PARAMETERS, BATTERY = 1 << 4, 1 << 5, 1 << 8
ALL = (1 << 21) - 2
ARM, MODE, STABILIZE, GUIDED, AUTO = 400, 176, 0, 4, 3
WARNING = "Warning: Arming Checks Disabled"
SETTLING = {"boot": sim.Boot(0.0, 1000.0, 1000.0)}
LOW = {"charge_pct": 5.0}
ABOVE_TERRAIN = [home_item(), takeoff(60.0), item(16, frame=10, lat=HOME[0] + 0.01, lon=HOME[1], z=60.0), item(20)]


def square(far_deg):
    lat, lon = HOME[0] + far_deg, HOME[1]
    return [item(5001, params=(3.0,), lat=lat + a, lon=lon + b) for a, b in [(0, 0), (0.01, 0), (0, 0.01)]]


def vehicle(name=None, value=0.0, **how):
    """One in lock-step, with a parameter by its name."""
    params, charge_pct = how.pop("params", {}), how.pop("charge_pct", 100.0)
    params = params if name is None else {**params, name: float(value)}
    pilot = Pilot(lockstep(params=params, legacy_names=name == "ARMING_CHECK", **how))
    pilot.fleet.vehicles[0].flight.battery.fail(charge_pct, 1.0)
    return pilot


def arms(pilot):
    """Whether it can be armed; its pre-arm bit says the same."""
    good = bool(pilot.request(1).onboard_control_sensors_health & mav.MAV_SYS_STATUS_PREARM_CHECK)
    armed = pilot.command(ARM, 1) == ACCEPTED
    assert armed == good
    return armed


@pytest.mark.parametrize("name", ["ARMING_SKIPCHK", "ARMING_CHECK"])
def test_each_version_has_its_own(name):
    other = {"ARMING_SKIPCHK": "ARMING_CHECK", "ARMING_CHECK": "ARMING_SKIPCHK"}[name]
    default = {"ARMING_SKIPCHK": 0.0, "ARMING_CHECK": 1.0}[name]
    pilot = Pilot(lockstep(legacy_names=name == "ARMING_CHECK"))
    pilot.send(mav.MAVLink_param_request_list_message(1, 1))
    pilot.advance(5.0)
    values = {m.param_id: (m.param_value, m.param_type) for m in pilot.said("PARAM_VALUE")}
    assert values[name] == (default, mav.MAV_PARAM_TYPE_INT32)
    assert other not in values
    with pytest.raises(sim.ConfigError, match=other):
        lockstep(params={other: 1.0}, legacy_names=name == "ARMING_CHECK")


def test_px4_has_neither():
    with pytest.raises(sim.ConfigError, match="ARMING_SKIPCHK"):
        lockstep(autopilot="px4", frame="copter", params={"ARMING_SKIPCHK": 0.0})


SKIPS = pytest.mark.parametrize(
    ("name", "value", "skipped"),
    [
        ("ARMING_SKIPCHK", 0, 0),
        ("ARMING_SKIPCHK", SENSORS, SENSORS),
        ("ARMING_SKIPCHK", BATTERY | PARAMETERS, BATTERY | PARAMETERS),
        ("ARMING_SKIPCHK", -1, ALL),
        ("ARMING_SKIPCHK", ALL, ALL),
        ("ARMING_CHECK", 1, 0),
        ("ARMING_CHECK", 1 | SENSORS, 0),
        ("ARMING_CHECK", ALL, 0),
        ("ARMING_CHECK", SENSORS, ALL & ~SENSORS),
        ("ARMING_CHECK", ALL & ~BATTERY, BATTERY),
        ("ARMING_CHECK", 0, ALL),
    ],
)


@SKIPS
@pytest.mark.parametrize(("check", "trouble"), [(SENSORS, SETTLING), (BATTERY, LOW)], ids=["gyros", "battery"])
def test_a_check_that_is_skipped_refuses_nothing(name, value, skipped, check, trouble):
    pilot = vehicle(name, value, **trouble)
    pilot.command(MODE, 1, STABILIZE)
    assert arms(pilot) is bool(skipped & check)


@SKIPS
def test_a_mission_above_terrain_is_a_check_of_the_parameters(name, value, skipped, tmp_path):
    np.full((1201, 1201), 1180, ">i2").tofile(tmp_path / "N31W111.hgt")
    pilot = vehicle(name, value, terrain=tmp_path)
    assert pilot.upload(ABOVE_TERRAIN) == ACCEPTED
    pilot.command(MODE, 1, STABILIZE)
    assert arms(pilot) is bool(skipped & PARAMETERS)


@SKIPS
def test_the_fence_is_checked_unless_nothing_is(name, value, skipped):
    pilot = vehicle(name, value, params={"FENCE_ENABLE": 1.0, "FENCE_TYPE": 4.0})
    assert pilot.upload(square(0.1), 1) == ACCEPTED
    pilot.command(MODE, 1, STABILIZE)
    assert arms(pilot) is (skipped == ALL)


@pytest.mark.parametrize(("name", "value"), [("ARMING_SKIPCHK", -1), ("ARMING_CHECK", 0)])
def test_what_must_be_is_checked_all_the_same(name, value):
    """A position where the mode needs one, and a mode that can be armed in."""
    pilot = vehicle(name, value, boot=sim.Boot(0.0, 0.0, 30.0))
    assert pilot.command(MODE, 1, GUIDED) != ACCEPTED
    pilot.advance(40.0)
    assert pilot.upload([home_item(), takeoff(20.0), item(20)]) == ACCEPTED
    assert pilot.command(MODE, 1, AUTO) == ACCEPTED
    assert pilot.command(ARM, 1) != ACCEPTED
    assert "Arm: Auto mode not armable" in pilot.texts or "Arm: AUTO mode not armable" in pilot.texts


@SKIPS
def test_it_says_when_nothing_is_checked(name, value, skipped):
    pilot = vehicle(name, value)
    pilot.command(MODE, 1, STABILIZE)
    assert arms(pilot)
    assert (WARNING in pilot.texts) is (skipped == ALL)


def test_it_is_obeyed_as_soon_as_it_is_set():
    pilot = vehicle(**LOW)
    pilot.command(MODE, 1, STABILIZE)
    assert not arms(pilot)
    assert pilot.set_param("ARMING_SKIPCHK", BATTERY) == BATTERY
    assert arms(pilot)


@pytest.mark.parametrize(("landing", "autoland", "good"), [(True, 0, False), (True, 1, True), (False, 0, True)])
def test_a_plane_whose_mission_has_a_landing_wants_its_return_to_use_it(landing, autoland, good):
    """As ArduPlane 4.7-dev says in its own simulator."""
    pilot = vehicle(autopilot="ardupilot", frame="plane", params={"RTL_AUTOLAND": float(autoland)})
    marks = [item(189, lat=HOME[0], lon=HOME[1], z=60.0)] if landing else []
    assert pilot.upload([home_item(), takeoff(60.0), *marks, item(21, lat=HOME[0], lon=HOME[1])]) == 0
    pilot.advance(60.0)
    assert arms(pilot) is good
    assert good == (not any("DO_LAND_START set and RTL_AUTOLAND disabled" in text for text in pilot.texts))
