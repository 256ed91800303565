"""Independent validation of what is uploaded: fence and rally points of every sortie, from the items themselves.

As in `missions.validation` nothing of the planner is used, nor of what makes fences: items are taken as an autopilot
takes them, one by one, in degrees, and tried in degrees that are merely scaled about the base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, LineString, MultiLineString, Polygon

from missions.limits import RALLY_POINTS
from missions.mission import Mission, MissionItem
from missions.patrol import PatrolPlan
from missions.sortie import BENDING, Sortie
from missions.validation_air import thinnest
from missions.validation_beyond import past
from missions.validation_items import items
from missions.validation_margin import Gaps, gaps
from missions.validation_rule import Rule, Validation

__all__ = ["NO_MISSION", "validate_missions"]

NO_MISSION = "has no mission"

Floats = NDArray[np.float64]

_KEEP_IN, _KEEP_OUT = 5001, 5002
_ZONE_ROOM = 0.4
"""Share of the margin of zones that lies between legs and exclusions."""

_SLACK = 5e-3
"""Metres of a scaled degree are not those of the ground everywhere: half a per cent."""

_PAST_M = 5000.0
_ROUNDING_M, _ROUNDING_M2 = 0.02, 1e-3


@dataclass
class _Found:
    """What one rule found so far."""

    checked: int = 0
    worst: float = np.inf
    broken: list[str] = field(default_factory=list)

    def keep(self, value: float, limit: float, sentence: str) -> None:
        """Take a figure that must not be below a limit."""
        self.checked += 1
        self.worst = min(self.worst, value)
        if value < limit:
            self.broken.append(sentence)

    def rule(self, name: str, limit: float | None, unit: str) -> Rule:
        """The report of it."""
        worst = float(self.worst) if np.isfinite(self.worst) else None
        return Rule(name, self.checked, worst, limit, unit, tuple(self.broken))


@dataclass
class _Rules:
    """What the rules found so far of the missions of a plan, and what each of its aircraft is held to."""

    plan: PatrolPlan
    legs: _Found = field(default_factory=_Found)
    line: _Found = field(default_factory=_Found)
    zones: _Found = field(default_factory=_Found)
    room: _Found = field(default_factory=_Found)
    rally: _Found = field(default_factory=_Found)
    size: _Found = field(default_factory=_Found)
    each: list[Gaps] = field(default_factory=list)

    def look_at(self, sortie: Sortie, mission: Mission, blocking: _Zones) -> None:
        """Try the fence and the rally points of a sortie."""
        sight = _Sight(self.plan, sortie, blocking)
        own = gaps(sortie.vehicle.aircraft, self.plan.options.wind, thinnest(sortie))
        self.each.append(own)
        self._stored(sortie, mission)
        read = sight.polygons(mission.fence)
        if read is None:
            whole = "its fence is not made of whole polygons, one to stay in among them"
            self.legs.keep(-np.inf, 0, f"{sortie.name}: {whole}")
            return
        inside, outside = read
        self._legs_held(sortie.name, sight, own, inside)
        self._exclusions_clear(sortie.name, sight, own, outside)
        free = shapely.difference(inside, shapely.union_all(outside))
        self._border_clear(sortie.name, sight, own, free)
        self._zones_shut(sortie.name, sight, inside, free)
        self._rally_points_lawful(sortie.name, sight, own, free, sight.places(mission.rally))

    def _stored(self, sortie: Sortie, mission: Mission) -> None:
        stored, most = len(mission.fence), sortie.vehicle.aircraft.fence_vertices
        what = f"its fence has {stored} vertices, {sortie.vehicle.name} stores {most}"
        self.size.keep(most - stored, 0, f"{sortie.name}: {what}")
        points = len(mission.rally)
        self.size.keep(RALLY_POINTS - points, 0, f"{sortie.name}: it has {points} rally points")

    def _legs_held(self, name: str, sight: _Sight, own: Gaps, inside: Polygon) -> None:
        # A patrol leg is held with more: the two are looked at as one.
        gap = sight.away(inside.exterior, own.cut_m) if inside.covers(sight.way) else -1.0
        need = own.way_off_fence_m * (1 - _SLACK) - _ROUNDING_M
        self.legs.keep(gap, need, f"{name}: its fence does not hold its legs with room")

    def _exclusions_clear(self, name: str, sight: _Sight, own: Gaps, outside: Sequence[Polygon]) -> None:
        margin_m = self.plan.options.zone_margin_m
        kept_off = shapely.union_all([shapely.buffer(area, margin_m) for _, area in sight.zones])
        for one in outside:
            away, edge = float(one.distance(sight.way)), sight.edge_of(one, kept_off)
            gap = away if edge is None else min(away, sight.away(edge, own.cut_m))
            need = margin_m * _ZONE_ROOM if edge is None else own.way_off_fence_m - _ROUNDING_M
            what = f"{name}: an exclusion is {gap:.1f} m from a leg"
            (self.room if edge is None else self.legs).keep(gap, need * (1 - _SLACK), what)

    def _border_clear(self, name: str, sight: _Sight, own: Gaps, free: Geometry) -> None:
        behind = 0.0 if shapely.intersects(free, sight.continued) else float(shapely.distance(free, sight.border))
        floor = self.plan.border.stand_off_m + own.fence_m
        self.line.keep(behind, floor * (1 - _SLACK), f"{name}: its fence comes within {behind:.1f} m of the border")

    def _zones_shut(self, name: str, sight: _Sight, inside: Polygon, free: Geometry) -> None:
        for zone, area in sight.zones:
            if area.intersects(inside):
                left = float(shapely.area(shapely.intersection(area, free)))
                what = f"{name}: its fence leaves {left:.0f} m² of no-fly zone {zone!r} open"
                self.zones.keep(0.0 - left, -_ROUNDING_M2, what)

    def _rally_points_lawful(
        self, name: str, sight: _Sight, own: Gaps, free: Geometry, places: Sequence[Geometry]
    ) -> None:
        need = (self.plan.border.stand_off_m + own.way_m) * (1 - _SLACK)
        for number, at in enumerate(places):
            away = float(shapely.distance(sight.border, at)) if shapely.contains(free, at) else -1.0
            what = "is outside the fence" if away < 0 else f"is {away:.1f} m from the border"
            self.rally.keep(away, need, f"{name}: rally point {number} {what}")

    def told(self) -> tuple[Rule, ...]:
        """The report of each rule, with the least that any of the aircraft asks for."""
        every = zip(*self.each, strict=True) if self.each else [(0.0,)] * len(Gaps._fields)
        least = Gaps(*map(min, every))
        stand_off_m, options = self.plan.border.stand_off_m, self.plan.options
        return (
            self.legs.rule("fence holds every leg", least.way_off_fence_m, "m"),
            self.line.rule("fence behind the stand-off", stand_off_m + least.fence_m, "m"),
            self.zones.rule("fence keeps out of no-fly zones", 0.0, "m²"),
            self.room.rule("exclusions clear of the legs", options.zone_margin_m * _ZONE_ROOM, "m"),
            self.rally.rule("rally points in the fence, beyond the stand-off", stand_off_m + least.way_m, "m"),
            self.size.rule("fence and rally points fit the autopilot", 0.0, "items"),
        )


def validate_missions(plan: PatrolPlan, missions: Sequence[Mission]) -> Validation:
    """Check the items, fences and rally points of missions against the plan that they are of.

    The items fly the legs of the sortie one by one and nothing else, `missions.validation_items`.

    A fence holds every leg with room for what the aircraft flies off its way, lies behind the stand-off by what it may
    err about its place, and behind the straight continuation of the border, and keeps out of every blocked zone. A
    rally point lies inside the fence, so on the own side, and like a leg beyond stand-off and margin.

    Parameters
    ----------
    plan
        The plan.
    missions
        One for each sortie, named after it.
    """
    named = {mission.name: mission for mission in missions}
    blocking = _Zones([(zone.name, [np.array(ring) for ring in zone.rings]) for zone in plan.blocking_zones()])
    rules = _Rules(plan)
    for sortie in plan.sorties:
        mission = named.get(sortie.name)
        if mission is None:
            rules.legs.keep(-np.inf, 0, f"{sortie.name}: {NO_MISSION}")
        else:
            rules.look_at(sortie, mission, blocking)
    return Validation((*rules.told(), items(plan, missions)))


class _Zones:
    """Blocked zones by name: rings of (longitude, latitude), the first vertex and the size of each, degrees."""

    def __init__(self, named: list[tuple[str, list[Floats]]]) -> None:
        self.named = named
        self.first = np.array([rings[0][0] for _, rings in named]).reshape(-1, 2)
        self.size = np.array([np.ptp(rings[0], axis=0) for _, rings in named]).reshape(-1, 2)


class _Sight:
    """A sortie with the border and the zones beside it, in degrees scaled to metres about its base."""

    def __init__(self, plan: PatrolPlan, sortie: Sortie, zones: _Zones) -> None:
        base = sortie.vehicle.base
        self._origin = np.array([base.lon_deg, base.lat_deg])
        # Metres a degree on the ellipsoid, by the series of the Department of Defense (TM 8358.2).
        a = np.radians(base.lat_deg)
        north = 111_132.954 - 559.822 * np.cos(2 * a) + 1.175 * np.cos(4 * a)
        east = 111_412.84 * np.cos(a) - 93.5 * np.cos(3 * a) + 0.118 * np.cos(5 * a)
        self._scale = np.array([east, north])
        points = sortie.way
        flown = self._metres([(p.lon_deg, p.lat_deg) for p in points])
        self.way = LineString(flown)
        on_patrol = [flown[k : k + 2] for k, leg in enumerate(sortie.legs) if leg.kind in BENDING]
        self.patrol = MultiLineString(on_patrol) if on_patrol else None
        room = 2 * plan.border.stand_off_m + _PAST_M
        low, high = flown.min(axis=0) - room, flown.max(axis=0) + room
        near_by, beyond = [], []
        lines = [self._running(border.unwrapped()) for border in plan.borders]
        for number, (border, line) in enumerate(zip(plan.borders, lines, strict=True)):
            near_by.append(_cut(line, low, high))
            others = [*lines[:number], *lines[number + 1 :]]
            for way in () if border.is_ring else (line, line[::-1]):
                wall = np.array([past(way, others, plan.border.stand_off_m), way[0]])
                beyond.append(_cut(wall, low, high))
        beyond += near_by
        self.border, self.continued = shapely.union_all(near_by), shapely.union_all(beyond)
        # By its first vertex and its size: a zone that is turned round the globe is never too far.
        near = self._metres(zones.first)
        size = zones.size * self._scale
        beside = (near - size <= high).all(axis=1) & (near + size >= low).all(axis=1)
        self.zones = []
        for name, rings in (zones.named[k] for k in np.flatnonzero(beside)):
            outlines = [self._metres(ring) for ring in rings]
            self.zones.append((name, Polygon(outlines[0], outlines[1:])))

    def away(self, shape: Geometry, cut_m: float) -> float:
        """Distance of the legs from a shape, metres, those of the patrol, if any, counted as so much nearer."""
        legs = float(shapely.distance(shape, self.way))
        return legs if self.patrol is None else min(legs, float(shapely.distance(shape, self.patrol)) - cut_m)

    def edge_of(self, exclusion: Polygon, kept_off: Geometry) -> Geometry | None:
        """What of an exclusion holds the border itself, an enclave, or where it goes on: an edge of the fence.

        What holds a zone that lies across the border is none, but for what was filled in beside the zone there.
        """
        parts = shapely.get_parts(shapely.difference(exclusion, kept_off))
        held = parts[shapely.intersects(parts, self.continued)]
        return shapely.union_all(held) if len(held) else None

    def polygons(self, items: Sequence[MissionItem]) -> tuple[Polygon, list[Polygon]] | None:
        """What to stay in and what to keep out of; None where the items do not say it."""
        kept: dict[int, list[Polygon]] = {_KEEP_IN: [], _KEEP_OUT: []}
        left = list(items)
        while left:
            first = left[0]
            count = int(first.p1) if np.isfinite(first.p1) else 0
            own, left = left[:count], left[count:]
            same = all((v.command, v.p1) == (first.command, first.p1) for v in own)
            if first.command not in kept or count < 3 or len(own) < count or not same:
                return None
            polygon = Polygon(self._metres([(v.y / 1e7, v.x / 1e7) for v in own]))
            if not polygon.is_valid:
                return None
            kept[first.command].append(polygon)
        # Of two to stay in, ArduPilot wants both and PX4 either.
        return (kept[_KEEP_IN][0], kept[_KEEP_OUT]) if len(kept[_KEEP_IN]) == 1 else None

    def places(self, items: Sequence[MissionItem]) -> list[Geometry]:
        """Places of items."""
        return [shapely.points(self._metres([(v.y / 1e7, v.x / 1e7)])[0]) for v in items]

    def _metres(self, lon_lat: Sequence[tuple[float, float]] | Floats) -> Floats:
        away = np.array(lon_lat, dtype=float) - self._origin
        away[:, 0] = (away[:, 0] + 180.0) % 360.0 - 180.0
        return np.asarray(away * self._scale)

    def _running(self, lon_lat: Floats) -> Floats:
        """A line whose longitudes run on, on the turn of the globe that comes nearest to the base."""
        away = lon_lat - self._origin
        turn = 360.0 * np.round(away[:, 0] / 360.0)
        nearest = int(np.hypot(away[:, 0] - turn, away[:, 1]).argmin())
        return np.asarray((away - np.array([turn[nearest], 0.0])) * self._scale)


def _cut(line: Floats, low: Floats, high: Floats) -> Geometry:
    return shapely.clip_by_rect(LineString(line), *low.tolist(), *high.tolist())
