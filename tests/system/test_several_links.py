"""Several links to one vehicle, and several vehicles on one link, in flights of simulated vehicles."""

import asyncio
import re
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import FlightError, FlightLimits, FlightTask, LinkError, Timing, Vehicle, fly, open_link
from tests.autopilot.scripted import line_mission
from tests.ports import free_port
from tests.relay import relayed
from tests.system.test_reconnect import SPEEDUP, TIMING, in_the_air, vehicles


@asynccontextmanager
async def two_ways(end):
    """Two relays to one vehicle, each with what it carried and a switch that cuts it."""
    async with AsyncExitStack() as stack:
        ways = []
        for _ in range(2):
            way = SimpleNamespace(cut=False, carried=[], url="")

            def lost(message, way=way):
                way.carried.append(message)
                return way.cut

            way.url = await stack.enter_async_context(relayed(end.host, end.port, lost))
            ways.append(way)
        yield ways


def joined(ways):
    return ",".join(way.url for way in ways)


def orders(way):
    """What went to the vehicle over a way, beside heartbeats and what introduces us."""
    return [
        message
        for message in way.carried
        if message.get_srcSystem() == 255 and message.get_type() not in {"HEARTBEAT", "TIMESYNC"}
    ]


def streams(way):
    """What a vehicle was asked over a way to send."""
    return [m.param1 for m in orders(way) if m.get_type() == "COMMAND_LONG" and m.command == 511]


async def test_a_flight_loses_nothing_when_one_of_its_two_links_is_cut():
    with vehicles(params={"FS_GCS_ENABLE": 1.0}) as fleet:
        async with two_ways(fleet.endpoints[0]) as ways:
            used = []

            async def cut():
                used[:] = sorted(ways, key=lambda way: len(orders(way)))
                assert not streams(used[0])  # what was answered went over the other alone
                used[1].cut = True

            progress = in_the_air(cut)
            task = FlightTask(1, joined(ways), (line_mission(3),))
            report = await fly([task], timing=TIMING, time_scale=SPEEDUP, progress=progress)
            await progress.tasks[0]
            spare, first = used
            for way in ways:
                assert any(m.get_type() == "HEARTBEAT" and m.get_srcSystem() == 255 for m in way.carried)
            assert mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT in streams(spare)
    assert report.completed, report.vehicles[0].failure
    sortie = report.vehicles[0].sorties[0]
    reached = [item.seq for item in sortie.reached]
    assert {3, 4, 5} <= set(reached)
    assert len(reached) == len(set(reached))
    assert sortie.max_deviation_m < 50.0
    assert first.cut


async def test_both_links_cut_are_a_silence():
    with vehicles() as fleet:
        async with two_ways(fleet.endpoints[0]) as ways:

            async def cut():
                for way in ways:
                    way.cut = True

            task = FlightTask(1, joined(ways), (line_mission(3),))
            limits = FlightLimits(lost_s=400.0)
            report = await fly([task], timing=TIMING, time_scale=SPEEDUP, progress=in_the_air(cut), limits=limits)
            # Nobody is heard: orders home go out everywhere.
            modes = [[m for m in orders(way) if m.get_type() == "COMMAND_LONG" and m.param2 == 6] for way in ways]
    assert re.search(r"silent for \d+\.\d s in flight", report.vehicles[0].failure)
    assert all(modes)


async def test_orders_go_over_the_other_link_at_once_when_one_falls_silent():
    with vehicles() as fleet:
        async with (
            two_ways(fleet.endpoints[0]) as ways,
            await open_link(joined(ways), time_scale=SPEEDUP) as link,
            await Vehicle.connect(link, 1, timing=TIMING) as vehicle,
        ):
            assert await vehicle.wait_until(lambda _: all(1 in c.heard for c in link.channels), 0.0, wall_s=10.0)
            loop = asyncio.get_running_loop()
            for _ in range(2):
                one, other = ways if len(orders(ways[0])) > len(orders(ways[1])) else reversed(ways)
                one.cut, other.cut = True, False
                other.carried.clear()
                cut_at = loop.time()
                # Half a second of silence, and what a busy machine adds.
                while not orders(other):
                    await asyncio.sleep(0.02)
                    assert loop.time() - cut_at < 10.0
                assert await vehicle.parameter("RTL_ALT_M") > 0
                one.cut = False
                one.carried.clear()


