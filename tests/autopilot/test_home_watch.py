"""Home: where a vehicle returns to, before it takes off and in flight. That it is set back is flown in tests/system."""

import re
from dataclasses import replace

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import FlightTask, fly
from tests.autopilot.scripted import FAST, HOME, Script, line_mission, vehicle_at
from tests.autopilot.test_fly import BORDER

LAND = 9


def home(lat=HOME[0], lon=HOME[1], amsl_m=HOME[2]):
    place = (round(lat * 1e7), round(lon * 1e7), round(amsl_m * 1000))
    return mav.MAVLink_home_position_message(*place, 0.0, 0.0, 0.0, [1.0, 0.0, 0.0, 0.0], 0.0, 0.0, 0.0)


async def told(first, then=None, mission=None, armed=None, script=None):
    """The report of a flight whose vehicle says where its home is when it is asked, and something else in flight.

    From its arming on that may be another place, as it is on a vehicle that sets it by itself.
    """
    async with vehicle_at(script or Script()) as (vehicle, url):
        answer = [first]
        obey = vehicle.on_command_long

        def asked(message):
            obey(message)
            if message.command == mav.MAV_CMD_COMPONENT_ARM_DISARM and message.param1 == 1.0 and armed is not None:
                answer[0] = armed
            if message.command == mav.MAV_CMD_REQUEST_MESSAGE and message.param1 == mav.MAVLINK_MSG_ID_HOME_POSITION:
                vehicle.send(answer[0])

        def progress(step):
            if step.stage == "fly" and step.done >= 3 and then is not None and answer[0] in (first, armed):
                answer[0] = then
                vehicle.send(then)

        vehicle.on_command_long = asked
        task = FlightTask(1, url, (mission or line_mission(400),))
        report = await fly([task], borders=[BORDER], timing=FAST, progress=progress)
    return report.vehicles[0], vehicle


ELSEWHERE = r"its home is 31\.355.*, 11\d\d m from where it stands.*set its home where"


async def test_one_whose_home_is_elsewhere_does_not_take_off():
    """Arming a multirotor sets its home anew, unless somebody has set it: it is looked at before the mission starts."""
    report, vehicle = await told(home(HOME[0] + 0.01))
    assert re.search(ELSEWHERE, report.failure)
    assert not vehicle.armed
    assert not any(getattr(heard, "command", None) == mav.MAV_CMD_MISSION_START for heard in vehicle.heard)
    assert report.sorties[0].reached == ()


async def test_a_multirotor_that_was_carried_to_its_pad_flies():
    """Its home is where it was switched on until it arms, and nobody is blamed for that it moves then."""
    report, vehicle = await told(home(HOME[0] + 0.01), armed=home())
    assert report.failure is None
    assert report.sorties[0].completed
    assert not any("home was moved" in event.text for event in report.sorties[0].events)
    assert not any(getattr(heard, "command", None) == mav.MAV_CMD_DO_SET_HOME for heard in vehicle.heard)


async def test_after_its_arming_nobody_moves_the_home_of_one_that_was_carried():
    report, vehicle = await told(home(HOME[0] + 0.01), home(HOME[0] - 0.05), armed=home())
    assert re.search(r"its home was moved to 31\.295.*not set back", report.failure)
    assert [round(m.x / 1e7, 6) for m in vehicle.heard if m.get_type() == "COMMAND_INT"][:1] == [HOME[0]]


async def test_one_that_sets_no_home_as_it_arms_is_not_armed_where_it_is_elsewhere():
    plane = Script(kind=mav.MAV_TYPE_VTOL_TILTROTOR)
    plane.params |= {
        "Q_ENABLE": (1.0, 2),
        "Q_RTL_MODE": (1.0, 2),
        "FS_GCS_ENABL": (1.0, 2),
        "THR_FAILSAFE": (0.0, 2),
        "RTL_AUTOLAND": (2.0, 2),
    }
    report, vehicle = await told(home(HOME[0] + 0.01), armed=home(), script=plane)
    assert re.search(ELSEWHERE, report.failure)
    assert not any(event.kind == "armed" for event in report.sorties[0].events)
    assert not vehicle.armed


async def test_one_whose_home_was_moved_and_is_not_set_back_lands_where_it_is():
    report, vehicle = await told(home(), home(HOME[0] - 0.05))
    assert re.search(r"its home was moved to 31\.295.*not set back.*by hand.*obeyed LAND", report.failure)
    assert vehicle.mode == LAND
    assert not vehicle.armed
    assert any("its home was moved" in event.text for event in report.sorties[0].events)


async def test_a_home_that_is_mended_by_some_metres_is_the_same():
    report, _ = await told(home(), home(HOME[0] + 0.0001, amsl_m=HOME[2] + 8.0))
    assert report.failure is None
    assert report.sorties[0].completed


async def test_a_mission_that_sets_its_home_itself_is_not_in_its_own_way():
    made = line_mission(400)
    items = tuple(replace(item, command=mav.MAV_CMD_DO_SET_HOME) if item.seq == 9 else item for item in made.items)
    report, _ = await told(home(), home(HOME[0] - 0.05), replace(made, items=items))
    assert not any("its home was moved" in event.text for event in report.sorties[0].events)
    assert report.failure is None or "home" not in report.failure


async def test_below_its_base_too_nobody_moves_its_home():
    """As where a base stands on a hill: of a height above home nobody can tell that it is down."""
    made = line_mission(400)
    items = tuple(replace(item, z=-20.0) if item.command == 16 and item.seq > 0 else item for item in made.items)
    report, _ = await told(home(), home(HOME[0] - 0.05), replace(made, items=items))
    assert re.search(r"its home was moved to 31\.295", report.failure)


async def test_one_that_sets_its_home_where_it_has_landed_has_come_home():
    """A PX4 does so as soon as it has disarmed, and says so before its next heartbeat."""
    moved, flown = home(HOME[0] + 0.0005), []
    async with vehicle_at(Script()) as (vehicle, url):
        obey, send = vehicle.on_command_long, vehicle.send

        def asked(message):
            obey(message)
            if message.command == mav.MAV_CMD_REQUEST_MESSAGE and message.param1 == mav.MAVLINK_MSG_ID_HOME_POSITION:
                vehicle.send(moved if len(flown) > 1 and not flown[-1] else home())

        def told_down(message):
            send(message)
            if message.get_type() == "GLOBAL_POSITION_INT" and flown[-1:] != [message.relative_alt > 2000]:
                flown.append(message.relative_alt > 2000)
                if len(flown) > 1 and not flown[-1]:
                    send(moved)

        vehicle.on_command_long, vehicle.send = asked, told_down
        report = await fly([FlightTask(1, url, (line_mission(40),))], borders=[BORDER], timing=FAST)
    assert flown[-1] is False
    assert report.vehicles[0].failure is None
    assert not any(getattr(heard, "command", None) == mav.MAV_CMD_DO_SET_HOME for heard in vehicle.heard)
