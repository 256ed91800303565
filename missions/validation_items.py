"""Independent validation of what is uploaded: the items of every mission against the legs that they are to fly.

A plan is judged by its legs, and an autopilot flies items. They are read here one by one as an autopilot does, which
goes to a place with the speed and the camera that it was last told: nothing of what compiles missions is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from missions.mission import Mission, MissionItem
from missions.patrol import PatrolPlan
from missions.sortie import Leg, LegKind, Sortie, Waypoint
from missions.validation_air import true_by_equivalent
from missions.validation_rule import Rule

__all__ = ["items"]

_GLOBAL, _ABOVE_HOME = 0, 6
_WAYPOINT, _RETURN, _LAND, _TAKEOFF, _VTOL_TAKEOFF, _VTOL_LAND = 16, 20, 21, 22, 84, 85
_LAND_START, _SPEED, _CAMERA, _FILM, _CUT = 189, 178, 205, 2500, 2501
_LOOK_AT, _LOOK_AHEAD = 195, 197
_PLACES = frozenset({_WAYPOINT, _LAND, _TAKEOFF, _VTOL_TAKEOFF})
_TOLD = frozenset({_SPEED, _CAMERA, _FILM, _CUT})

_NEAR_M, _LEVEL_M = 0.5, 0.05
"""How far the place of an item may be from the end of its leg: items round it to a centimetre."""
_ACCEPTED_M = 2.0
_SPEED_ROOM_M_S, _WING_ROOM_M_S = 0.51, 0.75
_AIR, _GROUND = 0.0, 1.0
_TURNED_DEG = 0.02
_HELD_S = 0.06
_M_PER_DEG = 111_195.0


@dataclass
class _Told:
    """What the items have told the aircraft so far."""

    speed: tuple[float, float] | None = None
    camera: tuple[float, float] | None = None
    films: bool = False
    landing_begins: list[int] = field(default_factory=list)
    """How many places came before each mark of a landing sequence."""


def items(plan: PatrolPlan, missions: Sequence[Mission]) -> Rule:
    """Whether the items of missions fly the legs of their sorties, and nothing else.

    Every leg ends at the place of one item, in order, at its height above home; on the way there the aircraft has been
    told the speed of the leg, and the camera where to look and to film while it watches, and not else. It begins at
    home, with a take-off unless it is in the air, and ends with the return, or the landing of the legs.
    """
    found: list[str] = []
    count, farthest = 0, 0.0
    named = {mission.name: mission for mission in missions}
    for sortie in plan.sorties:
        mission = named.get(sortie.name)
        if mission is not None:
            count += len(mission.items)
            off, broken = _flown(plan, sortie, mission)
            farthest = max(farthest, off)
            found += [f"{sortie.name}: {sentence}" for sentence in broken]
    return Rule("items fly the legs", count, _NEAR_M - farthest if count else None, 0.0, "m", tuple(found))


def _flown(plan: PatrolPlan, sortie: Sortie, mission: Mission) -> tuple[float, list[str]]:
    """How far a place is from that of its leg at most, metres, and what is wrong."""
    found = list(_formal(sortie, mission))
    on_runway = sortie.vehicle.aircraft.needs_runway
    legs = [leg for leg in sortie.legs if on_runway or leg.kind is not LegKind.LANDING]
    # Item 0 of ArduPilot is home.
    flown = mission.items[1:] if mission.dialect == "ardupilot" else mission.items
    places = [item for item in flown if item.command in _PLACES]
    if len(places) != len(legs):
        return math.inf, [*found, f"its mission leads to {len(places)} places, its legs to {len(legs)}"]
    told, number, farthest = _Told(), 0, 0.0
    for item in flown:
        if item.command not in _PLACES:
            _tell(told, item, number)
            continue
        leg, before = legs[number], number
        number += 1
        off_m, broken = _place(item, leg, sortie.home)
        farthest = max(farthest, off_m)
        broken += [*_speed(plan, sortie, leg, told), *_look(plan, sortie, leg, told)]
        wanted = _command(sortie, before, len(legs))
        if item.command != wanted:
            broken.append(f"is of command {item.command}, wanted is {wanted}")
        found += [f"item {item.seq} {sentence}" for sentence in broken]
    established = len(legs) - len(sortie.landing) - 1
    if on_runway and told.landing_begins != [established]:
        found.append("its landing sequence is not marked where it begins")
    return farthest, found


def _formal(sortie: Sortie, mission: Mission) -> Iterator[str]:
    """What is wrong with a list of items whatever they fly."""
    listed, home = mission.items, sortie.home
    most = sortie.vehicle.aircraft.mission_items
    if len(listed) > most:
        yield f"its mission has {len(listed)} items, {sortie.vehicle.name} stores {most}"
    wrong = next((k for k, item in enumerate(listed) if item.seq != k or not item.autocontinue), None)
    if wrong is not None:
        yield f"item {wrong} is out of order, or waits for somebody"
    if mission.dialect == "ardupilot" and listed:
        first = listed[0]
        if (first.frame, first.command) != (_GLOBAL, _WAYPOINT):
            yield "item 0 is no home, which ArduPilot takes it for"
        off_m, up_m = _apart_m(first, home), first.z - home.amsl_m
        if not (off_m <= _NEAR_M and abs(up_m) <= _LEVEL_M):
            yield f"its home is {off_m:.1f} m from that of the plan, {up_m:+.1f} m high"
    last = _ends_with(sortie, mission)
    if not listed or listed[-1].command != last:
        yield f"its mission ends with command {listed[-1].command if listed else None}, wanted is {last}"
    stays = any(leg.kind is LegKind.STATION for leg in sortie.legs)
    others = _PLACES | _TOLD | ({_LOOK_AT, _LOOK_AHEAD} if stays else frozenset())
    others |= {_LAND_START} if sortie.vehicle.aircraft.needs_runway else frozenset()
    for item in listed[:-1]:
        if item.command not in others:
            yield f"item {item.seq} is of command {item.command}, which is no part of its legs"


def _ends_with(sortie: Sortie, mission: Mission) -> int:
    """The command that a mission ends with: PX4 flies no VTOL's that does not land."""
    craft = sortie.vehicle.aircraft
    if craft.needs_runway:
        return _LAND
    return _VTOL_LAND if craft.has_wings and mission.dialect == "px4" else _RETURN


