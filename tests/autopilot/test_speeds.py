"""Speeds of a mission held against those that a vehicle is set to: what is said, and how simulated rotors fly it."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import NotReadyError, Vehicle
from autopilot.speeds import check_speeds
from cli.simulated import simulated_fleet
from missions import Mission, MissionItem, PlanOptions, Wind, compile_mission, plan
from tests.autopilot.scripted import FAST, Script, linked
from tests.missions.helpers import fleet_for, straight
from tests.sim.wing_flights import Craft, action, place

PX4, ARDUPILOT = mav.MAV_AUTOPILOT_PX4, mav.MAV_AUTOPILOT_ARDUPILOTMEGA
PLANE, COPTER = mav.MAV_TYPE_FIXED_WING, mav.MAV_TYPE_QUADROTOR
AIR, GROUND = 0.0, 1.0
SETTINGS = {
    "MPC_XY_VEL_MAX": 12.0,
    "FW_AIRSPD_MIN": 12.0,
    "FW_AIRSPD_MAX": 26.0,
    "AIRSPEED_MIN": 12.0,
    "AIRSPEED_MAX": 26.0,
}
OLD = {"ARSPD_FBW_MIN": 12.0, "ARSPD_FBW_MAX": 26.0}  # ArduPlane before 4.5


async def said(autopilot, kind, *speeds, settings=SETTINGS):
    """What is said of a mission with these changes of speed: each a type and m/s."""
    params = {name: (value, mav.MAV_PARAM_TYPE_REAL32) for name, value in settings.items()}
    script = Script(autopilot=autopilot, kind=kind, **({"params": params} if params else {}))
    items = tuple(MissionItem(seq, 2, 178, of, speed, -1.0) for seq, (of, speed) in enumerate(speeds, start=1))
    async with linked(script) as (_, link), await Vehicle.connect(link, 1, timing=FAST) as vehicle:
        return await check_speeds(vehicle, Mission("m", vehicle.dialect.name, items, (), ()))


@pytest.mark.parametrize(
    ("autopilot", "kind", "speeds"),
    [
        (PX4, COPTER, [(GROUND, 12.0), (GROUND, 3.0), (GROUND, -1.0)]),
        (PX4, PLANE, [(AIR, 12.0), (AIR, 26.0), (AIR, -1.0)]),
        (PX4, PLANE, [(AIR, 26.05)]),  # it flies 26
        (ARDUPILOT, PLANE, [(AIR, 12.0), (AIR, 26.0), (AIR, -2.0), (GROUND, 5.0)]),
        (ARDUPILOT, COPTER, [(GROUND, 40.0)]),  # it tries
    ],
)
async def test_a_speed_that_it_is_set_to_fly_is_flown_without_a_word(autopilot, kind, speeds):
    assert await said(autopilot, kind, *speeds) == ()


@pytest.mark.parametrize(
    ("autopilot", "kind", "speeds", "settings", "words"),
    [
        (
            PX4,
            COPTER,
            [(GROUND, 10.0), (GROUND, 18.0)],
            SETTINGS,
            "item 2 asks for 18 m/s and MPC_XY_VEL_MAX is 12.* raise",
        ),
        (PX4, COPTER, [(AIR, 12.2)], SETTINGS, "12.2 m/s and MPC_XY_VEL_MAX is 12"),
        (PX4, COPTER, [(2.0, 40.0)], SETTINGS, "40 m/s and MPC_XY_VEL_MAX is 12"),  # it takes none for that of a climb
        (PX4, PLANE, [(AIR, 30.0)], SETTINGS, "30 m/s and FW_AIRSPD_MAX is 26.* raise"),
        (PX4, PLANE, [(AIR, 10.0)], SETTINGS, "10 m/s and FW_AIRSPD_MIN is 12.* lower"),
        (ARDUPILOT, PLANE, [(AIR, 30.0)], SETTINGS, "30 m/s and AIRSPEED_MAX is 26.* raise"),
        (ARDUPILOT, PLANE, [(AIR, 26.002)], SETTINGS, "26.002 m/s and AIRSPEED_MAX is 26"),
        (ARDUPILOT, PLANE, [(AIR, 10.0)], OLD, "10 m/s and AIRSPEED_MIN is 12.* lower"),
    ],
)
async def test_a_speed_that_it_would_not_fly_is_said_before_it_flies(autopilot, kind, speeds, settings, words):
    with pytest.raises(NotReadyError, match=words):
        await said(autopilot, kind, *speeds, settings=settings)


async def test_of_another_version_that_lacks_the_settings_it_is_said_that_nothing_is_known():
    (words,) = await said(PX4, COPTER, (GROUND, 18.0), settings={})
    assert words.startswith("it is not known between which speeds it flies")
    assert "MPC_XY_VEL_MAX" in words


def test_simulated_rotors_are_set_to_what_a_plan_asks_of_them_with_the_wind_behind():
    border = straight(4000.0)
    made = plan(border, fleet_for(border), options=PlanOptions(dwell_s=2.0, wind=Wind(9.0, 290.0)))
    held = simulated_fleet(made, speedup=1.0, seed=1, autopilot="px4").params["MPC_XY_VEL_MAX"]
    items = [item for one in made.sorties for item in compile_mission(made, one, "px4").items]
    asked = [item.p2 for item in items if item.command == mav.MAV_CMD_DO_CHANGE_SPEED]
    assert made.fleet.vehicles[0].aircraft.max_m_s < max(asked) <= held


@pytest.mark.parametrize(("autopilot", "flown"), [("px4", 12.0), ("ardupilot", 18.0)])
def test_rotors_fly_as_the_real_ones_did(autopilot, flown):
    items = [place(0, 0, 30, 22), action(178, GROUND, 18.0, -1.0), place(0, 400, 30), action(20)]
    craft = Craft(autopilot, "copter", items).start()
    craft.until(lambda flight: flight.body.n > 250.0)
    assert craft.flight.body.vn == pytest.approx(flown, abs=0.5)
