"""Many vehicles at once, over their sockets: each is given a mission of its own, and holds that and no other's."""

import asyncio

import sim
from autopilot import ARDUCOPTER, MissionKind, Timing, Vehicle, open_link, upload_verified
from missions import MissionItem
from tests.autopilot.scripted import HOME
from tests.sim.mav_client import Client

VEHICLES, SPEEDUP = 60, 10.0
LAT, LON = round(HOME[0] * 1e7), round(HOME[1] * 1e7)


def mission(sysid):
    """As long as nobody else's of the same kind of transfer, along a line of its own."""
    home = MissionItem(0, 0, 16, x=LAT, y=LON, z=HOME[2])
    off = MissionItem(1, 3, 22, x=LAT, y=LON, z=30.0)
    return (home, off, *(MissionItem(n, 3, 16, x=LAT + 1000 * sysid, y=LON + 700 * n, z=30.0 + sysid)
                         for n in range(2, 5 + sysid // 2)))  # fmt: skip


async def given(end):
    """What was proved of a vehicle; every other one gets its items one by one, the rest a file."""
    async with (
        await open_link(end.url, time_scale=SPEEDUP) as link,
        await Vehicle.connect(link, end.sysid, timing=Timing(time_scale=SPEEDUP), wait_s=60.0),
    ):
        return await upload_verified(
            link, end.sysid, mission(end.sysid), MissionKind.MISSION, dialect=ARDUCOPTER, by_file=bool(end.sysid % 2)
        )


async def test_sixty_vehicles_are_given_their_missions_at_once():
    config = sim.FleetConfig(home=HOME, vehicles=VEHICLES, boot=sim.Boot(0.0, 0.0, 0.0), speedup=SPEEDUP)
    with sim.start_fleet(config) as fleet:
        proofs = await asyncio.gather(*(given(end) for end in fleet.endpoints))
        for end, proof in zip(fleet.endpoints, proofs, strict=True):
            meant = mission(end.sysid)
            assert (proof.items, proof.by_file) == (len(meant), bool(end.sysid % 2))
            with Client(end, sysid=254) as other:
                held = [(m.command, m.x, m.y, m.z) for m in other.download()]
            assert held[1:] == [(item.command, item.x, item.y, item.z) for item in meant[1:]]