def _command(sortie: Sortie, number: int, count: int) -> int:
    """The command of the place that a leg ends at."""
    craft = sortie.vehicle.aircraft
    if number == 0 and not sortie.airborne:
        # A VTOL that has wings and rotors to land on.
        return _VTOL_TAKEOFF if craft.has_wings and not craft.needs_runway else _TAKEOFF
    return _LAND if number == count - 1 and craft.needs_runway else _WAYPOINT


def _tell(told: _Told, item: MissionItem, places: int) -> None:
    if item.command == _SPEED:
        told.speed = item.p1, item.p2
    elif item.command == _CAMERA:
        told.camera = item.p1, item.p3
    elif item.command in {_FILM, _CUT}:
        told.films = item.command == _FILM
    elif item.command == _LAND_START:
        told.landing_begins.append(places)


def _place(item: MissionItem, leg: Leg, home: Waypoint) -> tuple[float, list[str]]:
    """How far the place of an item is from the end of its leg, metres, and what is wrong with it."""
    found = []
    off_m, up_m = _apart_m(item, leg.end), item.z - (leg.end.amsl_m - home.amsl_m)
    if item.frame != _ABOVE_HOME:
        found.append(f"has its height in frame {item.frame}, not above home")
    if not (off_m <= _NEAR_M and abs(up_m) <= _LEVEL_M):
        found.append(f"is {off_m:.1f} m from the end of its leg, {up_m:+.1f} m high")
    if item.command == _WAYPOINT:
        held_s = leg.duration_s if leg.start == leg.end else 0.0
        if not abs(item.p1 - held_s) <= _HELD_S:
            found.append(f"waits there for {item.p1:g} s, its leg for {held_s:.1f}")
        if not item.p2 <= _ACCEPTED_M:
            found.append(f"is taken for reached {item.p2:g} m away, wanted is {_ACCEPTED_M:g}")
    return off_m, found


