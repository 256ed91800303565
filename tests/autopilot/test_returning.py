"""Before take-off: a return lands, and where it climbs above a ceiling that is said."""

import struct
from dataclasses import replace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import NotReadyError, Vehicle
from autopilot.returning import check_return
from geo import geodesic_destination
from missions import MissionItem
from tests.autopilot.scripted import FAST, HOME, Script, line_mission, linked

PLANE, VTOL, COPTER = mav.MAV_TYPE_FIXED_WING, mav.MAV_TYPE_VTOL_TILTROTOR, mav.MAV_TYPE_QUADROTOR
PX4_MISSION = replace(line_mission(dialect="px4"), rally=())


def whole(value):
    """As PX4 has a whole number where a float is."""
    return struct.unpack("<f", struct.pack("<i", value))[0], mav.MAV_PARAM_TYPE_INT32


def script(kind=COPTER, rtl=1, up_m=30.0, action=2, limit_m=0.0):
    heights = {"RTL_RETURN_ALT": (up_m, 9), "GF_MAX_VER_DIST": (limit_m, 9)}
    params = {"RTL_TYPE": whole(rtl), "GF_ACTION": whole(action), **heights}
    return Script(autopilot=mav.MAV_AUTOPILOT_PX4, kind=kind, params=params)


def rally(north_m, up_m=0.0):
    lat, lon = geodesic_destination(HOME[0], HOME[1], 0.0, north_m)
    return replace(PX4_MISSION, rally=(MissionItem(0, 3, 5100, x=round(lat * 1e7), y=round(lon * 1e7), z=up_m),))


async def said(given, mission=PX4_MISSION, ceiling_agl_m=None):
    async with linked(given) as (vehicle, link), await Vehicle.connect(link, 1, timing=FAST) as seen:
        place = (round(HOME[0] * 1e7), round(HOME[1] * 1e7), round(HOME[2] * 1000))
        vehicle.send(mav.MAVLink_home_position_message(*place, 0.0, 0.0, 0.0, [1.0, 0.0, 0.0, 0.0], 0.0, 0.0, 0.0))
        assert await seen.wait_until(lambda t: t.home is not None, 10.0) is not None
        return await check_return(seen, mission, ceiling_agl_m)


async def test_a_plane_that_would_circle_over_a_rally_point_is_refused():
    with pytest.raises(NotReadyError, match=r"1 rally points, and a plane .* circles .* \(RTL_TYPE is 1\): take them"):
        await said(script(PLANE), rally(300.0))


@pytest.mark.parametrize(
    ("of", "north_m"),
    [({"kind": PLANE, "rtl": 2}, 300.0), ({"kind": PLANE}, 5.0), ({"kind": VTOL}, 300.0), ({"kind": COPTER}, 300.0)],
    ids=["along its mission", "at home", "with rotors", "a multirotor"],
)
async def test_who_lands_by_a_return_flies_with_rally_points(of, north_m):
    assert await said(script(**of), rally(north_m)) == ()


@pytest.mark.parametrize(("action", "does"), [(2, "stays there until"), (5, "lands where it is")])
async def test_a_return_that_its_own_ceiling_ends_is_refused(action, does):
    """A real PX4 held at its ceiling with GF_ACTION 2, on its way home, and stayed there."""
    words = rf"climbs to 40 m above home .* GF_MAX_VER_DIST is 22 m: there it {does}.*\(GF_ACTION {action}\): lower"
    with pytest.raises(NotReadyError, match=words):
        await said(script(up_m=40.0, limit_m=22.0, action=action))
    # A rally point is landed at: the climb begins there.
    with pytest.raises(NotReadyError, match="climbs to 45 m above home"):
        await said(script(up_m=30.0, limit_m=40.0, action=action), rally(300.0, 15.0))
    assert await said(script(up_m=21.0, limit_m=22.0, action=action)) == ()


async def test_one_that_returns_all_the_same_is_told():
    """A real PX4 flew home over its ceiling with GF_ACTION 3."""
    (one,) = await said(script(up_m=40.0, limit_m=22.0, action=3))
    words = "a return climbs to 40 m above home (RTL_RETURN_ALT 40) and GF_MAX_VER_DIST is 22 m: lower RTL_RETURN_ALT"
    assert one == words


@pytest.mark.parametrize(("ceiling_m", "rtl", "told"), [(90.0, 1, True), (100.0, 1, False), (90.0, 2, False)])
async def test_a_return_above_the_ceiling_of_the_plan_is_told(ceiling_m, rtl, told):
    """As it comes a PX4 plane climbs to 100 m."""
    notes = await said(script(PLANE, up_m=100.0, rtl=rtl), ceiling_agl_m=ceiling_m)
    words = "a return climbs to 100 m above where it lands (RTL_RETURN_ALT) and the plan's ceiling is 90 m above the "
    assert notes == ((f"{words}ground: lower RTL_RETURN_ALT",) if told else ())


async def test_what_is_not_known_to_end_elsewhere_is_not_asked():
    assert await said(Script()) == ()
