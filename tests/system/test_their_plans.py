"""Plan files as QGroundControl saves them, patterns and all, read and flown by `autopilot` on simulated vehicles."""

import asyncio

import pytest

import autopilot
import sim
from tests.missions.test_qgc_files import document, item, read
from tests.missions.test_qgc_patterns import SURVEY, inner, landing, transects

SPEEDUP = 100.0
SIMULATED = {"copter": 2, "plane": 1, "vtol": 20}
AWAY = (0, 0, 0, None, 46.003, 8.012, 50)
OPEN = [None] * 4
RETURN = inner(20, 2, [0] * 7, 30)


def copter(firmware):
    """A survey on the move, one with a picture at each stop, the camera's mode where the autopilot has one."""
    stops = transects(
        "survey",
        inner(16, 3, [0, 0, 0, None, 46.003, 8.0, 60], 9),
        inner(2000, 2, [0, 0, 1, *OPEN], 10),
        inner(16, 3, [0, 0, 0, None, 46.003, 8.001, 60], 11),
        inner(2000, 2, [0, 0, 1, *OPEN], 12),
    )
    mode = [inner(530, 2, [0, 2, None, *OPEN], 1)] if firmware == 12 else []
    return [*mode, item(22), SURVEY, stops, inner(2501, 2, [0, None, None, *OPEN], 13), RETURN], {16, 22}


def plane(_):
    approach = {"landingApproachCoordinate": [46.0, 8.008, 40]}
    # It stands towards the north.
    up = item(22, params=[15, 0, 0, None, 46.002, 8.0, 50])
    return [up, item(16, params=AWAY, number=2), landing("fwLandingPattern", 2, **approach)], {22, 16, 31, 21}


def vtol(_):
    return [item(84), item(16, params=AWAY, number=2), landing("vtolLandingPattern", 1)], {84, 16, 31, 85}


@pytest.mark.parametrize("made", [copter, plane, vtol])
@pytest.mark.parametrize(("name", "firmware"), [("ardupilot", 3), ("px4", 12)])
def test_a_plan_of_theirs_is_flown_whole(tmp_path, made, name, firmware):
    items, reached = made(firmware)
    value = document(*items, firmware=firmware)
    value["mission"]["vehicleType"] = SIMULATED[made.__name__]
    mission = read(tmp_path, value)
    home = (46.0, 8.0, 488.0)
    config = sim.FleetConfig(home, base_port=0, frame=made.__name__, autopilot=name, speedup=SPEEDUP, seed=1)
    with sim.start_fleet(config) as fleet:
        tasks = [autopilot.FlightTask(1, fleet.endpoints[0].url, (mission,))]
        report = asyncio.run(autopilot.fly(tasks, time_scale=SPEEDUP))
    assert report.completed, report.vehicles[0].failure
    (sortie,) = report.vehicles[0].sorties
    assert {one.command for one in sortie.reached} >= reached
    uploaded = {upload.kind: upload.items for upload in sortie.uploads}
    assert uploaded[autopilot.MissionKind.MISSION] == len(mission.items)
