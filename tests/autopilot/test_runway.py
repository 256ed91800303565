"""Before wings take off: the nose along the line, and a return that lands."""

import math
import struct
from dataclasses import replace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import CommandError, NotReadyError, ParameterError, Vehicle
from autopilot.runway import check_heading, circles_at_the_end, land_by_mission
from geo import geodesic_destination
from missions import Mission, MissionItem
from tests.autopilot.scripted import FAST, HOME, Script, line_mission, linked

TAKEOFF, LAND, LAND_START, RETURN = 22, 21, 189, 20
ARDUPLANE = {"kind": mav.MAV_TYPE_FIXED_WING}
PX4_PLANE = {"kind": mav.MAV_TYPE_FIXED_WING, "autopilot": mav.MAV_AUTOPILOT_PX4}


def strip_mission(course_deg, *, landing=True, away_m=300.0) -> Mission:
    """Take-off along a course, and a landing sequence at home unless it returns."""
    lat, lon = geodesic_destination(HOME[0], HOME[1], course_deg, away_m)
    off = MissionItem(1, 6, TAKEOFF, x=round(lat * 1e7), y=round(lon * 1e7), z=40.0)
    home = MissionItem(3, 6, LAND, x=round(HOME[0] * 1e7), y=round(HOME[1] * 1e7))
    ends = (MissionItem(2, 2, LAND_START), home) if landing else (MissionItem(2, 2, RETURN),)
    given = line_mission()
    return replace(given, items=(given.items[0], off, *ends))


async def seen(link, vehicle, yaw_deg=None):
    """The vehicle as it is seen, once it has said where it points."""
    found = await Vehicle.connect(link, 1, timing=FAST)
    if yaw_deg is not None:
        vehicle.send(mav.MAVLink_attitude_message(vehicle.clock_ms, 0, 0, math.radians(yaw_deg), 0, 0, 0))
        assert await found.wait_until(lambda t: t.yaw_deg is not None, 10.0)
    return found


@pytest.mark.parametrize("script", [ARDUPLANE, PX4_PLANE], ids=["ardupilot", "px4"])
@pytest.mark.parametrize(("course", "yaw"), [(240.0, 240.0), (240.0, -95.0), (350.0, 15.0), (5.0, 340.0)])
async def test_a_nose_along_the_line_is_let_go(script, course, yaw):
    async with linked(Script(**script)) as (vehicle, link):
        check_heading(await seen(link, vehicle, yaw), strip_mission(course))


@pytest.mark.parametrize(("course", "yaw"), [(240.0, 60.0), (350.0, 25.0), (10.0, 330.0)])
async def test_a_nose_that_points_elsewhere_is_refused_with_the_course(course, yaw):
    async with linked(Script(**ARDUPLANE)) as (vehicle, link):
        with pytest.raises(NotReadyError, match=f"takes off along {course:.0f} degrees, turn it there"):
            check_heading(await seen(link, vehicle, yaw), strip_mission(course))


async def test_one_that_does_not_say_where_it_points_is_refused():
    async with linked(Script(**ARDUPLANE)) as (vehicle, link):
        with pytest.raises(NotReadyError, match="does not say where it points"):
            check_heading(await seen(link, vehicle), strip_mission(90.0))


@pytest.mark.parametrize(
    ("script", "mission"),
    [
        (ARDUPLANE, strip_mission(90.0, landing=False)),
        (ARDUPLANE, strip_mission(90.0, away_m=5.0)),
        ({}, strip_mission(90.0)),
    ],
    ids=["no landing along a line", "straight up", "a multirotor"],
)
async def test_others_may_point_anywhere(script, mission):
    async with linked(Script(**script)) as (vehicle, link):
        check_heading(await seen(link, vehicle, 270.0), mission)


