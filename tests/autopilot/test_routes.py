"""A system id belongs to one vehicle: another that uses it is not believed, gets no orders, and is named."""

import asyncio
import re
from contextlib import asynccontextmanager

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import FlightTask, LinkError, Vehicle, fly, open_link
from autopilot.routes import SILENT_S, Routes
from tests.autopilot.scripted import FAST, HOME, Script, ScriptedVehicle, line_mission, linked
from tests.ports import free_port

HERE, THERE = ("192.0.2.1", 14550), ("192.0.2.2", 14550)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_the_first_keeps_its_place_while_it_is_heard():
    clock = Clock()
    routes = Routes(clock)
    assert routes.takes(1, 1, HERE)
    for _ in range(10):
        clock.now += SILENT_S / 2
        assert not routes.takes(1, 1, THERE)
        assert routes.takes(1, 1, HERE)
    assert routes.of(1, 1) == HERE
    assert routes.rivals(1) == (THERE,)
    assert routes.moves(1) == 0
    clock.now += SILENT_S
    assert routes.rivals(1) == ()


def test_a_new_address_is_believed_after_silence_and_counted():
    clock = Clock()
    routes = Routes(clock)
    routes.takes(1, 1, HERE)
    clock.now += SILENT_S - 0.01
    assert not routes.takes(1, 1, THERE)
    clock.now += 0.01
    assert routes.takes(1, 1, THERE)
    assert (routes.of(1, 1), routes.moves(1), routes.rivals(1)) == (THERE, 1, ())


def test_components_may_have_addresses_of_their_own_but_not_a_rivals():
    routes = Routes(Clock())
    assert routes.takes(1, 1, HERE)
    assert routes.takes(1, 100, ("192.0.2.1", 14600))
    assert routes.of(1, 100) == ("192.0.2.1", 14600)
    assert routes.of(1, 191) == HERE
    assert not routes.takes(1, 1, THERE)
    assert not routes.takes(1, 154, THERE)
    assert routes.takes(2, 1, THERE)
    assert routes.every() == {HERE, ("192.0.2.1", 14600), THERE}


def test_strangers_do_not_fill_the_memory():
    routes = Routes(Clock())
    routes.takes(1, 1, HERE)
    for port in range(1000):
        assert not routes.takes(1, 1, ("192.0.2.9", port))
    assert len(routes.rivals(1)) == 8


@asynccontextmanager
async def sending_to(port, script):
    """A scripted vehicle that sends to a port unasked."""
    loop = asyncio.get_running_loop()
    _, vehicle = await loop.create_datagram_endpoint(lambda: ScriptedVehicle(script), remote_addr=("127.0.0.1", port))
    vehicle.peer = ("127.0.0.1", port)
    vehicle.transport.sendto = lambda data, _, send=vehicle.transport.sendto: send(data)
    try:
        yield vehicle
    finally:
        await vehicle.end()


async def test_a_second_vehicle_with_the_same_id_takes_nothing_over():
    port = free_port()
    async with (
        await open_link(f"udpin:127.0.0.1:{port}") as link,
        sending_to(port, Script()) as ours,
        sending_to(port, Script()) as other,
    ):
        ours.heartbeat()
        await link.wait_vehicle(1, timeout_s=20)
        async with await Vehicle.connect(link, 1, timing=FAST) as seen:
            await seen.upload(line_mission())
            other.where = 10.0, 10.0, 500.0
            for _ in range(3):
                other.report()
            await asyncio.sleep(0.05)
            assert seen.telemetry.lat_deg == HOME[0]
            with pytest.raises(LinkError, match=r"system id 1 is used by 127\.0\.0\.1:\d+ and by 127\.0\.0\.1:\d+"):
                await seen.prove()
            await seen.arm()
            assert (ours.armed, other.armed) == (True, False)
            assert other.heard == []
        with pytest.raises(LinkError, match="give each vehicle a system id of its own"):
            await Vehicle.connect(link, 1, timing=FAST)


async def test_one_that_comes_with_our_id_in_flight_is_told_and_not_believed():
    port = free_port()
    shown = asyncio.Event()
    other_heard = []

    async with sending_to(port, Script()) as ours, sending_to(port, Script()) as other:

        def progress(step):
            if step.stage == "fly" and step.done >= 2 and not shown.is_set():
                shown.set()
                other.where = 10.0, 10.0, 0.0
                for _ in range(3):
                    other.report()

        ours.on_heartbeat = lambda _: ours.report()
        flight = asyncio.create_task(
            fly([FlightTask(1, f"udpin:127.0.0.1:{port}", (line_mission(200),))], timing=FAST, progress=progress)
        )
        for _ in range(50):
            await asyncio.sleep(0.02)
            ours.heartbeat()
        report = await flight
        other_heard += other.heard
    assert shown.is_set()
    assert report.completed, report.vehicles[0].failure
    (told,) = [e.text for e in report.vehicles[0].sorties[0].events if e.kind == "failure"]
    assert re.fullmatch(r"127\.0\.0\.1:\d+ speaks with its system id and is not believed", told)
    assert other_heard == []
    assert report.vehicles[0].sorties[0].max_deviation_m < 1.0


async def test_an_old_heartbeat_is_no_vehicle(monkeypatch):
    async with linked() as (vehicle, link):
        monkeypatch.setattr("autopilot.link._FRESH_S", 0.2)
        vehicle.dead = True
        await asyncio.sleep(0.3)
        with pytest.raises(LinkError, match=r"vehicle 1 within 0\.2 s"):
            await link.wait_vehicle(1, timeout_s=0.2)
        vehicle.dead = False
        asyncio.get_running_loop().call_later(
            0.05, vehicle.send, beat := mav.MAVLink_heartbeat_message(2, 3, 0, 5, 4, 3)
        )
        assert (await link.wait_vehicle(1, timeout_s=20.0)).custom_mode == beat.custom_mode
