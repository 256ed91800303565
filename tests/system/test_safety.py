"""Safety of the flight side against simulated vehicles over real sockets."""

import asyncio
from dataclasses import replace

import pytest

import autopilot
import sim
from missions import MissionItem

HOME = (31.345, -110.94, 1180.0)


def rows(count, height_m):
    """Places in a row at one height, home first."""
    lat, lon = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
    places = [MissionItem(n, 3, 16, x=lat, y=lon + 500 * n, z=height_m) for n in range(1, count)]
    return (MissionItem(0, 0, 16, x=lat, y=lon, z=HOME[2]), *places)


@pytest.mark.parametrize("kind", list(autopilot.MissionKind))
async def test_a_cancelled_upload_leaves_nothing_to_fly(kind):
    """A vehicle in the middle of an upload refuses to clear, as ArduPilot does."""
    corner = (0, 5001, 30.0)
    frame, command, p1 = {"mission": (3, 16, 0.0), "fence": corner, "rally": (3, 5100, 0.0)}[str(kind)]
    items = [replace(item, frame=frame, command=command, p1=p1) for item in rows(30, 90.0)]
    told = []
    with sim.start_fleet(sim.FleetConfig(home=HOME, boot=sim.Boot(0, 0, 0))) as fleet:
        async with await autopilot.open_link(fleet.endpoints[0].url) as link:
            await link.wait_vehicle(timeout_s=5)
            await autopilot.upload_verified(link, 1, items, kind, dialect=autopilot.ARDUCOPTER)
            halfway = asyncio.Event()
            new = [replace(item, y=item.y + 100) for item in items]
            upload = autopilot.upload_verified(
                link,
                1,
                new,
                kind,
                dialect=autopilot.ARDUCOPTER,
                progress=lambda _, done, __: halfway.set() if done == 10 else None,
                repaired=told.append,
            )
            task = asyncio.create_task(upload)
            await halfway.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert told == [autopilot.VehicleState.CLEARED]
            assert len(await autopilot.download(link, 1, kind)) <= 1