@pytest.mark.parametrize(
    ("script", "name", "present", "wanted"),
    [
        (ARDUPLANE, "RTL_AUTOLAND", 0.0, 1.0),
        (ARDUPLANE, "RTL_AUTOLAND", 2.0, 2.0),
        # 3 lands only after a go-around.
        (ARDUPLANE, "RTL_AUTOLAND", 3.0, 1.0),
        (PX4_PLANE, "RTL_TYPE", 0.0, 1.0),
        (PX4_PLANE, "RTL_TYPE", 2.0, 2.0),
    ],
)
async def test_a_return_is_made_to_land(script, name, present, wanted):
    # PX4 puts the bytes of a whole number where a float is.
    kind, raw = (2, float) if script is ARDUPLANE else (6, lambda n: struct.unpack("<f", struct.pack("<i", int(n)))[0])
    given = Script(**script)
    given.params[name] = (raw(present), kind)
    async with linked(given) as (vehicle, link):
        found = await seen(link, vehicle)
        await land_by_mission(found, strip_mission(90.0, landing=False))
        assert vehicle.script.params[name][0] == raw(present)
        await land_by_mission(found, strip_mission(90.0))
        assert vehicle.script.params[name][0] == raw(wanted)


@pytest.mark.parametrize(("rotors", "present", "wanted"), [(1.0, 0.0, 1.0), (1.0, 3.0, 3.0), (0.0, 0.0, 0.0)])
async def test_a_return_of_wings_with_rotors_is_made_to_land_on_these(rotors, present, wanted):
    """As it comes ArduPilot's QuadPlane circles over home for ever: seen on 4.7-dev, after a breach of its fence."""
    given = Script(**ARDUPLANE)
    given.params |= {"Q_ENABLE": (rotors, 2), "Q_RTL_MODE": (present, 2)}
    async with linked(given) as (vehicle, link):
        await land_by_mission(await seen(link, vehicle), strip_mission(90.0, landing=False))
        assert vehicle.script.params["Q_RTL_MODE"][0] == wanted


@pytest.mark.parametrize(
    ("change", "words"), [({"stubborn": ("RTL_AUTOLAND",)}, "RTL_AUTOLAND was set to 1 and is 0"), ({}, "no parameter")]
)
async def test_a_return_that_cannot_be_made_to_land_is_told(change, words):
    given = Script(**ARDUPLANE, **change)
    if change:
        given.params["RTL_AUTOLAND"] = (0.0, 2)
    async with linked(given) as (vehicle, link):
        with pytest.raises(ParameterError, match=words):
            await land_by_mission(await seen(link, vehicle), strip_mission(90.0))


@pytest.mark.parametrize(
    ("script", "rotors", "landing", "circles"),
    [
        (ARDUPLANE, 0.0, False, True),
        (ARDUPLANE, None, False, True),
        (ARDUPLANE, 1.0, False, False),
        (ARDUPLANE, 0.0, True, False),
        ({}, None, False, False),
    ],
)
async def test_who_circles_at_the_end(script, rotors, landing, circles):
    given = Script(**script)
    if rotors is not None:
        given.params["Q_ENABLE"] = (rotors, 2)
    async with linked(given) as (vehicle, link):
        assert await circles_at_the_end(await seen(link, vehicle), strip_mission(90.0, landing=landing)) is circles


@pytest.mark.parametrize(("rotors", "sequence"), [(True, None), (False, True), (False, False)])
async def test_a_plane_without_rotors_is_landed_by_its_mission(rotors, sequence):
    """QLAND, where it has rotors; else DO_LAND_START as a command, which fails without a landing sequence."""
    refused = {} if sequence is None else {LAND_START: [0 if sequence else 4]}
    given = Script(**ARDUPLANE, orders=lambda mode, _nth: 0 if rotors or mode != 20 else 4, commands=refused)
    async with linked(given) as (vehicle, link):
        found = await seen(link, vehicle)
        if sequence is False:
            with pytest.raises(CommandError, match="DO_LAND_START"):
                await found.land()
        else:
            await found.land()
        asked = [m.command for m in vehicle.heard if m.get_type() in {"COMMAND_LONG", "COMMAND_INT"}]
        assert (LAND_START in asked) is not rotors
