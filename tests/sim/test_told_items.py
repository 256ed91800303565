"""Of which items a vehicle says that they are done: as PX4's navigator and ArduPilot's mission library have it."""

from itertools import groupby, pairwise

import pytest

from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import HOME

LAT, LON = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
TAKE_OFF, WAYPOINT, JUMP, SPEED, GIMBAL, VIDEO, ROI, ROI_NONE, RETURN = 22, 16, 177, 178, 1000, 2500, 195, 197, 20


def place(command, x, z=20.0, *params):
    return (3, command, *(*params, 0.0, 0.0, 0.0, 0.0)[:4], LAT + x, LON, z)


def action(frame, command, *params):
    return (frame, command, *(*params, 0.0, 0.0, 0.0, 0.0)[:4], 0, 0, 0.0)


def mission(frame, *, first):
    """Of two waypoints with actions between, the second half of which is flown twice."""
    return [
        *[place(WAYPOINT, 0)] * first,
        place(TAKE_OFF, 0),
        action(frame, SPEED, 1, 8, -1),
        action(frame, VIDEO),
        place(WAYPOINT, 1000),
        place(ROI, 3000, 0.0),
        action(frame, JUMP, 3 + first, 1),
        place(WAYPOINT, 2000),
        action(frame, ROI_NONE),
        action(frame, RETURN),
    ]


def flown(pilot, items, start, last):
    """Sequence numbers of MISSION_ITEM_REACHED, in order, up to the last."""
    pilot.heartbeat()
    assert pilot.upload(items) == 0
    pilot.advance(1.0)
    start()

    def told():
        return [message.seq for message in pilot.said("MISSION_ITEM_REACHED")]

    pilot.until(lambda: last in told(), 200.0)
    return told()


@pytest.mark.parametrize("frame", ["copter", "vtol"])
def test_px4_tells_of_every_item_but_a_jump(frame):
    pilot = Pilot(lockstep(autopilot="px4", frame=frame, params={"MIS_TKO_LAND_REQ": 0.0}))

    def start():
        assert pilot.command(176, 1, 4, 4) == 0
        assert pilot.command(400, 1) == 0

    # Each may be told again before the next.
    assert [seq for seq, _ in groupby(flown(pilot, mission(2, first=0), start, 7))] == [0, 1, 2, 3, 4, 3, 4, 6, 7]


def px4_that_takes_off(items):
    """One that has told that its take-off is done and flies for a place far away."""
    pilot = Pilot(lockstep(autopilot="px4"))
    assert flown(pilot, items, lambda: [pilot.command(176, 1, 4, 4), pilot.command(400, 1)], 0)[-1] == 0
    return pilot


def told_at(pilot):
    return [at for at, message in pilot.heard if message.get_type() == "MISSION_ITEM_REACHED"]


FAR = [place(TAKE_OFF, 0), place(WAYPOINT, 90_000)]


def test_px4_tells_the_last_item_ten_times_more_a_second_apart():
    pilot = px4_that_takes_off(FAR)
    pilot.advance(20.0, 0.1)
    assert {message.seq for message in pilot.said("MISSION_ITEM_REACHED")} == {0}
    times = told_at(pilot)
    assert len(times) == 11
    assert [b - a for a, b in pairwise(times[1:])] == pytest.approx([1.0] * 9, abs=0.11)


def test_px4_tells_no_item_of_a_mission_that_it_holds_no_more():
    pilot = px4_that_takes_off(FAR)
    assert pilot.upload(FAR[1:]) == 0
    before = len(told_at(pilot))
    pilot.advance(20.0, 0.5)
    assert len(told_at(pilot)) == before


def test_ardupilot_tells_an_item_once():
    pilot = Pilot(lockstep())
    items = [place(WAYPOINT, 0), *FAR]
    flown(pilot, items, pilot.arm_and_start, 1)
    pilot.advance(20.0, 0.5)
    assert [message.seq for message in pilot.said("MISSION_ITEM_REACHED")] == [1]


def test_ardupilot_tells_of_no_action_that_its_mission_library_looks_after():
    pilot = Pilot(lockstep())
    items = mission(3, first=1)
    items.insert(5, place(WAYPOINT, 1100))
    # Item 3 starts a video: of that and of jumps nothing is told. Item 0 is home.
    assert 3 not in flown(pilot, items, pilot.arm_and_start, 9)


def test_ardupilot_tells_the_last_of_the_items_that_are_done_at_once():
    """As ArduCopter 4.7-dev does in its own simulator: 2 for the take-off at 1 and the speed at 2, nothing of the 1."""
    pilot = Pilot(lockstep())
    assert flown(pilot, mission(3, first=1), pilot.arm_and_start, 8) == [2, 5, 5, 8]
