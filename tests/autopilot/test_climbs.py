"""Climbs of a mission held against those that wings are set to: by hand, and by how the simulated PX4 flies them."""

import numpy as np
import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from autopilot import NotReadyError, Vehicle
from autopilot.climbs import check_climbs
from missions import Mission, MissionItem, Wind
from tests.autopilot.scripted import FAST, HOME, Script, linked
from tests.sim.wing_flights import FRAME, Craft, action, place

PX4, PLANE, COPTER = mav.MAV_AUTOPILOT_PX4, mav.MAV_TYPE_FIXED_WING, mav.MAV_TYPE_QUADROTOR
REAL = mav.MAV_PARAM_TYPE_REAL32


def script(up=3.0, down=2.0, speed=20.0, kind=PLANE):
    params = {"FW_T_CLMB_R_SP": (up, REAL), "FW_T_SINK_R_SP": (down, REAL), "FW_AIRSPD_TRIM": (speed, REAL)}
    return Script(autopilot=PX4, kind=kind, params=params)


def mission(*steps, dialect="px4"):
    """Take-off to 60 m, then a place for each (metres north of the last, height), or a speed for each number."""
    items, north = [MissionItem(0, 6, 22, x=_north(0.0), y=_east(), z=60.0)], 0.0
    for step in steps:
        if isinstance(step, tuple):
            north += step[0]
            items.append(MissionItem(len(items), 6, 16, x=_north(north), y=_east(), z=step[1]))
        else:
            items.append(MissionItem(len(items), 2, 178, 0.0, step, -1.0))
    return Mission("m", dialect, tuple(items), (), ())


def _north(metres):
    return round(FRAME.to_geodetic(0.0, metres)[0] * 1e7)


def _east():
    return round(FRAME.to_geodetic(0.0, 0.0)[1] * 1e7)


async def held(steps, wind=None, highest_m=0.0, **of):
    """What is said of a mission whose highest place is so high above the sea: there its figures are plain ones."""
    home_m = highest_m - max(item.z for item in mission(*steps).items if item.command != 178)
    async with linked(script(**of)) as (scripted, link), await Vehicle.connect(link, 1, timing=FAST) as vehicle:
        at = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
        with link.mailbox(1, ("GLOBAL_POSITION_INT",)) as box:
            scripted.send(mav.MAVLink_global_position_int_message(9000, *at, round(home_m * 1000), 0, 0, 0, 0, 0))
            assert await box.get(5.0) is not None
        return await check_climbs(vehicle, mission(*steps), wind)


@pytest.mark.parametrize(
    ("steps", "of"),
    [
        ([(800.0, 60.0), (400.0, 119.9)], {}),  # 20 s at 3 m/s
        ([(800.0, 60.0), (400.0, 160.0)], {"up": 5.1}),
        ([10.0, (800.0, 60.0), (200.0, 119.9)], {}),
        ([(800.0, 60.0), (4000.0, 60.0), (800.0, -19.9)], {}),
        ([(800.0, 60.0), (400.0, 160.0)], {"kind": COPTER}),
        # Another layer from the same place on: it climbs on its way to the next.
        ([(800.0, 60.0), (0.0, 80.0), (400.0, 80.0)], {}),
        # Against the wind there is more time, and a place that is never come to is none that it is low at.
        ([(800.0, 60.0), (400.0, 119.9)], {"wind": Wind(10.0, 0.0)}),
        ([(800.0, 60.0), (400.0, 119.9)], {"wind": Wind(25.0, 0.0)}),
    ],
)
async def test_what_it_is_set_to_fly_is_flown_without_a_word(steps, of):
    assert await held(steps, **of) == ()


