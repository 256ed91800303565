"""A vehicle that follows a script, over a real UDP socket: pymavlink's own parser, none of our protocol code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import Link, Timing, open_link
from missions import Mission, MissionItem

FAST = Timing(time_scale=20.0, retry_floor_s=0.05, floor_s=0.3)
HOME = (31.345, -110.94, 1180.0)
ABILITIES = (
    mav.MAV_PROTOCOL_CAPABILITY_MISSION_INT
    | mav.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE
    | mav.MAV_PROTOCOL_CAPABILITY_MISSION_RALLY
)
LOCATED = {16, 17, 22, 21, 5001, 5002, 5003, 5004, 5100}


@dataclass
class Script:
    """What a vehicle does, and what goes wrong."""

    sysid: int = 1
    autopilot: int = mav.MAV_AUTOPILOT_ARDUPILOTMEGA
    kind: int = mav.MAV_TYPE_QUADROTOR
    ask_int: bool = True
    lose: Callable[[str, int], bool] = lambda _name, _nth: False
    """Whether the nth (from 1) message of this type, either way, is lost."""
    twice: bool = False
    noise: bytes = b""
    refuse: tuple[int, int, str] | None = None
    """At which item (-1: at once), with which MAV_MISSION_RESULT, saying what."""
    silent_at: int | None = None
    """Falls silent instead of asking for this item."""
    wrong_kind: bool = False
    """Sends requests and acceptances of another list into each transfer."""
    bad_requests: bool = False
    """Asks for an item that does not exist, and accepts too early."""
    give_up_s: float = 8.0
    """Wall seconds after which it gives a stopped upload up; until then it refuses to clear, as ArduPilot does."""
    restarts: bool = True
    """Whether the uploader may begin anew in the middle of an upload; else it is refused, as by PX4."""
    change: Callable[[Any], Any] = lambda item: item
    """What it makes of an item when it stores it."""
    commands: dict[int, list[int]] = field(default_factory=dict)
    """MAV_CMD to the results it gives, in turn; the last again and again."""
    says: dict[int, list[str]] = field(default_factory=dict)
    params: dict[str, tuple[float, int]] = field(
        default_factory=lambda: {
            "FENCE_ENABLE": (0.0, 2),
            "FENCE_TYPE": (7.0, 2),
            "FENCE_ACTION": (1.0, 2),
            "FENCE_ALT_MAX": (150.0, 9),
            "MAV_GCS_SYSID": (255.0, 2),
            "FS_GCS_ENABLE": (1.0, 2),
            "FS_THR_ENABLE": (0.0, 2),
            "FS_OPTIONS": (0.0, 6),
            "BATT_FS_LOW_ACT": (2.0, 2),
            "BATT_LOW_VOLT": (10.5, 9),
        }
    )
    by_index: bool = True
    """Whether it answers questions for a parameter by its index."""
    param_errors: bool = False
    """Whether it says so of a parameter that it lacks."""
    stubborn: tuple[str, ...] = ()
    """Parameters that keep their value."""
    ready: bool = True
    abilities: int = ABILITIES
    orders: Callable[[int, int], int] = lambda _mode, _nth: 0
    """MAV_RESULT of the nth (from 1) order into this mode; below 0 it does not answer."""
    flight: str = "home"
    """How a flight goes: home, silent, disarm, terminate (and stay armed), return, stray (over the border)."""


class ScriptedVehicle(asyncio.DatagramProtocol):
    def __init__(self, script: Script) -> None:
        self.script = script
        self.mav = mav.MAVLink(None, srcSystem=script.sysid, srcComponent=1)
        self.mav.robust_parsing = True
        self.lists: dict[int, list[Any]] = {0: [], 1: [], 2: []}
        self.heard: list[Any] = []
        self.counts: dict[str, int] = {}
        self.transport: Any = None
        self.peer: Any = None
        self.mode, self.armed, self.current = 0, False, 0
        self.status = mav.MAV_STATE_ACTIVE
        self.clock_ms = 1000
        self.said = 0
        self.where = HOME[0], HOME[1], 0.0
        self.velocity_cm_s = 0, 0, 0
        self._kind = 0
        self._expect: list[Any | None] = []
        self._task: asyncio.Task[None] | None = None
        self.dead = False

    # Socket.

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.peer = addr
        for message in self.mav.parse_buffer(data) or ():
            name = message.get_type()
            if name == "BAD_DATA" or self.dead or self._lost(name):
                continue
            self.heard.append(message)
            handler = getattr(self, f"on_{name.lower()}", None)
            if handler is not None:
                handler(message)

    def _lost(self, name):
        self.counts[name] = self.counts.get(name, 0) + 1
        return self.script.lose(name, self.counts[name])

    def send(self, message):
        if self.dead or self.peer is None or self._lost(message.get_type()):
            return
        for _ in range(2 if self.script.twice else 1):
            packet = message.pack(self.mav)
            self.transport.sendto(self.script.noise + packet, self.peer)
        self.mav.seq = (self.mav.seq + 1) % 256

    def heartbeat(self):
        base = mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED | (mav.MAV_MODE_FLAG_SAFETY_ARMED if self.armed else 0)
        kinds = self.script.kind, self.script.autopilot
        self.send(mav.MAVLink_heartbeat_message(*kinds, base, self.mode, self.status, 3))

    def say(self, text):
        """One of 50 characters or more goes in parts."""
        if len(text) < 50:
            self.send(mav.MAVLink_statustext_message(4, text.encode()))
            return
        self.said += 1
        for part, at in enumerate(range(0, len(text) + 1, 50)):
            self.send(mav.MAVLink_statustext_message(4, text[at : at + 50].encode(), self.said, part))

    # Lists.

    def ack(self, result, kind=None):
        self.send(mav.MAVLink_mission_ack_message(255, 190, result, self._kind if kind is None else kind))

    def ask(self):
        seq = next(i for i, item in enumerate(self._expect) if item is None)
        script = self.script
        if script.silent_at is not None and seq >= script.silent_at:
            return
        if script.refuse is not None and script.refuse[0] == seq:
            self.refuse()
            return
        if script.wrong_kind:
            other = (self._kind + 1) % 3
            self.send(mav.MAVLink_mission_request_int_message(255, 190, 0, other))
            self.ack(0, other)
            self.ack(5, other)
        if script.bad_requests:
            self.send(mav.MAVLink_mission_request_int_message(255, 190, len(self._expect) + 7, self._kind))
            if seq < len(self._expect) - 1:
                self.ack(0)
        build = mav.MAVLink_mission_request_int_message if script.ask_int else mav.MAVLink_mission_request_message
        self.send(build(255, 190, seq, self._kind))
        asyncio.get_running_loop().call_later(0.05, self.ask_again, self._expect, seq)

    def ask_again(self, expect, seq):
        if expect is self._expect and not self.dead and expect[seq] is None:
            self.ask()

    def refuse(self):
        assert self.script.refuse is not None
        if self.script.refuse[2]:
            self.say(self.script.refuse[2])
        self._expect = []
        self.ack(self.script.refuse[1])

    def on_mission_count(self, m):
        if self._expect and not self.script.restarts:
            self.ack(mav.MAV_MISSION_ERROR, m.mission_type)
            return
        self._kind = m.mission_type
        if self.script.refuse is not None and self.script.refuse[0] < 0:
            self.refuse()
            return
        self._expect = expect = [None] * m.count
        del self.lists[self._kind][m.count :]
        if not expect:
            self.ack(0)
            return
        asyncio.get_running_loop().call_later(self.script.give_up_s, self.give_up, expect)
        self.ask()

    def give_up(self, expect):
        if expect is self._expect and not self.dead:
            self._expect = []
            self.ack(mav.MAV_MISSION_OPERATION_CANCELLED)

    def on_mission_item_int(self, m):
        if m.mission_type != self._kind or m.seq >= len(self._expect):
            return
        if self._expect[m.seq] is not None:
            self.ack(mav.MAV_MISSION_INVALID_SEQUENCE)
            return
        self._expect[m.seq] = m
        hybrid = self.lists[self._kind]
        hybrid[m.seq : m.seq + 1] = [self.stored(m)]
        if None in self._expect:
            self.ask()
            return
        del hybrid[len(self._expect) :]
        self._expect = []
        self.ack(0)

    def stored(self, m):
        """As ArduPilot keeps it: home of its own, frame 6 as 3, actions without a place."""
        ardupilot = self.script.autopilot == mav.MAV_AUTOPILOT_ARDUPILOTMEGA
        frame, x, y, z = m.frame, m.x, m.y, m.z
        if ardupilot:
            if m.seq == 0 and m.mission_type == 0:
                frame, x, y, z = 0, round(HOME[0] * 1e7), round(HOME[1] * 1e7), HOME[2]
            elif m.command in LOCATED:
                frame, z = {6: 3, 5: 0}.get(frame, frame), round(z, 2)
            else:
                frame, x, y, z = 0, 0, 0, 0.0
        kept = mav.MAVLink_mission_item_int_message(
            255, 190, m.seq, frame, m.command, 0, 1, m.param1, m.param2, m.param3, m.param4, x, y, z, m.mission_type
        )
        return self.script.change(kept)

    def on_mission_request_list(self, m):
        if self._expect:
            self.ack(mav.MAV_MISSION_DENIED, m.mission_type)
            return
        self.send(mav.MAVLink_mission_count_message(255, 190, len(self.lists[m.mission_type]), m.mission_type))

    def on_mission_request_int(self, m):
        self.send(self.lists[m.mission_type][m.seq])

    def on_mission_clear_all(self, m):
        if self._expect:
            self.ack(mav.MAV_MISSION_ERROR, m.mission_type)
            return
        self.lists[m.mission_type] = []
        self.ack(0, m.mission_type)

    # Commands and parameters.

    def on_command_long(self, m):
        results = self.script.commands.get(m.command, [0])
        result = results.pop(0) if len(results) > 1 else results[0]
        if m.command == mav.MAV_CMD_DO_SET_MODE:
            nth = self.counts[f"mode {int(m.param2)}"] = self.counts.get(f"mode {int(m.param2)}", 0) + 1
            result = self.script.orders(int(m.param2), nth)
        for text in self.script.says.get(m.command, ()):
            self.say(text)
        if result >= 0:
            self.send(mav.MAVLink_command_ack_message(m.command, result, 0, 0, 255, 190))
        if result == 0:
            self.obey(m)
        elif result == mav.MAV_RESULT_IN_PROGRESS:
            asyncio.get_running_loop().call_later(0.1, self.on_command_long, m)

    def obey(self, m):
        if m.command == mav.MAV_CMD_DO_SET_MODE:
            self.mode = int(m.param2)
            self.heartbeat()
        elif m.command == mav.MAV_CMD_COMPONENT_ARM_DISARM:
            self.armed = bool(m.param1)
            self.heartbeat()
        elif m.command == mav.MAV_CMD_MISSION_START:
            self._task = asyncio.create_task(self.fly())
        elif m.command == mav.MAV_CMD_SET_MESSAGE_INTERVAL and m.param1 == mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT:
            self.report()
        elif m.command in (mav.MAV_CMD_REQUEST_MESSAGE, mav.MAV_CMD_REQUEST_AUTOPILOT_CAPABILITIES):
            eight = [0] * 8
            self.send(
                mav.MAVLink_autopilot_version_message(
                    self.script.abilities, 4 << 24 | 7 << 16, 0, 0, 0, eight, eight, eight, 0, 0, 0
                )
            )

    def on_param_request_read(self, m):
        name = m.param_id if isinstance(m.param_id, str) else m.param_id.decode()
        table = list(self.script.params)
        if m.get_type() == "PARAM_REQUEST_READ" and m.param_index >= 0:
            name = table[m.param_index] if m.param_index < len(table) and self.script.by_index else ""
        if name in table:
            value, kind = self.script.params[name]
            index = table.index(name)
            self.send(mav.MAVLink_param_value_message(name.encode(), value, kind, len(table), index))
        elif name and self.script.param_errors:
            self.send(mav.MAVLink_param_error_message(255, 190, name.encode(), -1, 1))

    def on_param_set(self, m):
        name = m.param_id if isinstance(m.param_id, str) else m.param_id.decode()
        if name in self.script.params and name not in self.script.stubborn:
            self.script.params[name] = (m.param_value, self.script.params[name][1])
        self.on_param_request_read(m)

    # Flight.

    def report(self):
        lat, lon, up = self.where
        self.clock_ms += 1000
        self.heartbeat()
        self.send(mav.MAVLink_gps_raw_int_message(0, 3 if self.script.ready else 1, 0, 0, 0, 0, 0, 0, 0, 12))
        self.send(mav.MAVLink_ekf_status_report_message(0x1F if self.script.ready else 0x80, 0, 0, 0, 0, 0))
        self.send(mav.MAVLink_mission_current_message(self.current))
        self.send(
            mav.MAVLink_global_position_int_message(
                self.clock_ms, round(lat * 1e7), round(lon * 1e7), round((HOME[2] + up) * 1000), round(up * 1000),
                *self.velocity_cm_s, 0,
            )
        )  # fmt: skip

    async def fly(self):
        """Jump from place to place, a report at each and half-way."""
        self.where = HOME[0], HOME[1], 20.0
        self.report()
        located = [item for item in self.lists[0][1:] if item.command in LOCATED]
        for number, item in enumerate(located):
            self.current = item.seq
            target = item.x / 1e7, item.y / 1e7
            if self.script.flight == "stray" and number == 2:
                target = target[0] - 0.02, target[1]
            for share in (0.5, 1.0):
                at = [a + share * (b - a) for a, b in zip(self.where, target, strict=False)]
                self.where = at[0], at[1], item.z
                self.report()
                await asyncio.sleep(0.005)
            if self.mode == 9:
                break
            if self.mode == 6 or (self.script.flight == "return" and number == 2):
                self.mode = 6
                self.say("Battery 1 is low 13.10V used 4000 mAh")
                break
            if self.script.flight == "silent" and number == 2:
                self.dead = True
                return
            if self.script.flight == "disarm" and number == 2:
                self.armed = False
                self.heartbeat()
                return
            if self.script.flight == "terminate" and number == 2:
                self.status = mav.MAV_STATE_FLIGHT_TERMINATION
                self.heartbeat()
                return
            self.send(mav.MAVLink_mission_item_reached_message(item.seq))
        self.where = (*self.where[:2], 0.0) if self.mode == 9 else (HOME[0], HOME[1], 0.0)
        self.report()
        self.armed = False
        self.heartbeat()

    async def end(self):
        self.dead = True
        if self._task is not None:
            await self._task
        self.transport.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def vehicle_at(script: Script) -> AsyncIterator[tuple[ScriptedVehicle, str]]:
    """A scripted vehicle that listens, and the URL of its link. It says a heartbeat to whoever speaks to it."""
    loop = asyncio.get_running_loop()
    _, vehicle = await loop.create_datagram_endpoint(lambda: ScriptedVehicle(script), local_addr=("127.0.0.1", 0))
    vehicle.on_timesync = lambda _: vehicle.heartbeat()
    vehicle.on_heartbeat = lambda _: vehicle.report()
    port = vehicle.transport.get_extra_info("sockname")[1]
    try:
        yield vehicle, f"udp:127.0.0.1:{port}"
    finally:
        await vehicle.end()


@asynccontextmanager
async def linked(script: Script | None = None) -> AsyncIterator[tuple[ScriptedVehicle, Link]]:
    """A scripted vehicle with an open link to it."""
    async with vehicle_at(script or Script()) as (vehicle, url), await open_link(url) as link:
        await link.wait_vehicle(timeout_s=20.0)
        yield vehicle, link


def line_mission(places: int = 6, *, dialect: str = "ardupilot") -> Mission:
    """Home, take-off, a speed, places eastwards along a parallel, and back; with a fence and a rally point."""
    lat, lon = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
    items = [] if dialect == "px4" else [MissionItem(0, 0, 16, x=lat, y=lon, z=HOME[2])]
    items.append(MissionItem(len(items), 6, 22, x=lat, y=lon, z=90.0))
    items.append(MissionItem(len(items), 2, 178, 1.0, 7.5, -1.0))
    items += [MissionItem(len(items) + n, 6, 16, x=lat, y=lon + 50_000 * (n + 1), z=90.0) for n in range(places)]
    items.append(MissionItem(len(items), 2, 20))
    corners = ((31.335, -110.95), (31.335, -110.80), (31.36, -110.80), (31.36, -110.95))
    fence = tuple(MissionItem(n, 0, 5001, 4.0, x=round(a * 1e7), y=round(b * 1e7)) for n, (a, b) in enumerate(corners))
    return Mission("line", dialect, tuple(items), fence, (MissionItem(0, 3, 5100, x=lat, y=lon, z=30.0),))
