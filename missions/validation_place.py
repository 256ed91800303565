"""Validation of where a plan flies: stand-off, own side, no-fly zones, and legs that join from base to base."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiLineString

from geo import locate
from missions.airspace import Zone
from missions.border import BorderSegment
from missions.patrol import LegKind, PatrolPlan, Sortie
from missions.validation_lines import About, Beside, Edge
from missions.validation_margin import gaps
from missions.validation_rule import Rule, finite

__all__ = ["places"]

Floats = NDArray[np.float64]

_SLACK_M = 0.05
_WALL_M = 5000.0


def places(plan: PatrolPlan) -> list[Rule]:
    """Where every leg lies, by each rule."""
    fences, sides, crossings, zones = [], [], [], []
    nearest, nearest_zone, least = np.inf, np.inf, np.inf
    legs = 0
    edges = [(border, Edge(border)) for border in plan.borders]
    blocking = [(zone, np.array(zone.rings[0])) for zone in plan.blocking_zones()]
    for sortie in plan.sorties:
        legs += len(sortie.legs)
        near = _Near(sortie, [(border, edge.beside(sortie)) for border, edge in edges])
        own = gaps(sortie.vehicle.aircraft, plan.options.wind)
        margins = np.array([own.way_m + own.cut_m * (leg.kind is LegKind.PATROL) for leg in sortie.legs])
        fences += near.too_near(plan.border.stand_off_m, margins, in_air=sortie.airborne)
        least = min(least, plan.border.stand_off_m + own.way_m)
        sides += near.wrong_side()
        crossings += near.across()
        nearest = min(nearest, near.nearest_m)
        for zone in near.beside(blocking):
            distance, broken = near.in_zone(zone)
            nearest_zone = min(nearest_zone, distance)
            zones += broken
    ends = [sentence for sortie in plan.sorties for sentence in _ends(sortie)]
    return [
        Rule("distance from the border", legs, finite(nearest), finite(least), "m", tuple(fences)),
        Rule("own side", legs, None, None, "", tuple(sides)),
        Rule("no leg across the border or its continuation", legs, None, None, "", tuple(crossings)),
        Rule("outside no-fly zones", legs, finite(nearest_zone), 0.0, "m", tuple(zones)),
        Rule("legs join, from base to base", legs, None, None, "", tuple(ends)),
    ]


class _Near:
    """One sortie and the borders beside it, in a projection about the sortie."""

    def __init__(self, sortie: Sortie, borders: Sequence[tuple[BorderSegment, Beside]]) -> None:
        self._name, self._about = sortie.name, About(sortie)
        starts, stops = self._about.starts, self._about.stops
        self._ends = np.concatenate([starts, stops])
        self._pieces = shapely.linestrings(np.stack([starts, stops], axis=1))
        lines: list[Floats] = []
        self._walls: list[tuple[BorderSegment, list[Floats]]] = []
        for border, near in borders:
            own = [self._about.xy(run[:, 1], run[:, 0]) for run in near.runs]
            lines += own
            wall = list(own)
            if own and not border.is_ring:
                if near.ends[0]:
                    wall[0] = np.concatenate([[_past(own[0])], own[0]])
                if near.ends[1]:
                    wall[-1] = np.concatenate([wall[-1], [_past(own[-1][::-1])]])
            if own:
                self._walls.append((border, wall))
        self._shape = MultiLineString([line.tolist() for line in lines])
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
        """Legs that begin or end on the far side."""
        if not self._walls:
            return [f"{self._name}: no border within reach of it: which side it is on cannot be told"]
        # The nearest border tells.
        found = [self._beyond(border, wall) for border, wall in self._walls]
        nearest = np.argmin([away for away, _ in found], axis=0)
        wrong = np.array([beyond for _, beyond in found])[nearest, np.arange(len(self._ends))]
        count = len(self._ends) // 2
        legs = sorted({int(i % count) for i in np.flatnonzero(wrong)})
        return [f"{self._name} leg {i}: on the far side of the border" for i in legs]

    def _beyond(self, border: BorderSegment, wall: list[Floats]) -> tuple[Floats, NDArray[np.bool_]]:
        """How far each end of a leg is from a border, metres, and whether it lies beyond it."""
        own = border.own_side.sign
        positions = [locate(line, self._ends) for line in wall]
        offsets = np.array([p.offset_m for p in positions])
        away = np.abs(offsets).min(axis=0)
        if border.is_ring:
            inside = (own > 0) == shapely.is_ccw(shapely.linearrings(wall[0]))
            return away, np.asarray(shapely.contains_xy(shapely.polygons(wall[0]), self._ends)) != inside
        offset = offsets[np.abs(offsets).argmin(axis=0), np.arange(len(self._ends))]
        return away, offset * own < 0

    def across(self) -> list[str]:
        """Legs that meet the border or its continuation."""
        found: set[int] = set()
        for line in (line for _, wall in self._walls for line in wall):
            found |= set(np.flatnonzero(shapely.intersects(self._pieces, shapely.linestrings(line))).tolist())
        return [f"{self._name} leg {i}: crosses the border or its continuation" for i in sorted(found)]

    def beside(self, zones: list[tuple[Zone, Floats]]) -> list[Zone]:
        """The zones whose box comes within a degree of the sortie's."""
        low, high = self._about.low, self._about.high
        found = []
        for zone, ring in zones:
            lon = low[0] + (ring[:, 0] - low[0] + 180) % 360 - 180
            apart = lon.min() > high[0] + 1 or lon.max() < low[0] - 1
            if not (apart or ring[:, 1].min() > high[1] + 1 or ring[:, 1].max() < low[1] - 1):
                found.append(zone)
        return found

    def in_zone(self, zone: Zone) -> tuple[float, list[str]]:
        """Distance from a zone, metres, and the legs that touch it."""
        rings = [self._about.xy(ring[:, 1], ring[:, 0]) for ring in (np.array(r) for r in zone.rings)]
        area = shapely.Polygon(rings[0], rings[1:])
        distance = np.asarray(shapely.distance(self._pieces, area))
        touched = np.flatnonzero(distance <= 0)
        return float(distance.min()), [f"{self._name} leg {i}: enters no-fly zone {zone.name!r}" for i in touched]


def _past(line: Floats, chord_m: float = 1000.0) -> Floats:
    """A point straight on before the first vertex, in the direction of the first kilometre."""
    shape = shapely.linestrings(line)
    inner = shapely.get_coordinates(shapely.line_interpolate_point(shape, min(chord_m, shapely.length(shape) / 2)))[0]
    direction = line[0] - inner
    norm = float(np.hypot(*direction))
    return np.asarray(line[0] + direction / norm * _WALL_M if norm > 0 else line[0])


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
