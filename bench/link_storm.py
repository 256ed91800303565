"""Thousands of missions over a link that loses a fifth each way, and a judge who looks into the vehicle afterwards.

Who uploads is `autopilot.Vehicle`, who answers a simulated vehicle of `sim`; between them each packet is lost, doubled
or overtaken (`Weather`), in virtual time. What is said of an upload is then held against what the vehicle has, read
over a clean wire by code of the bench's own.
"""

from __future__ import annotations

import asyncio
import os
import random as chance
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import AutopilotError, MissionKind, TransferError, Vehicle, VehicleState
from bench.link_lines import HOME
from bench.link_virtual import VirtualLoop, Weather, virtual_link
from bench.rows import BenchError, Row, wanted
from missions import Mission, MissionItem
from sim import Boot, FleetConfig
from sim.vehicle import Vehicle as SimVehicle

__all__ = ["Tally", "rows", "storm"]

ALL, SOME = 10_000, 300
"""Missions where the storm is asked for by name, and in a run of the whole room."""

A_VEHICLE = 10
"""Missions that one vehicle is sent, one after the other: each finds what the one before it left."""

_SEED = 20
_SIZES = (5, 60)
_PUMP_S = 0.1
_SETTLED_S = 15.0
"""After that nothing is under way, and the vehicle has given up what it waited for (ArduPilot 8 s, PX4 5 s)."""

_VERSION = frozenset({int(mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION)})
Autopilot = Literal["ardupilot", "px4"]

KINDS: tuple[tuple[Autopilot, frozenset[int]], ...] = (
    ("ardupilot", frozenset()),
    ("ardupilot", _VERSION),
    ("px4", _VERSION),
)
"""Autopilot, and what never passes: one whose abilities are never heard is sent lists item by item."""

Place = tuple[int, int, int, float, float]
"""Command, x and y (1e-7 degrees), height (metres), first parameter."""


@dataclass
class Tally:
    """What came of the missions.

    Attributes
    ----------
    missions, verified
        Uploads, and those that ended with a proof.
    reasons
        Those that ended with an error: the first words of its reason to how often.
    silent
        Errors without a reason.
    wrongly_verified
        Proofs of missions that the vehicle does not hold.
    wrongly_told
        Errors that say what the vehicle holds, and it holds something else.
    flyable
        Vehicles that would have been flown after an upload that failed.
    hybrids
        Failures that left a mixture of lists, each told as unknown.
    virtual_s
        Seconds that the uploads took on the virtual clock.
    sent, lost
        Packets, both ways.
    notes
        What the judge found, in words.
    """

    missions: int = 0
    verified: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    silent: int = 0
    wrongly_verified: int = 0
    wrongly_told: int = 0
    flyable: int = 0
    hybrids: int = 0
    virtual_s: list[float] = field(default_factory=list)
    sent: int = 0
    lost: int = 0
    notes: list[str] = field(default_factory=list)