@pytest.mark.parametrize(
    ("steps", "of", "words"),
    [
        # 100 m in 20 s, of which it makes 60.
        ([(800.0, 60.0), (400.0, 160.0)], {}, r"40 m below the height of item 2: .* 5 m/s and FW_T_CLMB_R_SP is 3"),
        # Two of them: what is missing adds up, and a level leg of 800 m makes it good again.
        ([(800.0, 60.0), (400.0, 160.0), (400.0, 260.0), (800.0, 260.0)], {}, "80 m below the height of item 3"),
        # Twice as fast it takes half the time.
        ([40.0, (800.0, 60.0), (400.0, 120.0)], {}, r"30 m below the height of item 3: .* 6 m/s"),
        ([(800.0, 60.0), (0.0, 160.0), (400.0, 160.0)], {}, r"40 m below the height of item 3: .* 5 m/s"),
        # At the first place already: from the take-off on.
        ([(200.0, 160.0)], {}, "70 m below the height of item 1"),
        # With 12 m/s behind it makes 32 over the ground: 12.5 s, in which it climbs 37.5 m.
        (
            [(800.0, 60.0), (400.0, 119.9)],
            {"wind": Wind(12.0, 180.0)},
            r"22 m below the height of item 2 in a wind of 12 m/s from 180 degrees: .* 4.8 m/s and FW_T_CLMB_R_SP is 3",
        ),
        # Across it the triangle leaves 16 of 20: 25 s; and calm air is the worse one.
        ([(800.0, 60.0), (400.0, 130.0)], {"wind": Wind(12.0, 270.0)}, "10 m below the height of item 2: "),
    ],
)
async def test_a_climb_that_is_too_steep_is_said_before_it_flies(steps, of, words):
    with pytest.raises(NotReadyError, match=words):
        await held(steps, **of)


async def test_without_a_plan_the_air_is_as_thin_as_at_the_highest_place():
    """At 3,000 m an airspeed of 20 m/s is 23.2 over the ground: 400 m take 17.2 s, in which it climbs 51.7 m of 60."""
    steps = [(800.0, 60.0), (400.0, 119.9)]
    assert await held(steps) == ()
    with pytest.raises(NotReadyError, match=r"8 m below the height of item 2: .* 3\.5 m/s and FW_T_CLMB_R_SP is 3"):
        await held(steps, highest_m=3000.0)


async def test_a_descent_that_is_too_steep_is_told():
    (said,) = await held([(800.0, 60.0), (4000.0, 200.0), (400.0, 100.0)])
    assert said.startswith("it comes 60 m above the height of item 3: the mission descends at up to 5 m/s")


async def test_of_another_version_that_lacks_the_settings_it_is_said_that_nothing_is_known():
    bare = Script(autopilot=PX4, kind=PLANE)
    async with linked(bare) as (_, link), await Vehicle.connect(link, 1, timing=FAST) as vehicle:
        (said,) = await check_climbs(vehicle, mission((200.0, 160.0)))
    assert said.startswith("it is not known how fast it climbs")
    assert "FW_T_CLMB_R_SP" in said
    (said,) = await held([(200.0, 160.0)], speed=0.0)
    assert said.endswith("FW_AIRSPD_TRIM is 0")


@pytest.mark.parametrize("behind", [0.0, 12.0])
@pytest.mark.parametrize(("rise_m", "up"), [(100.0, 3.0), (100.0, 8.0), (60.0, 2.0)])
def test_the_simulated_px4_is_as_low_as_is_said(rise_m, up, behind):
    """Its heights come late by the filter of its altitude control too: up to 3.5 s of the climb."""
    items = [place(0, 0, 60, 22), action(178, 0.0, 20.0, -1.0), place(0, 1500, 60), place(0, 1900, 60 + rise_m)]
    items += [place(0, 4000, 60 + rise_m), action(20)]
    air = sim.Wind(behind, 180.0)
    craft = Craft("px4", "plane", items, params={"FW_T_CLMB_R_SP": up}, wind=air).start()
    craft.until(lambda flight: flight.body.n > 1900.0)
    low_m = 60.0 + rise_m - craft.flight.body.u
    takes_s = 400.0 / (20.0 + behind)
    said_m = max(0.0, rise_m - takes_s * up)
    assert said_m - 5.0 < low_m < said_m + 3.5 * min(up, rise_m / takes_s) + 5.0
    assert np.isfinite(low_m)
