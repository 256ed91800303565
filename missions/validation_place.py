"""Validation of where a plan flies: stand-off, own side, no-fly zones, and legs that join from base to base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import locate
from missions.airspace import Zone, ZoneKind
from missions.border import BorderSegment
from missions.patrol import PatrolPlan
from missions.sortie import BENDING, LegKind, Sortie
from missions.validation_air import thinnest
from missions.validation_beyond import past, way_on
from missions.validation_lines import About, Beside, Edge, joined
from missions.validation_margin import gaps
from missions.validation_rule import Rule, finite

__all__ = ["places"]

Floats = NDArray[np.float64]

_SLACK_M = 0.05
_ROUNDED_M = 0.02
_END = 0.5
"""How much of the stand-off the last piece of a border is long, at least, by which its side past its end is told."""
_STEP_M = 100.0
"""A leg is tried for its side at points so far apart, metres."""


def places(plan: PatrolPlan) -> list[Rule]:
    """Where every leg lies, by each rule."""
    fences, sides, crossings, zones, limits = [], [], [], [], []
    nearest, nearest_zone, least = np.inf, np.inf, np.inf
    legs = 0
    edges = [(border, Edge(border)) for border in plan.borders]
    shut = {zone.name for zone in plan.blocking_zones()}
    blocking, others = (
        _Zones.of([zone for zone in plan.airspace.zones if (zone.name in shut) is blocks]) for blocks in (True, False)
    )
    for sortie in plan.sorties:
        legs += len(sortie.legs)
        near = _Near(sortie, [(border, edge.beside(sortie)) for border, edge in edges])
        own = gaps(sortie.vehicle.aircraft, plan.options.wind, thinnest(sortie))
        margins = np.array([own.way_m + own.cut_m * (leg.kind in BENDING) for leg in sortie.legs])
        fences += near.too_near(plan.border.stand_off_m, margins, in_air=sortie.airborne)
        least = min(least, plan.border.stand_off_m + own.way_m)
        sides += near.wrong_side()
        crossings += near.across()
        nearest = min(nearest, near.nearest_m)
        for zone, away in near.beside(blocking):
            nearest_zone = min(nearest_zone, float(away.min()))
            zones += [f"{sortie.name} leg {i}: enters no-fly zone {zone.name!r}" for i in _touched(away)]
        for zone, away in near.beside(others):
            limits += _beyond_limits(sortie, zone, _touched(away))
    ends = [sentence for sortie in plan.sorties for sentence in _ends(sortie)]
    return [
        Rule("distance from the border", legs, finite(nearest), finite(least), "m", tuple(fences)),
        Rule("own side", legs, None, None, "", tuple(sides)),
        Rule("no leg across the border or its continuation", legs, None, None, "", tuple(crossings)),
        Rule("outside no-fly zones", legs, finite(nearest_zone), 0.0, "m", tuple(zones)),
        Rule("heights within the limits of zones", legs if others.zones else 0, None, None, "", tuple(limits)),
        Rule("legs join, from base to base", legs, None, None, "", tuple(ends)),
    ]


class _Near:
    """One sortie and the borders beside it, in a projection about the sortie."""

    def __init__(self, sortie: Sortie, borders: Sequence[tuple[BorderSegment, Beside]]) -> None:
        self._name, self._about = sortie.name, About(sortie)
        starts, stops = self._about.starts, self._about.stops
        self._ends = np.concatenate([starts, stops])
        self._pieces = shapely.linestrings(np.stack([starts, stops], axis=1))
        # Neither end nor any place between may lie on the far side: a hook has an outside that no wall shuts.
        count = np.maximum(1, np.ceil(np.hypot(*(stops - starts).T) / _STEP_M)).astype(int)
        self._leg = np.repeat(np.arange(len(count)), count + 1)
        share = np.concatenate([np.linspace(0.0, 1.0, n + 1) for n in count])[:, None]
        self._places = starts[self._leg] + share * (stops - starts)[self._leg]
        found = [
            (border, near, [self._about.xy(run[:, 1], run[:, 0]) for run in near.runs]) for border, near in borders
        ]
        lines = [line for _, _, own in found for line in own]
        self._walls: list[Floats] = list(lines)
        self._sides: list[tuple[BorderSegment, list[Floats], tuple[bool, bool]]] = []
        for border, near, own in found:
            if not own:
                continue
            self._sides.append((border, own, near.ends))
            if border.is_ring:
                continue
            for ends_here, line in ((near.ends[0], own[0]), (near.ends[1], own[-1][::-1])):
                if ends_here:
                    others = [other for other in lines if other is not (own[0] if line is own[0] else own[-1])]
                    self._walls.append(np.array([past(line, others, border.stand_off_m), line[0]]))
        self._shape = joined(lines)
        shapely.prepare(self._shape)
        self._distance = np.asarray(shapely.distance(self._pieces, self._shape)) if lines else np.array([np.inf])

    @property
    def nearest_m(self) -> float:
        """Least distance from the border, metres."""
        return float(self._distance.min())

    def too_near(self, stand_off_m: float, margin_m: Floats, *, in_air: bool) -> list[str]:
        """Legs nearer to the border than stand-off and margin.

        One that begins in the air begins where the aircraft is, and that may be off its way: its first leg keeps the
        stand-off, and leads away from the border.
        """
        near = self._distance < stand_off_m + margin_m - _SLACK_M
        if in_air and near[0] and self._distance[0] >= stand_off_m - _SLACK_M:
            near[0] = self._distance[0] < shapely.distance(shapely.points(self._ends[0]), self._shape) - _SLACK_M
        return [
            f"{self._name} leg {i}: {self._distance[i]:.1f} m from the border, stand-off {stand_off_m:.0f} m and "
            f"margin {margin_m[i]:.1f} m"
            for i in np.flatnonzero(near)
        ]

    def wrong_side(self) -> list[str]:
        """Legs that begin or end on the far side, or pass over it."""
        if not self._sides:
            return [f"{self._name}: no border within reach of it: which side it is on cannot be told"]
        # The nearest border tells.
        found = [self._beyond(*one) for one in self._sides]
        nearest = np.argmin([away for away, _ in found], axis=0)
        wrong = np.array([beyond for _, beyond in found])[nearest, np.arange(len(self._places))]
        legs = np.unique(self._leg[wrong]).tolist()
        return [f"{self._name} leg {i}: on the far side of the border" for i in legs]

    def _beyond(
        self, border: BorderSegment, runs: list[Floats], ends: tuple[bool, bool]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """How far each place of a leg is from a border, metres, and whether it lies beyond it."""
        own, places = border.own_side.sign, self._places
        positions = [locate(line, places) for line in runs]
        offsets = np.array([p.offset_m for p in positions])
        away = np.abs(offsets).min(axis=0)
        if border.is_ring:
            inside = (own > 0) == shapely.is_ccw(shapely.linearrings(runs[0]))
            return away, np.asarray(shapely.contains_xy(shapely.polygons(runs[0]), places)) != inside
        # Past an end of the border its side is that of the straight way on.
        for number, at_end in ((0, False), (-1, True)):
            if ends[at_end]:
                line = runs[number][::-1] if at_end else runs[number]
                # The last steps of a track go anywhere; nobody is so near that they matter.
                away_m = np.hypot(*(line - line[0]).T)
                inner = int(np.argmax(away_m > border.stand_off_m * _END)) or len(line) - 1
                on = np.array([line[0] + way_on(line) * 1e6, line[0], line[inner]])
                first = positions[number].along_m <= 0
                over = positions[number].beyond & (~first if at_end else first)
                side = np.sign(locate(on, places[over]).offset_m) * (-1 if at_end else 1) if over.any() else 0
                offsets[number, over] = np.abs(offsets[number, over]) * side
        offset = offsets[np.abs(offsets).argmin(axis=0), np.arange(len(places))]
        return away, offset * own < 0

    def across(self) -> list[str]:
        """Legs that meet the border or its continuation."""
        found: set[int] = set()
        for line in self._walls:
            found |= set(np.flatnonzero(shapely.intersects(self._pieces, shapely.linestrings(line))).tolist())
        return [f"{self._name} leg {i}: crosses the border or its continuation" for i in sorted(found)]

    def beside(self, zones: _Zones) -> list[tuple[Zone, Floats]]:
        """The zones whose box comes within a degree of the sortie's, and the distance of each leg from each, metres."""
        low, high = self._about.low, self._about.high
        if not zones.zones:
            return []
        lon = low[0] + (zones.lon - low[0] + 180) % 360 - 180
        far = [
            (np.minimum.reduceat(own, zones.first) > most + 1) | (np.maximum.reduceat(own, zones.first) < least - 1)
            for own, least, most in zip((lon, zones.lat), low, high, strict=True)
        ]
        return [(zones.zones[k], self._away(zones.zones[k])) for k in np.flatnonzero(~np.any(far, axis=0)).tolist()]

    def _away(self, zone: Zone) -> Floats:
        rings = [self._about.xy(ring[:, 1], ring[:, 0]) for ring in (np.array(r) for r in zone.rings)]
        return np.asarray(shapely.distance(self._pieces, shapely.Polygon(rings[0], rings[1:])))


