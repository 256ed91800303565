"""Figures that ArduPilot holds as whole numbers: what it is sent is what it holds, so that what was sent is proved."""

from dataclasses import replace

import pytest

from autopilot import ARDUCOPTER, ARDUPLANE, PX4, MissionKind, upload_verified
from missions import MissionItem
from tests.system.rough import HOME, Joined, run

LAT, LON = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
MISSION, RALLY = MissionKind.MISSION, MissionKind.RALLY


def mission(autopilot, command, *params):
    figures = dict(zip(("p1", "p2", "p3"), params, strict=False))
    home = [MissionItem(0, 0, 16, x=LAT, y=LON, z=HOME[2])] * (autopilot == "ardupilot")
    off, there = (
        MissionItem(0, 3, 22, x=LAT, y=LON, z=30.0),
        MissionItem(0, 3, command, x=LAT, y=LON, z=35.55, **figures),
    )
    return tuple(MissionItem(n, i.frame, i.command, i.p1, i.p2, i.p3, 0.0, i.x, i.y, i.z)
                 for n, i in enumerate((*home, off, there)))  # fmt: skip


@pytest.mark.parametrize("by_file", [True, False])
@pytest.mark.parametrize(
    ("frame", "command", "params", "held"),
    [
        ("copter", 16, (12.3,), (13.0, 0.0, 0.0)),
        ("copter", 16, (12.0,), (12.0, 0.0, 0.0)),
        ("plane", 19, (7.5,), (8.0, 0.0, 1.0)),
        ("plane", 31, (0.0, -80.4), (0.0, -81.0, 0.0)),
        ("plane", 16, (0.0, 30.2), (0.0, 31.0, 0.0)),
    ],
)
def test_a_wait_and_a_radius_are_proved(frame, command, params, held, by_file):
    async def go():
        async with Joined(frame=frame) as joined:
            dialect = ARDUPLANE if frame == "plane" else ARDUCOPTER
            proof = await upload_verified(
                joined.link, 1, mission("ardupilot", command, *params), MISSION, dialect=dialect, by_file=by_file
            )
            assert (proof.items, proof.by_file, proof.attempts) == (3, by_file, 1)
            last = joined.items(MISSION)[-1]
            assert (last.params[0], last.params[1]) == held[:2]
            assert last.z == 35.55

    run(go())


@pytest.mark.parametrize(("up_m", "held_m"), [(87.34, 88.0), (87.0, 87.0), (-3.4, -3.0)])
@pytest.mark.parametrize("by_file", [True, False])
def test_a_rally_point_above_hills_is_proved_and_no_lower_than_was_meant(up_m, held_m, by_file):
    async def go():
        async with Joined() as joined:
            points = (MissionItem(0, 3, 5100, x=LAT, y=LON, z=up_m),)
            proof = await upload_verified(joined.link, 1, points, RALLY, dialect=ARDUCOPTER, by_file=by_file)
            assert proof.attempts == 1
            assert [point.z for point in joined.items(RALLY)] == [held_m]

    run(go())


def test_angles_of_a_gimbal_are_proved():
    async def go():
        async with Joined() as joined:
            items = mission("ardupilot", 1000, -45.4, 30.6, 5.5)
            items = (*items[:-1], replace(items[-1], frame=2, x=12, y=0, z=0.0))
            proof = await upload_verified(joined.link, 1, items, MISSION, dialect=ARDUCOPTER)
            assert proof.attempts == 1
            last = joined.items(MISSION)[-1]
            assert (last.params, last.x) == ((-45.0, 31.0, 6.0, 0.0), 12)

    run(go())


def test_px4_is_sent_what_was_meant():
    async def go():
        async with Joined(autopilot="px4") as joined:
            await upload_verified(joined.link, 1, mission("px4", 16, 12.3), MISSION, dialect=PX4)
            points = (MissionItem(0, 3, 5100, x=LAT, y=LON, z=87.34),)
            await upload_verified(joined.link, 1, points, RALLY, dialect=PX4)
            assert joined.items(MISSION)[-1].params[0] == pytest.approx(12.3)
            assert joined.items(RALLY)[0].z == pytest.approx(87.34)

    run(go())
