"""Each way to misbehave ends as the guide for pilots says, and in the time that it says: measured in virtual time."""

import asyncio
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import (
    CommandError,
    FlightLimits,
    MismatchError,
    MissionKind,
    NotReadyError,
    Timing,
    TransferTimeoutError,
    Vehicle,
    VehicleState,
)
from autopilot.endings import ENDINGS
from autopilot.sortie import Flight, Sortie
from bench.link_virtual import VirtualLoop, virtual_link
from tests.autopilot.scripted import Script, ScriptedVehicle, line_mission

MISSION = replace(line_mission(), fence=(), rally=())
ROUND_TRIP_S = 0.05
CLEARED, UNKNOWN = VehicleState.CLEARED, VehicleState.UNKNOWN
NEVER_ASKED, STOPPED = "it never asked for an item", "it stopped asking after item"


class Air:
    """Between a scripted vehicle and our link: packets of either side, late by half a round trip."""

    def __init__(self, script):
        loop = self.loop = asyncio.get_running_loop()
        self.vehicle = ScriptedVehicle(script)
        self.vehicle.peer, self.vehicle.transport = "station", self
        self.vehicle.on_timesync = lambda _: self.vehicle.heartbeat()
        self.vehicle.on_heartbeat = lambda _: self.vehicle.report()
        self.change = lambda packet: [packet]
        """What comes of each packet of the vehicle."""
        self.link = virtual_link(
            lambda packet: loop.call_later(ROUND_TRIP_S / 2, self.vehicle.datagram_received, packet, "station")
        )

    def sendto(self, packet, _):
        for one in self.change(bytes(packet)):
            self.loop.call_later(ROUND_TRIP_S / 2, self.heard, one)

    def heard(self, packet):
        self.link.channels[0].received(packet, None, datagram=True)

    async def connected(self):
        self.loop.call_later(0.1, self.vehicle.report)
        return await Vehicle.connect(self.link, 1, timing=Timing())

    async def proved(self):
        vehicle = await self.connected()
        await vehicle.upload(MISSION)
        return vehicle

    def at(self, name, seq, act):
        """Act when the vehicle gets this message about an item of the mission for the first time; when that was."""
        take, done = getattr(self.vehicle, f"on_{name}"), []

        def on(m):
            if (m.mission_type, m.seq) == (0, seq) and not done:
                done.append(self.loop.time())
                act()
            take(m)

        setattr(self.vehicle, f"on_{name}", on)
        return done

    def silence(self, *, dead=True):
        self.vehicle.dead = dead


async def fails(air, vehicle, *, state, words):
    """The upload fails, with this state and these words, and what it left is not flown."""
    with pytest.raises(TransferTimeoutError, match=words) as caught:
        await vehicle.upload(MISSION)
    assert caught.value.state is state
    if state is CLEARED:
        assert air.vehicle.lists[0] == []
    with pytest.raises(NotReadyError, match="no list that was proved"):
        await vehicle.prove()  # as right before it is armed


# Plays: each returns when its trouble began, and ends where that does.


async def silent(air):
    vehicle = await air.connected()
    begun = air.at("mission_item_int", 4, air.silence)
    await fails(air, vehicle, state=UNKNOWN, words=NEVER_ASKED)
    return begun[0]


async def silent_then_heard(air, *, silent_s, ends_well):
    vehicle = await air.connected()
    begun = air.at("mission_item_int", 4, air.silence)
    air.at("mission_item_int", 4, lambda: air.loop.call_later(silent_s, partial(air.silence, dead=False)))
    if ends_well:
        proofs = await vehicle.upload(MISSION)
        assert [proof.items for proof in proofs if proof.kind is MissionKind.MISSION] == [len(MISSION.items)]
    else:
        await fails(air, vehicle, state=CLEARED, words=NEVER_ASKED)
    return begun[0]


async def silent_in_reading(air, *, seq):
    vehicle = await air.connected()
    begun = air.at("mission_request_int", seq, air.silence)
    await fails(air, vehicle, state=UNKNOWN, words=NEVER_ASKED)
    return begun[0]


async def another_list(air, *, kind):
    codec = mav.MAVLink(None, srcSystem=1, srcComponent=1)

    def change(packet):
        (message,) = codec.parse_buffer(bytearray(packet))
        if hasattr(message, "mission_type"):
            message.mission_type = kind
        return [bytes(message.pack(codec))]

    vehicle = await air.connected()
    begun = air.at("mission_item_int", 4, lambda: setattr(air, "change", change))
    await fails(air, vehicle, state=UNKNOWN, words=NEVER_ASKED)
    return begun[0]


async def repeats(air):
    """It asks again by itself every 50 ms, and takes no answer."""
    vehicle = await air.connected()
    begun, take = [], air.vehicle.on_mission_item_int
    air.vehicle.on_mission_item_int = lambda m: take(m) if m.seq < 4 else begun.append(air.loop.time())
    await fails(air, vehicle, state=CLEARED, words=STOPPED)
    return begun[0]


NOISE = b"\xfd\xff\x00\x00\x07garbage\xfe\x03" * 9


async def garbage_between(air):
    vehicle = await air.connected()
    air.change = lambda packet: [NOISE, NOISE[:7] + packet, packet[:9], NOISE[5:]]
    begun_s = air.loop.time()
    assert (await vehicle.upload(MISSION))[-1].items == len(MISSION.items)
    return begun_s


