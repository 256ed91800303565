"""One flight as seen from its telemetry: events, items, positions beside the planned line and the borders."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import LOCATED
from autopilot.dialects import HOME_FIRST
from autopilot.long_texts import SAYING, Said
from autopilot.report import Event, ItemReached, Landing
from autopilot.telemetry import Telemetry
from autopilot.wire import Message
from autopilot.words import command_name
from geo import LocalFrame, locate
from missions import BorderSegment, Mission, MissionItem

__all__ = ["BorderWatch", "FlightWatch", "places"]

_AIRBORNE_M = 2.0
_GUARD_PERIOD_S = 0.5  # vehicle seconds between looks at the borders
_PLACE_HOLDS_US = 1_500_000
# A vehicle that has forgotten us in a silence tells its place once it is asked again.
_HEARTBEATS_WAITED, _WAITED_US = 3, 1_500_000
_CHUNK = 256
_LAST_SAMPLES = 64
_NEAR_M = 150.0  # wings cut corners by as much as their turn is wide
# Looked at by the camera, and marks on the list: neither is ever said to be reached.
_NOT_FLOWN_TO = frozenset(
    {
        mav.MAV_CMD_DO_SET_ROI_LOCATION,
        mav.MAV_CMD_DO_SET_ROI,
        mav.MAV_CMD_DO_SET_HOME,
        mav.MAV_CMD_DO_LAND_START,
    }
)

_TOUCHES = frozenset({mav.MAV_CMD_NAV_LAND, mav.MAV_CMD_NAV_VTOL_LAND})
_HOMEWARD = _TOUCHES | {mav.MAV_CMD_NAV_RETURN_TO_LAUNCH}

Floats = NDArray[np.float64]


def places(mission: Mission) -> tuple[MissionItem, ...]:
    """The items that a vehicle flies to, in order, without home and without a take-off or landing "here"."""
    first = 1 if mission.dialect in HOME_FIRST else 0
    flown_to = LOCATED - _NOT_FLOWN_TO
    return tuple(item for item in mission.items[first:] if item.command in flown_to and (item.x or item.y))


class BorderWatch:
    """Signed distance of positions to the nearest of some borders: positive on its own side.

    The nearest alone decides: between a position and the nearest border lies no other, and the side of a line far away
    means nothing.

    Parameters
    ----------
    borders
        The lines and their own sides, at least one.
    """

    def __init__(self, borders: Sequence[BorderSegment]) -> None:
        self._lines = [_Line.of(border) for border in borders]

    def distance_m(self, lat_deg: Floats, lon_deg: Floats) -> Floats:
        """Signed distance in metres, shape (n,); past an end of the line the side means nothing and it is positive."""
        each = np.stack([line.distance_m(lat_deg, lon_deg) for line in self._lines])
        # Of two that are equally near the one that was crossed counts: sorted first, and argmin takes the first.
        each.sort(axis=0)
        nearest: Floats = np.take_along_axis(each, np.abs(each).argmin(axis=0)[None], axis=0)[0]
        return nearest


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A border in the local frame of its own middle, shape (n, 2), metres, and the sign of its own side."""

    frame: LocalFrame
    xy: Floats
    sign: int

    @classmethod
    def of(cls, border: BorderSegment) -> _Line:
        frame = LocalFrame(*border.centre())
        return cls(frame, border.local_line(frame), border.own_side.sign)

    def distance_m(self, lat_deg: Floats, lon_deg: Floats) -> Floats:
        east, north, _ = self.frame.to_enu(lat_deg, lon_deg)
        points = np.atleast_2d(np.stack([east, north], axis=-1))
        found = []
        for start in range(0, len(points), _CHUNK):
            at = locate(self.xy, points[start : start + _CHUNK])
            found.append(np.where(at.beyond, np.abs(at.offset_m), self.sign * at.offset_m))
        return np.concatenate(found)


@dataclass(frozen=True, slots=True)
class _Sample:
    lat_deg: float
    lon_deg: float
    above_home_m: float
    item: int | None


