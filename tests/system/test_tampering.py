"""Another ground station takes away in flight what was proved on the ground: the vehicle comes home, and it is said."""

import asyncio
import re
from dataclasses import replace

import pytest

import autopilot
import missions
import sim
from autopilot.words import MissionKind
from cli.simulated import simulated_fleet
from geo import FlatTerrain, geodesic_distance_m

SPEEDUP = 60.0


@pytest.fixture(scope="module")
def made():
    segment = missions.cut(missions.land_border("ITA", "CHE"), 2500)
    fleet = missions.default_fleet(missions.base_beside(segment), 1)
    return missions.plan(segment, fleet, FlatTerrain(900.0), missions.PlanOptions(shift_s=3600.0))


async def switch_off(link, sysid):
    await meddle(link, sysid, lambda vehicle: vehicle.command(207, 0))  # MAV_CMD_DO_FENCE_ENABLE


async def set_parameter(link, sysid, name, value):
    await meddle(link, sysid, lambda vehicle: vehicle.set_parameter(name, value))


async def meddle(link, sysid, does):
    async with await autopilot.Vehicle.connect(link, sysid, timing=autopilot.Timing(time_scale=SPEEDUP)) as vehicle:
        await does(vehicle)


async def move_home(link, sysid):
    """A few kilometres to the north: over the line."""

    async def elsewhere(vehicle):
        vehicle.ask_home()
        assert await vehicle.wait_until(lambda t: t.home is not None, 60.0)
        lat, lon, amsl_m = vehicle.telemetry.home
        await vehicle.command_int(179, 0.0, frame=0, x=round((lat + 0.05) * 1e7), y=round(lon * 1e7), z=amsl_m)

    await meddle(link, sysid, elsewhere)


async def clear(link, sysid, kind):
    await autopilot.clear(link, sysid, kind, timing=autopilot.Timing(time_scale=SPEEDUP))


async def one_item_fewer(link, sysid, kind):
    timing = autopilot.Timing(time_scale=SPEEDUP)
    held = await autopilot.download(link, sysid, kind, timing=timing)
    await autopilot.upload(link, sysid, held[:-1], kind, timing=timing)


async def as_many_items_elsewhere(link, sysid, kind):
    timing = autopilot.Timing(time_scale=SPEEDUP)
    held = await autopilot.download(link, sysid, kind, timing=timing)
    aside = [replace(item, x=item.x + 2000) if item.command == 16 and item.seq else item for item in held]
    await autopilot.upload(link, sysid, aside, kind, timing=timing)


async def flown(made, name, meddling):
    """The report of a flight in which, once it has reached an item, somebody meddles over a link of its own."""
    config = replace(simulated_fleet(made, speedup=SPEEDUP, seed=1, autopilot=name), boot=sim.Boot(0, 0, 0))
    under_way = asyncio.Event()

    def progress(now):
        if now.stage == "fly" and now.done > 0:
            under_way.set()

    with sim.start_fleet(config) as fleet:
        url = fleet.endpoints[0].url

        async def meddler():
            await under_way.wait()
            async with await autopilot.open_link(url, system_id=250, time_scale=SPEEDUP) as link:
                await meddling(link, 1)

        mission = missions.compile_mission(made, made.sorties[0], name)
        at_work = asyncio.create_task(meddler())
        report = await autopilot.fly(
            [autopilot.FlightTask(1, url, (mission,))], borders=made.borders, time_scale=SPEEDUP, progress=progress
        )
        await at_work
    return report.vehicles[0]


CASES = {
    "the fence is switched off": ("ardupilot", switch_off, "its fence was switched off|FENCE_ENABLE is 0"),
    "the fence only reports": (
        "ardupilot",
        lambda link, sysid: set_parameter(link, sysid, "FENCE_ACTION", 0.0),
        "FENCE_ACTION is 0 now",
    ),
    "its action is none": (
        "px4",
        lambda link, sysid: set_parameter(link, sysid, "GF_ACTION", 0.0),
        "GF_ACTION is 0 now",
    ),
    "the fence is cleared": (
        "ardupilot",
        lambda link, sysid: clear(link, sysid, MissionKind.FENCE),
        "its fence was cleared",
    ),
    "its fence is cleared": ("px4", lambda link, sysid: clear(link, sysid, MissionKind.FENCE), "its fence was cleared"),
    "another mission": (
        "ardupilot",
        lambda link, sysid: one_item_fewer(link, sysid, MissionKind.MISSION),
        "its mission was replaced",
    ),
    "another mission of as many items": (
        "ardupilot",
        lambda link, sysid: as_many_items_elsewhere(link, sysid, MissionKind.MISSION),
        r"its mission was replaced \(item \d+ x",
    ),
    "home is moved": ("ardupilot", move_home, "its home was moved to .* it was set back to"),
    "its home is moved": ("px4", move_home, "its home was moved to .* it was set back to"),
}


@pytest.mark.parametrize(("name", "meddling", "words"), CASES.values(), ids=CASES)
async def test_what_was_proved_and_is_taken_away_in_flight_ends_the_sortie(made, name, meddling, words):
    vehicle = await flown(made, name, meddling)
    (sortie,) = vehicle.sorties
    assert not sortie.completed
    assert re.search(words, sortie.failure), sortie.failure
    assert "not by us" in sortie.failure
    # Home, or to a rally point that is nearer.
    mission, at = missions.compile_mission(made, made.sorties[0], name), sortie.landing
    rally = [geodesic_distance_m(at.lat_deg, at.lon_deg, item.x / 1e7, item.y / 1e7) for item in mission.rally]
    assert min(at.from_home_m, *rally) < 5


async def test_one_that_only_listens_and_asks_disturbs_nothing(made):
    async def listen(link, sysid):
        timing = autopilot.Timing(time_scale=SPEEDUP)
        for kind in (MissionKind.MISSION, MissionKind.FENCE):
            assert await autopilot.download(link, sysid, kind, timing=timing)

    for name in ("ardupilot", "px4"):
        vehicle = await flown(made, name, listen)
        assert vehicle.sorties[0].completed, vehicle.failure