async def garbage_alone(air):
    vehicle = await air.connected()
    begun = air.at("mission_item_int", 4, lambda: setattr(air, "change", lambda packet: [NOISE, packet[:-1] + b"\0"]))
    await fails(air, vehicle, state=UNKNOWN, words=NEVER_ASKED)
    return begun[0]


async def another_id(air):
    vehicle = await air.connected()
    begun = air.at("mission_item_int", 4, lambda: setattr(air.vehicle.mav, "srcSystem", 7))
    await fails(air, vehicle, state=UNKNOWN, words=NEVER_ASKED)
    return begun[0]


async def stale(air):
    vehicle = await air.proved()
    air.vehicle.lists[0][3].x += 5000  # by another ground station
    begun_s = air.loop.time()
    with pytest.raises(MismatchError, match="item 3"):
        await vehicle.start_mission()
    assert not vehicle.arm_ordered
    return begun_s


async def armed(air):
    air.vehicle.armed = True
    vehicle = await air.connected()
    air.vehicle.heard.clear()
    begun_s = air.loop.time()
    flight = Flight(Timing(), FlightLimits(), None, lambda _: None, asyncio.Event())
    report = await Sortie(vehicle, MISSION, 1, 1, flight).fly()
    assert "is armed already" in report.failure
    assert air.vehicle.heard == []
    return begun_s


async def modes(air, *, words):
    vehicle = await air.proved()
    air.vehicle.obey = lambda _: None
    begun_s = air.loop.time()
    with pytest.raises(CommandError, match=words):
        await vehicle.start_mission()
    assert not vehicle.arm_ordered
    return begun_s


def reboot(vehicle):
    """It forgets what it was doing and counts its clock from 0; what is stored stays."""
    vehicle._expect, vehicle.clock_ms = [], 0
    vehicle.report()


async def reboots_in_an_upload(air):
    vehicle = await air.connected()
    air.vehicle.clock_ms = 50_000
    air.vehicle.report()
    begun = air.at("mission_item_int", 4, lambda: reboot(air.vehicle))
    proofs = await vehicle.upload(MISSION)
    assert proofs[-1].attempts == 2
    assert len(air.vehicle.lists[0]) == len(MISSION.items)
    with pytest.raises(NotReadyError, match="booted anew"):  # it did: whoever flies it looks at it first
        await vehicle.start_mission()
    return begun[0]


async def reboots_after_the_proof(air):
    vehicle = await air.proved()
    air.vehicle.clock_ms = 50_000
    air.vehicle.report()
    await asyncio.sleep(1.0)
    begun_s = air.loop.time()
    reboot(air.vehicle)
    await asyncio.sleep(ROUND_TRIP_S)
    with pytest.raises(NotReadyError, match="booted anew"):
        await vehicle.start_mission()
    return begun_s


def answering(result):
    return Script(commands={mav.MAV_CMD_DO_SET_MODE: [result]}, orders=lambda _mode, _nth: result)


PATIENT = Script(give_up_s=1e6)
PLAYS = [
    ("silent", silent, Script()),
    *(
        ("silent, then heard", partial(silent_then_heard, silent_s=silent_s, ends_well=silent_s < 18.0), Script())
        for silent_s in (3.0, 9.9, 15.0, 17.0, 19.5, 21.5, 28.0)
    ),
    *(("silent in reading", partial(silent_in_reading, seq=seq), Script()) for seq in (0, 5, len(MISSION.items) - 1)),
    *(("another list", partial(another_list, kind=kind), Script()) for kind in (1, 2, 255)),
    ("repeats", repeats, PATIENT),
    ("garbage", garbage_between, Script()),
    ("garbage", garbage_alone, Script()),
    ("another id", another_id, Script()),
    ("stale", stale, Script()),
    ("armed", armed, Script()),
    ("refuses a mode", partial(modes, words="failed"), answering(mav.MAV_RESULT_FAILED)),
    ("refuses a mode", partial(modes, words="denied"), answering(mav.MAV_RESULT_DENIED)),
    ("ignores a mode", partial(modes, words="accepted mode .* and stays"), answering(0)),
    ("does not answer", partial(modes, words="no answer to MAV_CMD_DO_SET_MODE"), answering(-1)),
    ("reboots in an upload", reboots_in_an_upload, Script()),
    ("reboots", reboots_after_the_proof, Script()),
]
"""Name in `ENDINGS`, play, vehicle."""


def measured_s(play, script):
    async def run():
        air = Air(replace(script))
        try:
            begun_s = await play(air)
            return air.loop.time() - begun_s
        finally:
            air.silence()
            await air.link.close()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(run())


@pytest.mark.parametrize("name", ENDINGS)
def test_it_ends_as_it_is_written_and_in_time(name):
    within_s = ENDINGS[name].within_s
    took_s = [measured_s(play, script) for one, play, script in PLAYS if one == name]
    assert max(took_s) <= within_s
    assert max(took_s) >= 0.6 * within_s or within_s <= 2.0, "the figure says nothing"


def test_every_play_has_an_ending():
    assert {name for name, _, _ in PLAYS} == set(ENDINGS)


def test_the_guide_for_pilots_promises_the_same():
    guide = (Path(__file__).parents[2] / "docs" / "pilots.md").read_text()
    told = [line for line in guide.splitlines() if re.search(r"\| \d+ s \|$", line)]
    assert told == [f"| {each.trouble} | {each.end} | {each.within_s:g} s |" for each in ENDINGS.values()]
