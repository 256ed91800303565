"""Home that is set elsewhere: who takes what, and what then counts from it."""

from math import nan

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav
from pyproj import Geod

import sim
from tests.sim.crafts import ARM, METRE, RTL, SET_MODE, every_kind
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import ACCEPTED, HOME

LAT, LON, AMSL = HOME
SET_HOME = 179
DENIED, FAILED, TEMPORARILY_REJECTED = 2, 4, 1
PLACE = 33


def of(kind, **changes):
    return Pilot(lockstep(**{**kind.config, "wind": sim.Wind(0.0, 0.0, 0.0), **changes}))


def away_m(message, lat, lon):
    return Geod(ellps="WGS84").inv(message.lon / 1e7, message.lat / 1e7, lon, lat)[2]


def set_home(pilot, lat, lon, amsl_m):
    """By COMMAND_INT: a COMMAND_LONG carries a longitude to a metre."""
    return pilot.command_int(SET_HOME, frame=0, lat=lat, lon=lon, z=amsl_m)


def aloft(autopilot="ardupilot", up_m=30.0, **changes):
    """A multirotor that hovers above its pad, and tells its place."""
    pilot = Pilot(lockstep(autopilot=autopilot, frame="copter", wind=sim.Wind(0.0, 0.0, 0.0), **changes))
    if autopilot == "px4":
        orders = [(ARM, 1), (22, -1, 0, 0, nan, LAT, LON, AMSL + up_m)]
    else:
        orders = [(SET_MODE, 1, 4), (ARM, 1), (22, 0, 0, 0, 0, 0, 0, up_m)]
    pilot.stream(PLACE)
    assert [pilot.command(*order) for order in orders] == [ACCEPTED] * len(orders)
    pilot.advance(1.0)
    pilot.until(lambda: pilot.last("GLOBAL_POSITION_INT").relative_alt > 1000 * (up_m - 0.3))
    return pilot


@every_kind
def test_a_new_home_is_told_to_everybody_and_heights_count_from_it(kind):
    pilot = of(kind)
    other = Pilot(pilot.fleet, as_sysid=250)
    other.heartbeat()
    assert pilot.request(PLACE).relative_alt == 0
    there = (LAT + 200 * METRE, LON - 200 * METRE, AMSL - 12.5)
    assert set_home(pilot, *there) == ACCEPTED
    other.listen()
    for told in (pilot.last("HOME_POSITION"), other.last("HOME_POSITION")):
        assert (told.latitude, told.longitude) == pytest.approx([round(1e7 * value) for value in there[:2]], abs=1)
        assert told.altitude == round(1000 * there[2])
    now = pilot.request(PLACE)
    assert (now.relative_alt, now.alt) == (12_500, round(1000 * AMSL))
    assert away_m(now, LAT, LON) < 0.1
    # Until it boots anew, or the home that it has is set here again.
    assert pilot.command(SET_HOME, 1) == ACCEPTED
    assert pilot.last("HOME_POSITION").altitude == round(1000 * AMSL)
    assert set_home(pilot, *there) == ACCEPTED
    assert pilot.command(246, 1) == ACCEPTED
    pilot.advance(60.0)
    assert pilot.command(410) == ACCEPTED
    assert pilot.last("HOME_POSITION").altitude == round(1000 * AMSL)


@every_kind
def test_what_is_no_home_is_refused_and_changes_nothing(kind):
    pilot = of(kind)
    for place in ((95.0, LON, AMSL), (LAT, LON, nan)):
        assert pilot.command(SET_HOME, 0, 0, 0, 0, *place) == DENIED
    # Without a place ArduPilot takes where it is, and PX4 nothing.
    assert pilot.command(SET_HOME, 0) == (DENIED if kind.px4 else ACCEPTED)
    assert pilot.command(410) == ACCEPTED
    assert pilot.last("HOME_POSITION").latitude == round(LAT * 1e7)


@every_kind
def test_before_there_is_a_position_there_is_no_home(kind):
    pilot = of(kind, boot=sim.Boot(0.0, 0.0, 40.0))
    for order in ((1,), (0, 0, 0, 0, LAT, LON, AMSL)):
        assert pilot.command(SET_HOME, *order) == (TEMPORARILY_REJECTED if kind.px4 else FAILED)


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_a_return_leads_to_the_new_home_and_one_that_is_under_way_to_the_old(autopilot):
    rtl = (4, 5) if autopilot == "px4" else (6,)
    first, second = (LAT + 100 * METRE, LON), (LAT - 100 * METRE, LON)
    pilot = aloft(autopilot)
    assert set_home(pilot, *first, AMSL) == ACCEPTED
    assert pilot.command(SET_MODE, 1, *rtl) == ACCEPTED
    pilot.advance(3.0)
    assert set_home(pilot, *second, AMSL) == ACCEPTED
    # Told where it stands as it disarms: the crew takes it back to its pad after that.
    landed = pilot.until(lambda: "Disarming motors" in pilot.texts, 200.0)
    at = [message for when, message in pilot.heard if message.get_type() == "GLOBAL_POSITION_INT" and when < landed]
    assert away_m(at[-2], *first) < 2.0