@dataclass(frozen=True, slots=True)
class _Zones:
    """Some zones, and the vertices of all their outlines, degrees, one after the other: where each has its `first`."""

    zones: tuple[Zone, ...]
    lon: Floats
    lat: Floats
    first: NDArray[np.intp]

    @classmethod
    def of(cls, zones: Sequence[Zone]) -> _Zones:
        lon, lat = np.array([point for zone in zones for point in zone.rings[0]], dtype=float).reshape(-1, 2).T
        return cls(tuple(zones), lon, lat, np.cumsum([0, *(len(zone.rings[0]) for zone in zones)])[:-1])


def _touched(away_m: Floats) -> list[int]:
    """Numbers of the legs that are no distance away from a zone."""
    return [int(i) for i in np.flatnonzero(away_m <= 0)]


def _beyond_limits(sortie: Sortie, zone: Zone, numbers: Sequence[int]) -> list[str]:
    """Legs over a zone that may be flown through, at heights above ground at which it may not.

    Take-off and landing pass every height below that of the way, and who goes on in the air begins where it is.
    """
    found = []
    low = -np.inf if zone.floor is None else zone.floor.metres
    high = np.inf if zone.ceiling is None else zone.ceiling.metres
    for i in numbers:
        leg = sortie.legs[i]
        least, most = sorted((leg.start.agl_m, leg.end.agl_m))
        if zone.kind is ZoneKind.NO_FLY:
            wrong = most > low + _ROUNDED_M and least < high - _ROUNDED_M
        else:
            passing = leg.kind in {LegKind.TAKEOFF, LegKind.LANDING} or (sortie.airborne and i == 0)
            wrong = (least < low - _ROUNDED_M and not passing) or most > high + _ROUNDED_M
        if wrong:
            found.append(
                f"{sortie.name} leg {i}: at {least:.0f} to {most:.0f} m above ground in zone {zone.name!r}, "
                f"{zone.kind} from {max(low, 0.0):.0f} to {high:.0f} m"
            )
    return found


def _ends(sortie: Sortie) -> list[str]:
    """Legs that do not join, and a sortie that does not begin, unless in the air, and end on the ground at its base."""
    base = sortie.vehicle.base
    found = [
        f"{sortie.name} leg {i}: begins elsewhere than leg {i - 1} ends"
        for i, (a, b) in enumerate(pairwise(sortie.legs), 1)
        if a.end != b.start
    ]
    begin = [] if sortie.airborne else [("begin", sortie.legs[0].start)]
    for what, end in (*begin, ("end", sortie.legs[-1].end)):
        if abs(end.lat_deg - base.lat_deg) > 1e-6 or abs(end.lon_deg - base.lon_deg) > 1e-6 or abs(end.agl_m) > 0.01:
            found.append(f"{sortie.name}: does not {what} on the ground at {base.name}")
    return found
