"""Connections that break off in the air and come back, or do not, under flights of simulated vehicles."""

import asyncio
import re
import time

import pytest

import sim
from autopilot import CommandError, FlightLimits, FlightTask, Timing, Vehicle, fly, open_link
from tests.autopilot.scripted import HOME, line_mission
from tests.relay import PtyCable, TcpCable, cabled

SPEEDUP = 50.0
TIMING = Timing(time_scale=SPEEDUP)
QUICK = sim.Boot(0.0, 0.0, 0.0)


def vehicles(**more):
    return sim.start_fleet(sim.FleetConfig(home=HOME, boot=QUICK, speedup=SPEEDUP, **more))


def in_the_air(act):
    """What `fly` is told of progress with: does something once, after the first place."""

    def progress(step):
        if step.stage == "fly" and step.done >= 2 and not progress.tasks:
            progress.tasks.append(asyncio.get_running_loop().create_task(act()))

    progress.tasks = []
    return progress


def cable_to(end, tmp_path, kind):
    """A TCP or serial cable, and the link over it."""
    if kind == "tcp":
        return TcpCable(end.host, end.port), lambda cable: cable.url
    return PtyCable(tmp_path / "usb:1.0", end.host, end.port), lambda cable: f"serial:{cable.path}:115200"


@pytest.mark.parametrize("kind", ["tcp", "serial"])
async def test_a_flight_goes_on_over_a_connection_that_broke_off(kind, tmp_path):
    transport = "tcp" if kind == "tcp" else "udp"
    with vehicles(transport=transport) as fleet:
        cable, url_of = cable_to(fleet.endpoints[0], tmp_path, kind)
        async with cabled(cable):

            async def cut():
                await cable.cut()
                await asyncio.sleep(1.0)
                await cable.mend()

            progress = in_the_air(cut)
            task = FlightTask(1, url_of(cable), (line_mission(3),))
            report = await fly([task], timing=TIMING, time_scale=SPEEDUP, progress=progress)
            assert progress.tasks
    assert report.completed, report.vehicles[0].failure
    sortie = report.vehicles[0].sorties[0]
    assert {3, 4, 5} <= {item.seq for item in sortie.reached}
    told = [event.text for event in sortie.events if event.kind == "note" and url_of(cable) in event.text]
    assert len(told) == 2
    assert "connection lost: " in told[0]
    assert re.search(r"open again after \d+\.\d s", told[1])
    assert all(any(text in note for note in report.notes) for text in told)


async def test_a_connection_that_is_cut_for_good_is_a_silence():
    """The silence that UDP would have: 10 s, or here the 5 s that no wait is shorter than; then it is looked for."""
    with vehicles(transport="tcp") as fleet:
        async with cabled(TcpCable(fleet.endpoints[0].host, fleet.endpoints[0].port)) as cable:
            cut_at = []

            async def cut():
                await cable.cut()
                cut_at.append(time.monotonic())

            task = FlightTask(1, cable.url, (line_mission(3),))
            limits = FlightLimits(lost_s=1.0)
            report = await fly([task], timing=TIMING, time_scale=SPEEDUP, progress=in_the_air(cut), limits=limits)
            took_s = time.monotonic() - cut_at[0]
    assert re.search(
        r"silent for \d+\.\d s in flight, last at 31\.345.*: look for it there", report.vehicles[0].failure
    )
    assert 5.0 <= took_s < 30.0


async def test_the_vehicle_goes_on_where_it_was():
    with vehicles(transport="tcp") as fleet:
        async with cabled(TcpCable(fleet.endpoints[0].host, fleet.endpoints[0].port)) as cable:
            events = []
            async with (
                await open_link(cable.url, time_scale=SPEEDUP) as link,
                await Vehicle.connect(link, 1, timing=TIMING) as vehicle,
            ):
                link.on_event(events.append)
                await vehicle.upload(line_mission(3))
                await cable.cut()
                with pytest.raises(CommandError, match="no answer"):
                    await vehicle.command(511, 33, 1e6)
                assert [event.up for event in link.events] == [False]
                await cable.mend()
                assert await vehicle.wait_until(lambda _: link.channels[0].up, 0.0, wall_s=10.0)
                # What it reports it was asked for once more, by the link itself.
                before = vehicle.telemetry.time_us
                assert await vehicle.wait_until(
                    lambda t: t.time_us > before and vehicle.position_age_s < 0.5, 0.0, wall_s=10.0
                )
                await vehicle.prove()
                assert await vehicle.parameter("RTL_ALT_M") > 0
            assert [event.up for event in events] == [False, True]
            assert cable.connections == 2


async def test_an_upload_over_a_connection_that_breaks_off_fails_or_is_done():
    with vehicles(transport="tcp", faults=sim.Faults(listed=(sim.Delay(delay_s=1.0),))) as fleet:
        async with (
            cabled(TcpCable(fleet.endpoints[0].host, fleet.endpoints[0].port)) as cable,
            await open_link(cable.url, time_scale=SPEEDUP) as link,
            await Vehicle.connect(link, 1, timing=TIMING) as vehicle,
        ):
            mission = line_mission(60)
            work = asyncio.get_running_loop().create_task(vehicle.upload(mission))
            await asyncio.sleep(0.6)
            assert not work.done()
            await cable.cut()
            await asyncio.sleep(0.3)
            await cable.mend()
            proofs = await work
            assert [proof.items for proof in proofs] == [len(mission.fence), len(mission.rally), len(mission.items)]
            await vehicle.prove()