async def test_what_a_vehicle_says_on_both_links_is_told_once():
    with vehicles() as fleet:
        async with (
            two_ways(fleet.endpoints[0]) as ways,
            await open_link(joined(ways), time_scale=SPEEDUP) as link,
            await Vehicle.connect(link, 1, timing=TIMING) as vehicle,
        ):
            assert await vehicle.wait_until(lambda _: all(1 in c.heard for c in link.channels), 0.0, wall_s=10.0)
            await vehicle.wait_ready()
            await vehicle.set_mode("GUIDED")
            for _ in range(2):
                await vehicle.arm()
                await vehicle.disarm()

            def said(way):
                return Counter(m.text for m in way.carried if m.get_type() == "STATUSTEXT")

            whole = {"Arming motors": 2, "Disarming motors": 2}
            assert await vehicle.wait_until(
                lambda _: len(vehicle.texts) >= 4 and all(said(way) == whole for way in ways), 0.0, wall_s=10.0
            )
            await asyncio.sleep(0.2)  # for what must not come
            assert Counter(text.text for text in vehicle.texts) == whole


async def test_one_link_that_is_not_there_yet_is_waited_for_and_told():
    with vehicles() as fleet:
        end = fleet.endpoints[0]
        url = f"tcp:127.0.0.1:{free_port()},{end.url}"
        report = await fly([FlightTask(1, url, (line_mission(1),))], timing=TIMING, time_scale=SPEEDUP)
    assert report.completed, report.vehicles[0].failure


async def test_two_vehicles_are_flown_over_one_port_that_both_send_to():
    port = free_port()
    with vehicles(vehicles=2, gcs=("127.0.0.1", port)):
        tasks = [FlightTask(sysid, f"udpin:127.0.0.1:{port}", (line_mission(2),)) for sysid in (1, 2)]
        report = await fly(tasks, timing=TIMING, time_scale=SPEEDUP)
    assert report.completed, [vehicle.failure for vehicle in report.vehicles]
    for vehicle in report.vehicles:
        assert {3, 4} <= {item.seq for item in vehicle.sorties[0].reached}
        assert vehicle.packets.received > 50
        assert vehicle.sorties[0].max_deviation_m < 50.0
    assert report.vehicles[0].sorties[0].started_us != report.vehicles[1].sorties[0].started_us


async def test_two_vehicles_are_flown_over_one_port_that_both_connect_to():
    port = free_port()
    with vehicles(vehicles=2, transport="tcp") as fleet:

        async def bridged(end):
            """A modem that connects outwards, on both sides."""
            near = await asyncio.open_connection("127.0.0.1", port)
            far = await asyncio.open_connection(end.host, end.port)

            async def pump(reader, writer):
                while data := await reader.read(4096):
                    writer.write(data)

            try:
                await asyncio.gather(pump(near[0], far[1]), pump(far[0], near[1]))
            finally:
                near[1].transport.abort()
                far[1].transport.abort()

        async def modems():
            await asyncio.sleep(0.3)
            await asyncio.gather(*(bridged(end) for end in fleet.endpoints))

        tasks = [FlightTask(sysid, f"tcpin:127.0.0.1:{port}", (line_mission(1),)) for sysid in (1, 2)]
        work = asyncio.get_running_loop().create_task(modems())
        report = await fly(tasks, timing=TIMING, time_scale=SPEEDUP)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await asyncio.sleep(0)
    assert report.completed, [vehicle.failure for vehicle in report.vehicles]


@pytest.mark.parametrize(
    ("urls", "words"),
    [
        (("udpin:127.0.0.1:1", "udpin:127.0.0.1:1,udp:127.0.0.1:2"), "udpin:127.0.0.1:1 is in two links"),
        (("udp:127.0.0.1:1,udp:127.0.0.1:2", "udp:127.0.0.1:2,udp:127.0.0.1:3"), "udp:127.0.0.1:2 is in two links"),
    ],
)
async def test_two_links_cannot_share_a_way(urls, words):
    tasks = [FlightTask(n, url, (line_mission(1),)) for n, url in enumerate(urls, 1)]
    with pytest.raises(LinkError, match=words):
        await fly(tasks, timing=Timing())


async def test_one_vehicle_on_two_links_is_one_task():
    tasks = [FlightTask(1, url, (line_mission(1),)) for url in ("udp:127.0.0.1:1", "udp:127.0.0.1:2")]
    with pytest.raises(FlightError, match=r"may have several ways \(udp:127\.0\.0\.1:1,udp:127\.0\.0\.1:2\)"):
        await fly(tasks)
