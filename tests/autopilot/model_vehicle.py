"""A vehicle that does one step when it is told to, over a link in virtual time: pymavlink, no protocol code of ours.

It stores what comes item by item as ArduPilot does, so that an upload which breaks off leaves a mixture.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from bench.link_virtual import virtual_link
from missions import MissionItem

STATION = 255, 190
Place = tuple[int, int, int, float]


def place_of(item: MissionItem) -> Place:
    """What is flown of an item."""
    return item.command, item.x, item.y, round(item.z, 2)


def lists(count: int, eastwards: int) -> tuple[MissionItem, ...]:
    """Home and `count` places on a line."""
    lat, lon = 313_450_000, -1_109_400_000
    home = MissionItem(0, 0, 16, x=lat, y=lon, z=1180.0)
    return (home, *(MissionItem(n, 3, 16, x=lat + n, y=lon + eastwards * n, z=50.0 + n) for n in range(1, count + 1)))


class ModelVehicle:
    """The vehicle.

    Attributes
    ----------
    link
        Our end.
    store, untouched
        What it holds, and what it held before anything of us came.
    pending
        Packets of ours that it has not looked at.
    read
        Whether the list was asked for since it last changed.
    """

    def __init__(self, held: tuple[MissionItem, ...]) -> None:
        self.untouched: list[Place] = [place_of(item) for item in held]
        self.store = list(self.untouched)
        self.pending: deque[Any] = deque()
        self.read = False
        self.upload: list[int] | None = None
        self.spoils = 0
        self.last: list[Any] = []
        self._ears = mav.MAVLink(None)
        self._ears.robust_parsing = True
        self.link = virtual_link(self._heard)

    def _heard(self, packet: bytes) -> None:
        self.pending += self._ears.parse_buffer(bytearray(packet)) or ()

    def say(self, message: Any, *, sysid: int = 1, component: int = 1) -> None:
        """Send a message, under whatever name."""
        mouth = mav.MAVLink(None, srcSystem=sysid, srcComponent=component)
        self.link.channels[0].received(bytes(message.pack(mouth)), None, datagram=True)

    def take(self, *, heard: bool = True) -> None:
        """Look at the oldest packet and answer it; where it is not `heard`, the answer is lost."""
        answers = self._answers(self.pending.popleft())
        if answers:
            self.last = answers
        if heard:
            for answer in answers:
                self.say(answer)

    def ask(self) -> list[Any]:
        """The request that it would repeat."""
        return [] if self.upload is None else [mav.MAVLink_mission_request_message(*STATION, self.upload[0], 0)]

    def ack(self, result: int, kind: int = 0) -> Any:
        """An acknowledgement."""
        return mav.MAVLink_mission_ack_message(*STATION, result, kind)

    def reboot(self) -> None:
        """It keeps what is stored, and forgets what it was doing."""
        self.upload = None
        self.pending.clear()

    def _answers(self, m: Any) -> list[Any]:
        handler = getattr(self, f"_on_{m.get_type().lower()}", None)
        return [] if handler is None or getattr(m, "mission_type", 0) else handler(m)

    def _on_mission_count(self, m: Any) -> list[Any]:
        self.read = False
        del self.store[m.count :]
        self.upload = [0, m.count] if m.count else None
        return self.ask() if m.count else [self.ack(0)]

    def _on_mission_clear_all(self, _: Any) -> list[Any]:
        if self.upload is not None:
            return [self.ack(mav.MAV_MISSION_ERROR)]
        self.store = []
        return [self.ack(0)]

    def _on_mission_request_list(self, _: Any) -> list[Any]:
        if self.upload is not None:
            return [self.ack(mav.MAV_MISSION_DENIED)]
        self.read = True
        return [mav.MAVLink_mission_count_message(*STATION, len(self.store), 0)]

    def _on_mission_request_int(self, m: Any) -> list[Any]:
        if self.upload is not None:
            return [self.ack(mav.MAV_MISSION_DENIED)]
        if m.seq >= len(self.store):
            return [self.ack(mav.MAV_MISSION_INVALID_SEQUENCE)]
        return [self.item(m.seq, self.store[m.seq])]

    def item(self, seq: int, place: Place) -> Any:
        """An item as it reads back."""
        command, x, y, z = place
        frame = 3 if seq else 0
        return mav.MAVLink_mission_item_int_message(*STATION, seq, frame, command, 0, 1, 0, 0, 0, 0, x, y, z, 0)

    def _on_mission_item_int(self, m: Any) -> list[Any]:
        if self.upload is None:
            return [self.ack(mav.MAV_MISSION_ERROR)]
        if m.seq != self.upload[0]:
            return [self.ack(mav.MAV_MISSION_INVALID_SEQUENCE)]
        z = m.z
        if self.spoils and m.seq:
            self.spoils -= 1
            z -= 30.0
        self.store[m.seq : m.seq + 1] = [(m.command, m.x, m.y, round(z, 2))]
        self.upload[0] += 1
        if self.upload[0] < self.upload[1]:
            return self.ask()
        self.upload = None
        return [self.ack(0)]


async def nothing_more() -> None:
    """Let everything that is due now be done."""
    for _ in range(8):
        await asyncio.sleep(0)
