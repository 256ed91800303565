"""A vehicle that is heard and does not say where it is."""

import asyncio
import re

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import FlightLimits, FlightTask, Timing, fly
from tests.autopilot.scripted import FAST, Script, line_mission, vehicle_at

RTL = 6


async def blinded(vehicle, url, blind, timing=FAST, limits=None):
    """The report of a flight whose vehicle goes blind in the air, while its heartbeats go on."""

    def progress(step):
        if step.stage == "fly" and step.done >= 3 and not progress.done:
            progress.done = True
            blind()

    progress.done = False
    task = FlightTask(1, url, (line_mission(600),))
    return await fly([task], timing=timing, progress=progress, limits=limits)


def only_heartbeats(vehicle):
    send = vehicle.send
    vehicle.send = lambda m: send(m) if m.get_type() in ("HEARTBEAT", "COMMAND_ACK") else None


def frozen_position(vehicle):
    """The same position with the same time, over and over."""
    send = vehicle.send
    last = []

    def stuck(m):
        if m.get_type() == "GLOBAL_POSITION_INT":
            last[:] = last or [m]
            m = last[0]
        send(m)

    vehicle.send = stuck


@pytest.mark.parametrize("blind", [only_heartbeats, frozen_position])
async def test_one_that_says_no_new_position_is_sent_home(blind):
    async with vehicle_at(Script()) as (vehicle, url):
        report = await blinded(vehicle, url, lambda: blind(vehicle))
        assert vehicle.counts[f"mode {RTL}"] == 1
        assert not vehicle.armed
    failure = report.vehicles[0].failure
    assert re.search(r"heard, and says no position for .* in flight, last at 31\.345.*it obeyed RTL", failure), failure


async def test_one_whose_last_word_was_no_position_is_told_as_silent():
    """What it says last before a link is lost is now and then a heartbeat: that is a silence, which a patrol bears."""
    async with vehicle_at(Script()) as (vehicle, url):
        send = vehicle.send

        def lose():
            only_heartbeats(vehicle)
            asyncio.get_running_loop().call_later(0.9, lambda: setattr(vehicle, "send", lambda _m: None))

        slow = Timing(time_scale=4.0, retry_floor_s=0.05, floor_s=0.3)
        report = await blinded(vehicle, url, lose, slow, limits=FlightLimits(lost_s=1.0))
        vehicle.send = send
    assert re.search(r"silent for .* in flight, last at 31\.345", report.vehicles[0].failure), report.vehicles[
        0
    ].failure


async def test_lost_streams_are_asked_for_again_before_it_is_given_up():
    """As after a reboot in the air: the autopilot flies on and has forgotten who listens."""
    async with vehicle_at(Script()) as (vehicle, url):
        send, command = vehicle.send, vehicle.on_command_long

        def forget():
            vehicle.send = lambda m: send(m) if m.get_type() in ("HEARTBEAT", "COMMAND_ACK") else None
            vehicle.on_command_long = remember

        def remember(m):
            if m.command == mav.MAV_CMD_SET_MESSAGE_INTERVAL and m.param1 == mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT:
                vehicle.send = send
            command(m)

        report = await blinded(vehicle, url, forget)
    assert report.completed, report.vehicles[0].failure
    asked = [m for m in vehicle.heard if m.get_type() == "COMMAND_LONG" and m.command == 511 and m.param1 == 33]
    assert len(asked) >= 2


async def test_streams_that_were_lost_in_a_silence_are_asked_for_when_it_is_heard_again():
    """What was asked of it while it heard nobody is no reason to ask no more."""
    async with vehicle_at(Script()) as (vehicle, url):
        send, command = vehicle.send, vehicle.on_command_long
        loop = asyncio.get_running_loop()

        def fall_silent():
            vehicle.send = lambda _m: None
            vehicle.on_command_long = lambda _m: None
            loop.call_later(1.3, be_heard)

        def be_heard():
            vehicle.send = lambda m: send(m) if m.get_type() in ("HEARTBEAT", "COMMAND_ACK") else None
            vehicle.on_command_long = remember

        def remember(m):
            if m.command == mav.MAV_CMD_SET_MESSAGE_INTERVAL and m.param1 == mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT:
                vehicle.send = send
            command(m)

        # Silent, or without a position, for 2.5 s, it would be given up; once in 0.75 s it is asked.
        report = await blinded(vehicle, url, fall_silent, Timing(time_scale=4.0, retry_floor_s=0.05, floor_s=0.3))
    assert report.completed, report.vehicles[0].failure


async def test_the_longest_flight_holds_where_the_vehicles_clock_crawls():
    """Real time: positions come, and the clock that they carry runs a thousandth as fast as it should."""
    async with vehicle_at(Script()) as (vehicle, url):
        report_before = vehicle.report

        def report():
            vehicle.clock_ms -= 999
            report_before()

        vehicle.report = report
        real_time = Timing(time_scale=1.0, retry_floor_s=0.05, floor_s=0.3)
        task = FlightTask(1, url, (line_mission(600),))
        told = await fly([task], timing=real_time, limits=FlightLimits(flight_s=2.0))
        assert vehicle.mode == RTL
        assert vehicle.clock_ms < 2000 + 1000
    assert re.search(r"still flying after 2 s.*it obeyed RTL", told.vehicles[0].failure), told.vehicles[0].failure