def _speed(plan: PatrolPlan, sortie: Sortie, leg: Leg, told: _Told) -> Iterator[str]:
    """What is wrong with the speed on the way along a leg; up from the ground and down there it has none."""
    craft = sortie.vehicle.aircraft
    if leg.distance_m <= 0 or leg.kind in {LegKind.TAKEOFF, LegKind.LANDING}:
        return
    if told.speed is None:
        yield "is flown to at a speed that nobody has told"
        return
    kind, value = told.speed
    if kind != (_AIR if craft.has_wings else _GROUND):
        yield f"is flown to at a speed of kind {kind:g}"
    elif not craft.has_wings:
        if abs(value - leg.speed_m_s) > _SPEED_ROOM_M_S:
            yield f"is flown to at {value:.1f} m/s, its leg at {leg.speed_m_s:.1f}"
    else:
        air_m_s = _airspeed_m_s(leg, plan.options.wind.speed_m_s, plan.options.wind.from_deg)
        air_m_s /= true_by_equivalent(leg)
        # Beside the patrol wings fly at cruise wherever that is not too fast.
        same = abs(value - air_m_s) <= _WING_ROOM_M_S
        if not (same or (leg.kind is not LegKind.PATROL and abs(value - craft.cruise_m_s) <= _WING_ROOM_M_S)):
            yield f"is flown to at {value:.1f} m/s through the air, its leg at {air_m_s:.1f}"


def _look(plan: PatrolPlan, sortie: Sortie, leg: Leg, told: _Told) -> Iterator[str]:
    """What is wrong with the camera on the way along a leg: it films where the leg watches, to its side."""
    watches = leg.kind is LegKind.PATROL and leg.look is not None
    if told.films != watches:
        yield "is flown to without a film of what its leg watches" if watches else "is filmed on the way to"
    if watches and leg.look is not None:
        # The own side of a line is to the left where its sign is 1, and -90 degrees is left of the nose.
        wanted = plan.observation_of(sortie).gimbal_pitch_deg, -90.0 * leg.look.sign
        if told.camera is None or any(abs(a - b) > _TURNED_DEG for a, b in zip(told.camera, wanted, strict=True)):
            yield f"is flown to with a camera at {told.camera}, its leg looks to {wanted}"


def _airspeed_m_s(leg: Leg, wind_m_s: float, from_deg: float) -> float:
    """Speed through the air of a leg, metres a second: its velocity over the ground less that of the air."""
    east, north = _metres(leg.start, leg.end)
    length = math.hypot(east, north)
    angle = math.radians(from_deg)
    air_east, air_north = -wind_m_s * math.sin(angle), -wind_m_s * math.cos(angle)
    return math.hypot(leg.speed_m_s * east / length - air_east, leg.speed_m_s * north / length - air_north)


def _metres(start: Waypoint, end: Waypoint) -> tuple[float, float]:
    east = (end.lon_deg - start.lon_deg + 180.0) % 360.0 - 180.0
    return east * _M_PER_DEG * math.cos(math.radians(start.lat_deg)), (end.lat_deg - start.lat_deg) * _M_PER_DEG


def _apart_m(item: MissionItem, at: Waypoint) -> float:
    """How far an item is from a place, metres."""
    east = (item.y / 1e7 - at.lon_deg + 180.0) % 360.0 - 180.0
    return _M_PER_DEG * math.hypot(east * math.cos(math.radians(at.lat_deg)), item.x / 1e7 - at.lat_deg)