def test_an_arduplane_that_returns_turns_to_the_new_home_at_once():
    pilot = Pilot(lockstep(frame="plane", wind=sim.Wind(0.0, 0.0, 0.0)))
    lat, lon = round(LAT * 1e7), round(LON * 1e7)
    far = round((LAT + 5000 * METRE) * 1e7)
    mission = [
        (0, 16, 0.0, 0.0, 0.0, 0.0, lat, lon, 0.0),
        (3, 22, 10.0, 0.0, 0.0, 0.0, 0, 0, 60.0),
        (3, 16, 0.0, 0.0, 0.0, 0.0, far, lon, 60.0),
    ]
    assert pilot.upload(mission) == 0
    assert [pilot.command(SET_MODE, 1, 5), pilot.command(ARM, 1), pilot.command(SET_MODE, 1, 10)] == [ACCEPTED] * 3
    pilot.stream(PLACE)
    pilot.advance(60.0)
    assert pilot.command(RTL) == ACCEPTED
    pilot.advance(10.0)
    there = (LAT + 1000 * METRE, LON + 1500 * METRE)
    assert set_home(pilot, *there, AMSL) == ACCEPTED
    pilot.advance(200.0)
    assert away_m(pilot.last("GLOBAL_POSITION_INT"), *there) < 120.0


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_heights_above_home_are_flown_above_the_new_one(autopilot):
    pilot = aloft(autopilot)
    assert set_home(pilot, LAT, LON, AMSL + 10.0) == ACCEPTED
    assert pilot.request(PLACE).relative_alt == pytest.approx(20_000, abs=500)
    # To 40 m above home, which lies 10 m above the pad; PX4 knows heights above it in missions alone.
    if autopilot == "px4":
        there = (6, 16, 0.0, 0.0, 0.0, 0.0, round((LAT + 50 * METRE) * 1e7), round(LON * 1e7), 40.0)
        assert pilot.upload([there]) == 0
        assert pilot.command(SET_MODE, 1, 4, 4) == ACCEPTED
    else:
        assert pilot.command_int(192, -1, 1.0, frame=6, lat=LAT + 50 * METRE, lon=LON, z=40.0) == ACCEPTED
    pilot.advance(60.0)
    assert pilot.last("GLOBAL_POSITION_INT").alt == pytest.approx(1000 * (AMSL + 50.0), abs=1000)
    assert pilot.last("GLOBAL_POSITION_INT").relative_alt == pytest.approx(40_000, abs=1000)


def test_the_circle_of_the_fence_is_about_home():
    pilot = aloft()
    for name, value in {"FENCE_TYPE": 2.0, "FENCE_RADIUS": 150.0, "FENCE_ACTION": 1.0, "FENCE_ENABLE": 1.0}.items():
        assert pilot.set_param(name, value) == value
    pilot.advance(5.0)
    assert not any("breached" in text for text in pilot.texts)
    assert set_home(pilot, LAT + 200 * METRE, LON, AMSL) == ACCEPTED
    pilot.advance(1.0)
    assert "Circle fence breached" in pilot.texts


def test_home_is_item_0_of_a_mission_of_ardupilot():
    pilot = Pilot(lockstep())
    assert pilot.upload([(3, 16, 0.0, 0.0, 0.0, 0.0, 10, 10, 5.0)] * 2) == 0
    assert set_home(pilot, LAT + 0.001, LON, AMSL + 7.0) == ACCEPTED
    pilot.send(mav.MAVLink_mission_request_list_message(1, 1, 0))
    pilot.send(mav.MAVLink_mission_request_int_message(1, 1, 0, 0))
    item = pilot.last("MISSION_ITEM_INT")
    assert (item.x, item.z) == (round((LAT + 0.001) * 1e7), AMSL + 7.0)


def test_a_px4_whose_home_was_set_here_has_it_where_it_is_put_and_an_ardupilot_where_it_was():
    """HomePosition.cpp: without manual_home it follows a vehicle that was moved; ArduPilot's is locked."""
    for autopilot, up_m in (("px4", 0.0), ("ardupilot", 30.0)):
        pilot = aloft(autopilot)
        assert pilot.command(SET_HOME, 1) == ACCEPTED
        assert pilot.last("HOME_POSITION").altitude == pytest.approx(1000 * (AMSL + 30.0), abs=1000)
        assert pilot.command(21) == ACCEPTED
        pilot.until(lambda: "Disarming motors" in pilot.texts, 200.0)  # noqa: B023
        pilot.advance(120.0)
        assert pilot.command(410) == ACCEPTED
        assert pilot.last("HOME_POSITION").altitude == pytest.approx(1000 * (AMSL + up_m), abs=1000)


def test_a_px4_tells_everybody_where_its_home_is_when_it_has_landed_and_when_it_is_carried_back():
    """A real one says so before its next heartbeat: who watches its home is not to go by an old one."""
    pilot = aloft("px4", turnaround_s=60.0)
    other = Pilot(pilot.fleet, as_sysid=250)
    other.heartbeat()
    there = (LAT + 60 * METRE, LON)
    assert pilot.command_int(192, -1.0, 1.0, frame=0, lat=there[0], lon=there[1], z=AMSL + 30.0) == ACCEPTED
    pilot.advance(30.0)
    assert pilot.command(21) == ACCEPTED
    other.listen()
    pilot.heard.clear()
    other.heard.clear()
    pilot.until(lambda: "Disarming motors" in pilot.texts, 200.0)
    pilot.advance(3.0, slice_s=0.5)
    other.listen()
    for peer in (pilot, other):
        kinds = [message for _, message in peer.heard if message.get_type() in ("HEARTBEAT", "HOME_POSITION")]
        told = next(k for k, m in enumerate(kinds) if m.get_type() == "HOME_POSITION" and at(m, there))
        disarmed = next(k for k, m in enumerate(kinds) if m.get_type() == "HEARTBEAT" and not m.base_mode & 128)
        assert told < disarmed
    pilot.advance(60.0, slice_s=0.5)
    assert at(pilot.last("HOME_POSITION"), (LAT, LON))


def at(home, place):
    """Whether a HOME_POSITION is within 3 m of a place."""
    return Geod(ellps="WGS84").inv(home.longitude / 1e7, home.latitude / 1e7, place[1], place[0])[2] < 3.0
