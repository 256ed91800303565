"""A patrol of signed vehicles over two ways each, of which one is cut."""

import asyncio
import hashlib

import autopilot
import sim
from tests.relay import TcpCable, cabled
from tests.system.test_patrol import SPEEDUP, Told, links, made, vehicles

assert made  # a fixture


async def test_a_patrol_goes_on_over_the_other_way(made):
    key = hashlib.sha256(b"border").digest()
    with sim.start_fleet(vehicles(made, transport="tcp", signing_key=key)) as fleet:
        one, other = fleet.endpoints
        async with cabled(TcpCable(one.host, one.port)) as cable:
            told = Told()

            async def cut():
                await told.wait(one.sysid, "on task", False)
                await cable.cut()

            work = asyncio.get_running_loop().create_task(cut())
            report = await autopilot.fly_patrol(
                made,
                [f"{cable.url},{links(fleet)[0]}", other.url],
                time_scale=SPEEDUP,
                hours=0.2,
                signing=autopilot.Signing(autopilot.SigningKey(key)),
                told=told,
            )
            assert work.done(), "nothing was cut"
            await work
    assert report.completed, report.words()
    assert not any(change.silent for vehicle in report.vehicles for change in vehicle.changes)