class FlightWatch:
    """Listens to a vehicle from before it arms until after it disarms.

    Attributes
    ----------
    events, reached
        What happened so far.
    was_armed, airborne, ended
        Whether it armed since; whether it is in the air; whether it disarmed after it armed, or says that its flight
        is terminated: PX4 stays armed then, on the ground too. One that is heard disarmed after a silence has ended
        once it says where it is, or for some heartbeats does not.
    ended_in_air
        Whether that was above the ground.
    crossed, sent_home
        Whether it was seen on the other side of a border, and whether it was turned back since.
    astray
        Whether its way home leads to where nobody of ours has put its home.
    """

    def __init__(self, mission: Mission, mission_mode: str, borders: BorderWatch | None, boots: int = 0) -> None:
        self.events: list[Event] = []
        self.reached: list[ItemReached] = []
        self.was_armed = self.airborne = self.ended = self.ended_in_air = False
        self.crossed = self.sent_home = self.astray = False
        self.started: tuple[int, float | None] | None = None
        self.finished: tuple[int, float | None] | None = None
        self.mode: str | None = None
        self._commands = {item.seq: item.command for item in mission.items}
        self._places = places(mission)
        self._flown_to = frozenset(place.seq for place in self._places)
        self._flew = False
        self._landing: MissionItem | None = None
        marks = [item.seq for item in mission.items if item.command == mav.MAV_CMD_DO_LAND_START]
        self._mark = marks[0] if marks else None
        self._borders = borders
        self._mission_mode = mission_mode
        self._samples: list[_Sample] = []
        self._item: int | None = None
        self._guarded_s = -1e9
        self._boots = boots
        self._said = Said()
        self._disarmed = 0  # heartbeats
        self._disarmed_us = 0
        self._placed_us = 0

    def take(self, message: Message, now: Telemetry) -> None:
        """Take in a message and the snapshot after it: a listener of `Vehicle.listen`."""
        kind = message.get_type()
        if now.boots != self._boots:
            self._boots = now.boots
            self._note(now, "failure", "its clock stepped back: it booted anew, or another speaks with its system id")
        if kind == "GLOBAL_POSITION_INT":
            self._position(now)
        elif kind == "HEARTBEAT":
            self._heartbeat(now)
        elif kind == "MISSION_ITEM_REACHED":
            # PX4 says it up to ten times more, a second apart: before it is off the ground that is of a flight before.
            if self._flew or message.seq not in self._flown_to:
                self._reach(message.seq, now, reported=True)
        elif kind == "MISSION_CURRENT":
            self._current(message.seq, now)
        elif kind in SAYING:
            self._said.take(message, now.time_us / 1e6)
        if self._said.look(now.time_us / 1e6):
            for _, text in self._said.finished():
                self._note(now, "text", text)

    def _note(self, now: Telemetry, kind: str, text: str) -> None:
        self.events.append(Event(now.time_us, now.vehicle_s, kind, text))

    def _heartbeat(self, now: Telemetry) -> None:
        if now.mode != self.mode:
            self.mode = now.mode
            self._note(now, "mode", f"mode {now.mode}")
        if now.armed and not self.was_armed:
            self.was_armed = True
            self.started = (now.time_us, now.vehicle_s)
            self._note(now, "armed", "armed")
        elif self.was_armed and (not now.armed or now.system_status == mav.MAV_STATE_FLIGHT_TERMINATION):
            # After a silence its last known height is old: it may have come down since. Some never say where they are.
            if not self._disarmed:
                self._disarmed_us = now.time_us
            self._disarmed += 1
            waited = self._disarmed > _HEARTBEATS_WAITED and now.time_us - self._disarmed_us >= _WAITED_US
            if waited or now.time_us - self._placed_us <= _PLACE_HOLDS_US:
                self._end(now)

    def _end(self, now: Telemetry) -> None:
        if self.ended:
            return
        # ArduPlane never says that a landing is done: it disarms there, and goes back to item 0 (seen on 4.7-dev).
        down = self._landing
        if down is not None and self.mode == self._mission_mode and not self.airborne and self._was_near(down):
            self._reach(down.seq, now, reported=False)
        self.ended = True
        self.finished = (now.time_us, now.vehicle_s)
        self.ended_in_air = self.airborne and now.landed is not True
        how = "terminated" if now.armed else "disarmed"
        self._note(now, "disarmed", f"{how} {_height(now)} above home")

    def _position(self, now: Telemetry) -> None:
        self._placed_us = now.time_us
        if not self.was_armed or self.ended:
            return
        assert now.lat_deg is not None
        assert now.lon_deg is not None
        assert now.above_home_m is not None
        # Outside the mission mode it flies to no item: home, or where a person sends it.
        item = self._item if now.mode == self._mission_mode else None
        self._samples.append(_Sample(now.lat_deg, now.lon_deg, now.above_home_m, item))
        if self.airborne != (now.above_home_m > _AIRBORNE_M):
            self.airborne = not self.airborne
            self._flew = True
            self._note(now, "airborne", "in the air" if self.airborne else "near the ground")
        clock = now.vehicle_s or 0.0
        if self._borders is not None and not self.crossed and abs(clock - self._guarded_s) >= _GUARD_PERIOD_S:
            self._guarded_s = clock
            distance = float(self._borders.distance_m(np.array([now.lat_deg]), np.array([now.lon_deg]))[0])
            if distance < 0:
                self.crossed = True
                self._note(now, "border", f"{-distance:.0f} m beyond the border")
        if self._disarmed:
            self._end(now)

    def _current(self, seq: int, now: Telemetry) -> None:
        if not self.was_armed or self.ended or seq == self._item:
            return
        if self._item is not None:
            # A return goes on with the landing of the mission, and what lies between was not flown.
            jumped = self._mark is not None and self._item < self._mark <= seq
            for place in self._places:
                if self._item <= place.seq < seq and not (jumped and not self._was_near(place)):
                    self._reach(place.seq, now, reported=False)
        self._item = seq
        self._landing = next((p for p in self._places if p.seq == seq and p.command in _TOUCHES), self._landing)

    def _was_near(self, place: MissionItem) -> bool:
        """Whether the way from one of the last positions to the next came near a place."""
        frame = LocalFrame(place.x / 1e7, place.y / 1e7)
        last = self._samples[-_LAST_SAMPLES:]
        if not last:
            return False
        east, north, _ = frame.to_enu([s.lat_deg for s in last], [s.lon_deg for s in last])
        way = np.stack([east, north], axis=-1)
        way = np.concatenate([way, way[-1:]])
        step = np.diff(way, axis=0)
        square = np.maximum((step**2).sum(axis=1), 1e-9)
        share = np.clip(-(way[:-1] * step).sum(axis=1) / square, 0.0, 1.0)
        return bool(np.hypot(*(way[:-1] + share[:, None] * step).T).min() <= _NEAR_M)

    def is_down(self, now: Telemetry) -> bool:
        """Whether it has flown and is on the ground again, by its own word.

        Its height above home says nothing of it: below its base, or where somebody has moved its home, it is none.
        """
        return self._flew and (now.landed is True or not now.armed)

    @property
    def landing_by_mission(self) -> bool:
        """Whether it flies the landing sequence of its mission."""
        return self._mark is not None and self._item is not None and self._item >= self._mark

    @property
    def lands(self) -> bool:
        """Whether it flies the landing sequence of its mission, or an item that brings it down."""
        item = -1 if self._item is None else self._item
        return self.landing_by_mission or self._commands.get(item) in _HOMEWARD

    def forget_landing(self) -> bool:
        """The list that it holds is not this mission any more: its items say nothing of a landing. Whether one had."""
        had, self._mark = self._mark is not None, None
        self._commands = {}
        return had

    def _reach(self, seq: int, now: Telemetry, *, reported: bool) -> None:
        if not self.was_armed or self.ended:
            return
        for index, known in enumerate(self.reached):
            if known.seq == seq:
                if reported and not known.reported:
                    self.reached[index] = ItemReached(seq, known.command, known.time_us, known.vehicle_s, reported=True)
                return
        command = self._commands.get(seq, 0)
        self.reached.append(ItemReached(seq, command, now.time_us, now.vehicle_s, reported))
        self._note(now, "item", f"item {seq} ({command_name(command)}) {'reached' if reported else 'passed'}")

    def take_over(self, now: Telemetry, reached: Collection[int]) -> None:
        """Count as reached what is known to be, and as passed what lies before the current item."""
        for place in self._places:
            if place.seq in reached or (now.item is not None and place.seq < now.item):
                self._reach(place.seq, now, reported=place.seq in reached)

    def note_failure(self, now: Telemetry, text: str) -> None:
        """Add an event of our own making."""
        self._note(now, "failure", text)

    def note(self, now: Telemetry, text: str) -> None:
        """Add what a person has to know of this flight."""
        self._note(now, "note", text)

    def tell(self, now: Telemetry, text: str) -> None:
        """Add what was found out before take-off."""
        self._note(now, "check", text)

    @property
    def must_return(self) -> bool:
        """Whether it is beyond a border and was not told to turn back, or flies its mission all the same."""
        flies_on = self.mode == self._mission_mode and not self.landing_by_mission
        return self.crossed and not self.ended and (not self.sent_home or flies_on)

    # After the flight.

    @property
    def missed(self) -> tuple[int, ...]:
        """Places of the mission that were not reached."""
        done = {item.seq for item in self.reached}
        return tuple(place.seq for place in self._places if place.seq not in done)

    @property
    def skipped(self) -> tuple[int, ...]:
        """Those of them that lie before its landing sequence, if it has one."""
        return tuple(seq for seq in self.missed if self._mark is None or seq < self._mark)

    @property
    def samples(self) -> int:
        """Positions seen."""
        return len(self._samples)

    def landing(self) -> Landing | None:
        """Where the flight ended; None before it has."""
        if not (self.ended and self._samples):
            return None
        first, last = self._samples[0], self._samples[-1]
        east, north, _ = LocalFrame(first.lat_deg, first.lon_deg).to_enu(last.lat_deg, last.lon_deg)
        return Landing(last.lat_deg, last.lon_deg, float(np.hypot(east, north)))

    def left_at(self) -> tuple[float, float] | None:
        """Where it last was in the mode of its mission, degrees; None where it never was.

        The mode comes once a second: an aircraft that turns home may be a second's way on.
        """
        last = next((sample for sample in reversed(self._samples) if sample.item is not None), None)
        return None if last is None else (last.lat_deg, last.lon_deg)

    def deviation_m(self) -> tuple[float, float] | None:
        """Mean and greatest horizontal distance from the planned line, metres; None where no place was flown to.

        Each position counts against its own leg and the two beside it, so that a line flown up and down close by does
        not lend its nearness, and a corner or a late MISSION_CURRENT does not count as an error.
        """
        if not (self._samples and self._places):
            return None
        home = self._samples[0]
        frame = LocalFrame(home.lat_deg, home.lon_deg)
        lat = np.array([home.lat_deg, *(place.x / 1e7 for place in self._places)])
        lon = np.array([home.lon_deg, *(place.y / 1e7 for place in self._places)])
        line = np.stack(frame.to_enu(lat, lon)[:2], axis=-1)
        flown = [s for s in self._samples if s.above_home_m > _AIRBORNE_M]
        leg_of = {place.seq: number for number, place in enumerate(self._places)}
        distances = []
        for item, leg in leg_of.items():
            points = [s for s in flown if s.item == item]
            if not points:
                continue
            east, north, _ = frame.to_enu([s.lat_deg for s in points], [s.lon_deg for s in points])
            near = line[max(leg - 1, 0) : leg + 3]
            if any(np.any(a != b) for a, b in pairwise(near)):
                distances.append(np.abs(locate(near, np.stack([east, north], axis=-1)).offset_m))
        if not distances:
            return None
        every = np.concatenate(distances)
        return float(every.mean()), float(every.max())

    def nearest_border_m(self) -> float | None:
        """Least signed distance to the nearest border in the air, metres; None without a border or a flight."""
        air = [s for s in self._samples if s.above_home_m > _AIRBORNE_M]
        if self._borders is None or not air:
            return None
        distance = self._borders.distance_m(np.array([s.lat_deg for s in air]), np.array([s.lon_deg for s in air]))
        return float(distance.min())


def _height(now: Telemetry) -> str:
    return "at an unknown height" if now.above_home_m is None else f"{now.above_home_m:.1f} m"
