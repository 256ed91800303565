"""What others do to a vehicle in flight: its fence switched off, its lists replaced or cleared.

A second ground station, or a switch of the remote control, can take away in flight what was proved on the ground. Who
does so tells nobody. What shows it: the fence's bit in SYS_STATUS (ArduPilot), a setting that is told as it changes
(PARAM_VALUE goes to all who listen), a vehicle's own numbers of its lists (`autopilot.opaque`, PX4), and how many items
a list has, which costs one question. A list may be replaced by one of as many. Where there are no numbers some items
are read with each count: of the mission those that are flown next, and of every list some more in turn until all were.
Only ArduPilot hands items out in any order (`Dialect.download_window`), and says whose link brought it a mission; a PX4
that gives no numbers is counted alone.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.compare import item_differences
from autopilot.errors import FlightError
from autopilot.opaque import held_ids
from autopilot.telemetry import Telemetry
from autopilot.transfer_peer import from_message
from autopilot.vehicle import Vehicle
from autopilot.watch import FlightWatch
from autopilot.wire import Message
from autopilot.words import MissionKind

__all__ = ["Tampering"]

_ASK_S = 20.0  # vehicle seconds
_FIRST_S = 2.0  # somebody may have come between the proof and the start
_RECEIVED = "flight plan received"  # ArduPilot, to all on the link that brought it a mission
_SEEN_TWICE = 2
_ECHO_WALL_S = 0.15  # one word that comes more than once comes so within less
_DOUBT_S = 10.0
_GEOFENCE = mav.MAV_SYS_STATUS_GEOFENCE
_V2 = 0xFD


class Tampering:
    """Watches from its proof on that a vehicle keeps what it was proved to hold.

    Parameters
    ----------
    vehicle, watch
        The vehicle, proved just before, and its flight. Nothing may be uploaded to it meanwhile.
    fenced, set_up
        Whether its mission has a fence; whether the settings that make that act were proved too.

    Attributes
    ----------
    found
        What was seen, in words; None as long as nothing was.
    """

    def __init__(self, vehicle: Vehicle, watch: FlightWatch, *, fenced: bool, set_up: bool) -> None:
        self._vehicle, self._watch, self._fenced = vehicle, watch, fenced
        self._held = {kind: vehicle.held(kind) for kind in MissionKind if vehicle.held(kind)}
        self._settings = {one.name: one for one in vehicle.dialect.fence} if fenced and set_up else {}
        self._ids: dict[MissionKind, int] = {}
        self._doubts: dict[str, float] = {}
        self._acted = False
        self._off = 0
        self._awaited: set[MissionKind] = set()
        self._to_ask: list[MissionKind] = []
        self._read_next = dict.fromkeys(self._held, 0)
        self._flown = 0
        ago_s = vehicle.timing.wall_s(_ASK_S - _FIRST_S)
        self._asked_s = asyncio.get_running_loop().time() - ago_s
        self.found: str | None = None

    def take(self, message: Message, now: Telemetry) -> None:
        """Take in a message and the snapshot after it: a listener of `Vehicle.listen`."""
        if self.found is not None:
            return
        kind = message.get_type()
        if kind == "SYS_STATUS":
            self._take_status(message, now)
        elif kind == "PARAM_VALUE":
            self._take_parameter(message)
        elif kind == "MISSION_CURRENT":
            self._flown = message.seq
            self._take_ids(message)
        elif kind in _TAKERS:
            self._take_list(message)
        elif kind == "STATUSTEXT" and _RECEIVED in message.text.lower():
            self._asked_s = -math.inf

    def look(self) -> None:
        """Ask for what the vehicle does not say by itself, when it is time to. Raises FlightError on what was found."""
        vehicle = self._vehicle
        if self.found is not None:
            raise FlightError(
                f"{vehicle}: {self.found}, and not by us: what was proved holds no longer; see who else commands it"
            )
        now_s = asyncio.get_running_loop().time()
        if self._watch.lands:
            self._doubts.clear()  # what comes now of its fence means nothing any more, and nothing may come of it
        for name, since_s in self._doubts.items():
            if now_s - since_s >= vehicle.timing.wall_s(_DOUBT_S):
                self.found = f"its fence may have been made void ({name}), and it does not answer"
            vehicle.ask_parameter(name)
        busy = vehicle.link.transfer_lock(vehicle.sysid).locked()
        if now_s - self._asked_s < vehicle.timing.wall_s(_ASK_S) or busy:
            return
        self._asked_s = now_s
        self._to_ask = [kind for kind in self._held if not self._ids.get(kind)]
        at_once = len(self._to_ask) if vehicle.dialect.download_window > 1 else 1  # PX4 has one transfer for all lists
        for _ in range(at_once):
            self._ask_next()

    def _ask_next(self) -> None:
        if self._to_ask:
            vehicle, kind = self._vehicle, self._to_ask.pop(0)
            self._awaited.add(kind)
            ask = mav.MAVLink_mission_request_list_message(vehicle.sysid, vehicle.component, kind)
            vehicle.link.send(ask, vehicle.sysid)

    def _take_status(self, message: Message, now: Telemetry) -> None:
        dialect = self._vehicle.dialect
        guarded = now.mode in {dialect.mission_mode, dialect.pause_mode, dialect.orders.guided_mode}
        # ArduPilot may be set to switch its fence off by itself to land (FENCE_AUTOENABLE).
        if not self._fenced or not guarded or self._watch.lands:
            self._off = 0
        elif message.onboard_control_sensors_enabled & _GEOFENCE:
            self._acted, self._off = True, 0
        elif self._acted:
            self._off += 1
            if self._off >= _SEEN_TWICE:
                self.found = "its fence was switched off"

    def _take_parameter(self, message: Message) -> None:
        name, value = self._vehicle.parameter_in(message)
        setting = self._settings.get(name)
        acts = setting is None or (math.isfinite(value) and setting.wanted(value) == value)
        if acts or self._watch.lands:
            self._doubts.pop(name, None)
        elif name not in self._doubts:
            # It may be an old word that was long on its way: what it says to a question counts.
            self._doubts[name] = asyncio.get_running_loop().time()
            self._vehicle.ask_parameter(name)
        elif asyncio.get_running_loop().time() - self._doubts[name] >= _ECHO_WALL_S:
            self.found = f"its fence was made void ({name} is {value:g} now)"

    def _take_ids(self, message: Message) -> None:
        if message.get_msgbuf()[0] != _V2:
            return  # it has no room for them
        for kind, number in zip(MissionKind, held_ids(message), strict=True):
            if kind in self._held and number:
                if self._ids.setdefault(kind, number) != number:
                    self._gone(kind, "replaced")
            elif self._ids.get(kind):
                self._gone(kind, "cleared")

    def _take_list(self, message: Message) -> None:
        """Take what answers a question of ours, while no transfer of ours asks."""
        link = self._vehicle.link
        for_us = (link.system_id, link.component_id) == (message.target_system, message.target_component)
        kind = next((kind for kind in self._held if kind == message.mission_type), None)
        if for_us and kind is not None and not link.transfer_lock(self._vehicle.sysid).locked():
            _TAKERS[message.get_type()](self, kind, message)

    def _take_count(self, kind: MissionKind, message: Message) -> None:
        vehicle = self._vehicle
        if message.count != len(self._held[kind]):
            self._gone(kind, f"{'replaced' if message.count else 'cleared'} ({message.count} items now)")
        if kind in self._awaited:
            self._awaited.discard(kind)
            if vehicle.dialect.download_window > 1 and self.found is None:
                for seq in self._looked_at(kind):
                    ask = mav.MAVLink_mission_request_int_message(vehicle.sysid, vehicle.component, seq, kind)
                    vehicle.link.send(ask, vehicle.sysid)
            ended = mav.MAVLink_mission_ack_message(vehicle.sysid, vehicle.component, mav.MAV_MISSION_ACCEPTED, kind)
            vehicle.link.send(ended, vehicle.sysid)
            self._ask_next()

    def _looked_at(self, kind: MissionKind) -> list[int]:
        """Which items are read now."""
        count, window = len(self._held[kind]), self._vehicle.dialect.download_window
        begin = self._read_next[kind]
        chosen = {(begin + n) % count for n in range(window)}
        self._read_next[kind] = (begin + window) % count
        if kind is MissionKind.MISSION:
            chosen |= set(range(self._flown, min(self._flown + window, count)))
        return sorted(chosen)

    def _take_item(self, kind: MissionKind, message: Message) -> None:
        dialect, held = self._vehicle.dialect, self._held[kind]
        is_home = kind is MissionKind.MISSION and dialect.home_is_item_0 and message.seq == 0
        if is_home or message.seq >= len(held):
            return
        found = next(iter(item_differences(held[message.seq], from_message(message), dialect)), None)
        if found is not None:
            self._gone(kind, f"replaced ({found})")

    def _gone(self, kind: MissionKind, how: str) -> None:
        self.found = f"its {kind} was {how}"
        if kind is MissionKind.MISSION and self._watch.forget_landing() and self._vehicle.dialect.landing is not None:
            self.found += ", and its way home lands by the list that it holds now: take it over by hand"


_TAKERS: Mapping[str, Callable[[Tampering, MissionKind, Message], None]] = MappingProxyType(
    {
        "MISSION_COUNT": Tampering._take_count,  # noqa: SLF001 (the table is the class's own)
        "MISSION_ITEM_INT": Tampering._take_item,  # noqa: SLF001
    }
)
