"""Safety of the flight side against simulated vehicles over real sockets."""

import asyncio
from dataclasses import replace

import pytest

import autopilot
import sim
from missions import BorderSegment, Mission, MissionItem
from tests.relay import relayed

HOME = (31.345, -110.94, 1180.0)


def rows(count, height_m, step=500):
    """Places in a row at one height, home first; 500 e-7 degrees are 5 m."""
    lat, lon = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
    places = [MissionItem(n, 3, 16, x=lat, y=lon + step * n, z=height_m) for n in range(1, count)]
    return (MissionItem(0, 0, 16, x=lat, y=lon, z=HOME[2]), *places)


def row(height_m, places=5, step=500):
    """A mission along a row of places and home again."""
    home, *flown = rows(places + 1, height_m, step)
    items = [home, replace(flown[0], command=22, y=home.y), *flown, MissionItem(0, 2, 20)]
    return Mission("row", "ardupilot", tuple(replace(item, seq=n) for n, item in enumerate(items)), (), ())


@pytest.mark.parametrize("kind", list(autopilot.MissionKind))
async def test_a_cancelled_upload_leaves_nothing_to_fly(kind):
    """A vehicle in the middle of an upload refuses to clear, as ArduPilot does."""
    corner = (0, 5001, 30.0)
    frame, command, p1 = {"mission": (3, 16, 0.0), "fence": corner, "rally": (3, 5100, 0.0)}[str(kind)]
    items = [replace(item, frame=frame, command=command, p1=p1) for item in rows(30, 90.0)]
    told = []
    with sim.start_fleet(sim.FleetConfig(home=HOME, boot=sim.Boot(0, 0, 0))) as fleet:
        async with await autopilot.open_link(fleet.endpoints[0].url) as link:
            await link.wait_vehicle(timeout_s=30)
            await autopilot.upload_verified(link, 1, items, kind, dialect=autopilot.ARDUCOPTER)
            halfway = asyncio.Event()
            new = [replace(item, y=item.y + 100) for item in items]
            upload = autopilot.upload_verified(
                link,
                1,
                new,
                kind,
                dialect=autopilot.ARDUCOPTER,
                by_file=False,
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


async def test_a_mission_that_another_station_replaces_after_the_proof_is_not_flown():
    speedup = 20.0
    with sim.start_fleet(sim.FleetConfig(home=HOME, speedup=speedup)) as fleet:
        url = fleet.endpoints[0].url
        meddling = []

        async def meddle():
            async with await autopilot.open_link(url, system_id=254) as link:
                await link.wait_vehicle(timeout_s=30)
                await autopilot.upload(link, 1, row(40.0).items)

        def progress(step):
            # The vehicle waits for its position: most of a minute of its own time.
            if step.stage == "ready" and not meddling:
                meddling.append(asyncio.get_running_loop().create_task(meddle()))

        task = autopilot.FlightTask(1, url, (row(30.0),))
        report = await autopilot.fly([task], time_scale=speedup, progress=progress)
        await meddling[0]
        async with await autopilot.open_link(url) as link, await autopilot.Vehicle.connect(link, 1) as seen:
            assert seen.telemetry.armed is False
    assert "mission: reads back differently" in report.vehicles[0].failure
    assert not any(event.kind == "armed" for event in report.vehicles[0].sorties[0].events)


async def test_a_vehicle_whose_positions_no_longer_come_is_sent_home():
    """Its heartbeats go on: it is heard, and nobody sees where it flies."""
    speedup = 20.0
    flying = asyncio.Event()
    with sim.start_fleet(sim.FleetConfig(home=HOME, speedup=speedup, boot=sim.Boot(0, 0, 0))) as fleet:
        end = fleet.endpoints[0]
        lost = lambda m: flying.is_set() and m.get_type() == "GLOBAL_POSITION_INT"  # noqa: E731
        async with relayed(end.host, end.port, lost) as url:
            task = autopilot.FlightTask(1, url, (row(30.0, places=40, step=5000),))
            report = await autopilot.fly(
                [task],
                time_scale=speedup,
                progress=lambda step: flying.set() if step.stage == "fly" and step.done >= 2 else None,
            )
        async with await autopilot.open_link(end.url) as link, await autopilot.Vehicle.connect(link, 1) as seen:
            landed = await seen.wait_until(lambda t: t.armed is False, 5.0)
    assert landed is not None
    assert "says no position for" in report.vehicles[0].failure
    assert "it obeyed RTL and is down" in report.vehicles[0].failure


async def test_an_order_home_that_is_lost_is_given_until_it_is_obeyed():
    """Beyond a border, over a link that loses the first dozen orders: more than one order is ever repeated."""
    speedup = 20.0
    lost_orders = []

    def lost(message):
        order = message.get_type() == "COMMAND_LONG" and (message.command, message.param2) == (176, 6.0)
        if order and len(lost_orders) < 12:
            lost_orders.append(message)
            return True
        return False

    meridian = BorderSegment("meridian", "USA", "MEX", ((-110.93, 31.30), (-110.93, 31.40)), "left")
    with sim.start_fleet(sim.FleetConfig(home=HOME, speedup=speedup, boot=sim.Boot(0, 0, 0))) as fleet:
        end = fleet.endpoints[0]
        async with relayed(end.host, end.port, lost) as url:
            task = autopilot.FlightTask(1, url, (row(30.0, places=100, step=5000),))
            report = await autopilot.fly([task], time_scale=speedup, borders=[meridian])
    assert len(lost_orders) == 12
    (sortie,) = report.vehicles[0].sorties
    assert "crossed the border and does not turn back" in sortie.failure
    assert "it obeyed RTL and is down" in sortie.failure
    assert sortie.landing.from_home_m < 5
    assert len(sortie.reached) < 90
