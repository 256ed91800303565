"""A vehicle that fails at any one message of a flight: each ends in a failure in words, in time, and none half-way up.

The vehicle is scripted, over pymavlink alone. What it fails at is taken from a flight that goes well: every
message that differs from the others by its kind, command, list or parameter.
"""

import asyncio
import re

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import FlightLimits, FlightTask, fly
from tests.autopilot.scripted import FAST, Script, ScriptedVehicle, line_mission

ARM, STREAM, REQUEST, MODE = 400, 511, 512, 176
LONGEST_S = 60.0
TOGETHER = 6


def step(message):
    """What a message is about."""
    kind = message.get_type()
    if kind == "COMMAND_LONG":
        of = {STREAM: message.param1, REQUEST: message.param1, MODE: message.param2}
        return kind, message.command, of.get(message.command)
    return kind, getattr(message, "param_id", getattr(message, "mission_type", None)), None


class Failing(ScriptedVehicle):
    """Does something from one message on; None for never."""

    def __init__(self, deed, at):
        super().__init__(Script())
        self.deed, self.at = deed, at
        self.steps, self.armed_by = [], False
        self.on_timesync = lambda _: self.heartbeat()
        self.on_heartbeat = lambda _: self.report()

    def datagram_received(self, data, addr):
        self.peer = addr
        for message in self.mav.parse_buffer(data) or ():
            if self.dead or message.get_type() == "BAD_DATA":
                continue
            at = step(message)
            if at not in self.steps:
                self.steps.append(at)
            if at == self.at and self.deed(self, message):
                continue
            handler = getattr(self, f"on_{message.get_type().lower()}", None)
            if handler is not None:
                handler(message)
            self.armed_by = self.armed_by or self.armed


def dies(vehicle, _):
    """Says nothing any more."""
    vehicle.dead = True
    return True


def speaks_as_another(vehicle, _):
    """Says the rest as another component of its system."""
    vehicle.mav.srcComponent = mav.MAV_COMP_ID_GIMBAL
    return False


def claims(vehicle, message):
    """Acknowledges what it does not do."""
    vehicle.send(mav.MAVLink_command_ack_message(message.command, 0, 0, 0, 255, 190))
    return True


async def flown(deed=None, at=None):
    """The vehicle, and what was reported of it."""
    loop = asyncio.get_running_loop()
    _, vehicle = await loop.create_datagram_endpoint(lambda: Failing(deed, at), local_addr=("127.0.0.1", 0))
    port = vehicle.transport.get_extra_info("sockname")[1]
    task = FlightTask(1, f"udp:127.0.0.1:{port}", (line_mission(3),))
    limits = FlightLimits(ready_s=5.0, home_s=5.0, connect_s=3.0)
    try:
        report = await asyncio.wait_for(fly([task], timing=FAST, time_scale=FAST.time_scale, limits=limits), LONGEST_S)
    finally:
        await vehicle.end()
    return vehicle, report.vehicles[0]


async def each(deed, steps):
    """(step, vehicle, report) of a flight for each step, a few of them at once."""
    few = asyncio.Semaphore(TOGETHER)

    async def one(at):
        async with few:
            return at, *await flown(deed, at)

    return await asyncio.gather(*(one(at) for at in steps))


async def steps_of_a_flight():
    vehicle, report = await flown()
    assert report.failure is None, report.failure
    # Streams that a vehicle does not give are one like the other, and so are parameters.
    once, found = set(), []
    for kind, of, more in vehicle.steps:
        alike = (kind, STREAM) if of == STREAM else (kind,) if kind == "PARAM_REQUEST_READ" else (kind, of, more)
        if alike not in once:
            once.add(alike)
            found.append((kind, of, more))
    return found


@pytest.mark.parametrize("deed", [dies, speaks_as_another])
async def test_one_that_is_not_heard_from_some_message_on(deed):
    steps = [at for at in await steps_of_a_flight() if at[0] not in {"HEARTBEAT", "TIMESYNC"}]
    assert len(steps) > 15
    for at, vehicle, report in await each(deed, steps):
        assert report.failure is not None, at
        assert len(report.failure.splitlines()) == 1, at
        assert "vehicle 1" in report.failure, at
        before = steps.index(at) < steps.index(("COMMAND_LONG", ARM, None))
        assert not (before and vehicle.armed_by), at


async def test_one_that_acknowledges_and_does_nothing():
    """Of what it was only asked to tell, everything may come all the same."""
    asks_home = ("COMMAND_LONG", REQUEST, mav.MAVLINK_MSG_ID_HOME_POSITION)
    steps = [at for at in await steps_of_a_flight() if at[0] == "COMMAND_LONG" and at[1] != STREAM and at != asks_home]
    assert len(steps) >= 4
    for at, vehicle, report in await each(claims, steps):
        assert re.search(r"accepted (\d+ times )?to|accepted mode|did not take off", report.failure), at
        assert vehicle.armed is False, at  # what was armed before is disarmed again