def rows(only: str | None) -> Iterator[Row]:
    """Measure. `VEDETTE_STORM` sets the number of missions."""
    if only is not None and not wanted("storm/", only) and not only.startswith("storm/"):
        return
    count = _count(ALL if only is not None else SOME)
    begin = time.perf_counter()
    tally = storm(count, _SEED)
    seconds = time.perf_counter() - begin
    failed = tally.missions - tally.verified
    times = sorted(tally.virtual_s)
    of = f"{count:,} missions, {100 * tally.lost / tally.sent:.0f} % lost each way"
    told = "; ".join(f"{number} {reason}" for reason, number in tally.reasons.most_common(4))
    figures = [
        Row(f"storm/verified of {of}", tally.verified, "missions", seconds=seconds),
        Row("storm/failed with a reason", failed - tally.silent, "missions", told),
        Row("storm/failed without one", tally.silent, "missions", goal="0", met=tally.silent == 0),
        Row("storm/wrongly verified", tally.wrongly_verified, "missions", goal="0", met=tally.wrongly_verified == 0),
        Row("storm/wrongly told", tally.wrongly_told, "missions", goal="0", met=tally.wrongly_told == 0),
        Row("storm/wrongly left flyable", tally.flyable, "missions", goal="0", met=tally.flyable == 0),
        Row("storm/hybrids, told as unknown", tally.hybrids, "missions"),
        Row("storm/virtual time of an upload, median", times[len(times) // 2], "s"),
        Row("storm/virtual time of an upload, longest", times[-1], "s"),
    ]
    yield from (row for row in figures if wanted(row.name, only))


def _count(default: int) -> int:
    given = os.environ.get("VEDETTE_STORM", str(default))
    if not given.isdecimal() or not int(given):
        raise BenchError(f"VEDETTE_STORM is {given!r}: give the number of missions")
    return int(given)


def storm(count: int, seed: int, *, loss: float = 0.2) -> Tally:
    """Upload `count` missions, drawn by `seed`, each datagram lost with the chance `loss` each way."""
    tally = Tally()
    before = chance.getstate()
    try:
        for number in range(-(-count // A_VEHICLE)):
            here = min(A_VEHICLE, count - number * A_VEHICLE)
            chance.seed(f"{seed} {number} names")  # sessions and first numbers of MAVFTP are drawn by the module's own
            with asyncio.Runner(loop_factory=VirtualLoop) as runner:
                runner.run(_one_vehicle(tally, number, here, Random(f"{seed} {number}"), loss))  # noqa: S311
    finally:
        chance.setstate(before)
    return tally


async def _one_vehicle(tally: Tally, number: int, missions: int, random: Random, loss: float) -> None:
    autopilot, blocked = KINDS[number % len(KINDS)]
    rig = _Rig(autopilot, blocked, random, loss)
    pump = asyncio.create_task(rig.pump())
    try:
        vehicle = await rig.connected()
        for _ in range(missions):
            mission = drawn_mission(random, autopilot)
            await _one_mission(tally, rig, vehicle, mission, f"vehicle {number} ({autopilot})")
        vehicle.close()
    finally:
        pump.cancel()
        await rig.link.close()
    tally.sent += rig.up.sent + rig.down.sent
    tally.lost += rig.up.lost + rig.down.lost


async def _one_mission(tally: Tally, rig: _Rig, vehicle: Vehicle, mission: Mission, where: str) -> None:
    clock = asyncio.get_running_loop().time
    before = {kind: rig.held(kind) for kind in MissionKind}
    lists = dict(zip(MissionKind, (mission.items, mission.fence, mission.rally), strict=True))
    repaired: dict[MissionKind, VehicleState] = {}
    failure: Exception | None = None
    begin = clock()
    rig.calm(calm=False)
    try:
        await vehicle.upload(mission, repaired=repaired.__setitem__)
    except Exception as error:  # noqa: BLE001  whatever it is, the judge counts it
        failure = error
    tally.virtual_s.append(clock() - begin)
    rig.calm(calm=True)
    await asyncio.sleep(_SETTLED_S)
    after = {kind: rig.held(kind) for kind in MissionKind}
    tally.missions += 1
    if failure is None:
        tally.verified += 1
        wrong = [str(kind) for kind in MissionKind if not _same(rig.meant(lists[kind], kind), after[kind])]
        if wrong:
            tally.wrongly_verified += 1
            tally.notes.append(f"{where}: verified, and holds another {', '.join(wrong)}")
        return
    _count_failure(tally, failure)
    told = _told(failure, repaired)
    for kind, state in told.items():
        if (state is VehicleState.CLEARED and after[kind]) or (
            state is VehicleState.KEPT and not _same(before[kind], after[kind])
        ):
            tally.wrongly_told += 1
            tally.notes.append(f"{where}: {kind} told as {state} is not: {failure}")
        if state is VehicleState.UNKNOWN and not any(
            _same(whole, after[kind]) for whole in ([], before[kind], rig.meant(lists[kind], kind))
        ):
            tally.hybrids += 1
    try:
        await vehicle.prove()
    except AutopilotError:
        return
    tally.flyable += 1
    tally.notes.append(f"{where}: would be flown after: {failure}")


def _count_failure(tally: Tally, failure: Exception) -> None:
    words = str(failure)
    if not isinstance(failure, AutopilotError) or not words:
        tally.silent += 1
        tally.notes.append(f"without a reason: {failure!r}")
        return
    state = getattr(failure, "state", None)
    tally.reasons[f"{type(failure).__name__} ({state or 'nothing written'})"] += 1


def _told(failure: Exception, repaired: dict[MissionKind, VehicleState]) -> dict[MissionKind, VehicleState]:
    """What the error says of the list that it broke off in: known by its own words, and by the repair."""
    told = dict(repaired)
    if isinstance(failure, TransferError) and failure.state is not None and not told:
        told |= {kind: failure.state for kind in MissionKind if f" {kind}: " in str(failure)}
    return told


def drawn_mission(random: Random, autopilot: Autopilot) -> Mission:
    """A mission as good as any: places, heights and waits by chance, so that no two are alike."""

    def place() -> tuple[int, int]:
        return tuple(round(1e7 * (degrees + random.uniform(-0.02, 0.02))) for degrees in HOME[:2])  # type: ignore[return-value]

    def item(seq: int, frame: int, command: int, p1: float, z: float) -> MissionItem:
        x, y = place()
        return MissionItem(seq, frame, command, p1, x=x, y=y, z=z)

    home = [] if autopilot == "px4" else [item(0, 0, 16, 0.0, HOME[2])]
    count = random.randint(*_SIZES)
    heights = [round(random.uniform(30.0, 110.0), 1) for _ in range(count)]
    waits = [float(random.randint(0, 30)) for _ in range(count)]
    items = home + [item(n, 6, 16, waits[n], heights[n]) for n in range(len(home), count)]
    corners = random.randint(3, 7)
    fence = tuple(item(n, 0, 5001, float(corners), 0.0) for n in range(corners))
    rally = tuple(item(n, 3, 5100, 0.0, 30.0) for n in range(random.randint(1, 2)))
    return Mission(f"{autopilot} {count}", autopilot, tuple(items), fence, rally)


class _Rig:
    """A simulated vehicle, the storm about it, and the judge's clean wire."""

    def __init__(self, autopilot: Autopilot, blocked: frozenset[int], random: Random, loss: float) -> None:
        config = FleetConfig(home=HOME, boot=Boot(0.0, 0.0, 0.0), autopilot=autopilot, start_time_us=0)
        self._clock = asyncio.get_running_loop().time
        self._vehicle = SimVehicle(config, 0, self._from_vehicle, 0)
        self._judge = mav.MAVLink(None, srcSystem=250, srcComponent=191)
        self._answers: list[Any] = []
        self.has_home = autopilot != "px4"
        self.up = Weather(random, lambda data: self._vehicle.receive("station", data, self._clock()), loss=loss)
        self.down = Weather(random, lambda data: self.link.channels[0].received(data, None, datagram=True), loss=loss)
        self.down.blocked = blocked
        self.link = virtual_link(self.up.send)
        self.calm(calm=True)

    def calm(self, *, calm: bool) -> None:
        self.up.calm = self.down.calm = calm

    async def pump(self) -> None:
        """Let the vehicle live."""
        while True:
            self._vehicle.step()
            self._vehicle.pump(self._clock())
            await asyncio.sleep(_PUMP_S)

    async def connected(self) -> Vehicle:
        self.link.every(1.0, self._introduce)
        return await Vehicle.connect(self.link, 1)

    def _introduce(self) -> bool:
        self.link.send(mav.MAVLink_heartbeat_message(mav.MAV_TYPE_GCS, mav.MAV_AUTOPILOT_INVALID, 0, 0, 4, 3))
        return True

    def _from_vehicle(self, address: Any, data: bytes) -> None:
        if address == "judge":
            self._answers += self._judge.parse_buffer(bytearray(data)) or ()
        else:
            self.down.send(bytes(data))

    # The judge: pymavlink alone, and no packet is lost.

    def held(self, kind: MissionKind) -> list[Place]:
        """What the vehicle holds of a list, home left out."""
        count = self._asked(mav.MAVLink_mission_request_list_message(1, 1, kind), "MISSION_COUNT").count
        items = [
            self._asked(mav.MAVLink_mission_request_int_message(1, 1, seq, kind), "MISSION_ITEM_INT")
            for seq in range(count)
        ]
        self._say(mav.MAVLink_mission_ack_message(1, 1, 0, kind))
        self._vehicle.close("judge")
        first = 1 if kind is MissionKind.MISSION and self.has_home else 0
        return [(m.command, m.x, m.y, m.z, m.param1) for m in items[first:]]

    def meant(self, items: Sequence[MissionItem], kind: MissionKind) -> list[Place]:
        """A list as the judge should find it."""
        first = 1 if kind is MissionKind.MISSION and self.has_home else 0
        return [(item.command, item.x, item.y, item.z, item.p1) for item in items[first:]]

    def _asked(self, question: Any, answer: str) -> Any:
        self._answers.clear()
        self._say(question)
        found = [m for m in self._answers if m.get_type() == answer]
        if len(found) != 1:
            raise BenchError(f"the judge asked the simulated vehicle for a {answer} and heard {self._answers}")
        return found[0]

    def _say(self, message: Any) -> None:
        self._vehicle.receive("judge", bytes(message.pack(self._judge)), self._clock())
        self._judge.seq = (self._judge.seq + 1) % 256


def _same(meant: Sequence[Place], held: Sequence[Place]) -> bool:
    """Whether a vehicle that holds one would fly the other: heights to the centimetre, places to the 1e-7 degree."""
    return len(meant) == len(held) and all(
        one[:3] == other[:3] and abs(one[3] - other[3]) < 0.011 and abs(one[4] - other[4]) < 1e-3
        for one, other in zip(meant, held, strict=True)
    )
