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


async def told(first, then=None, mission=None):
    """The report of a flight whose vehicle says where its home is when it is asked, and something else in flight."""
    async with vehicle_at(Script()) as (vehicle, url):
        answer = [first]
        obey = vehicle.on_command_long

        def asked(message):
            obey(message)
            if message.command == mav.MAV_CMD_REQUEST_MESSAGE and message.param1 == mav.MAVLINK_MSG_ID_HOME_POSITION:
                vehicle.send(answer[0])

        def progress(step):
            if step.stage == "fly" and step.done >= 3 and then is not None and answer[0] is first:
                answer[0] = then
                vehicle.send(then)

        vehicle.on_command_long = asked
        task = FlightTask(1, url, (mission or line_mission(400),))
        report = await fly([task], borders=[BORDER], timing=FAST, progress=progress)
    return report.vehicles[0], vehicle


async def test_one_whose_home_is_elsewhere_does_not_take_off():
    report, vehicle = await told(home(HOME[0] + 0.01))
    assert re.search(r"its home is 31\.355.*, 11\d\d m from where it stands.*set its home where", report.failure)
    assert not vehicle.armed
    assert not any(event.kind == "armed" for event in report.sorties[0].events)


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
