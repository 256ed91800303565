"""Independent validation of a plan: every constraint worked out again from the final geometry.

Nothing of the planner is used here: other projections (azimuthal equidistant about each sortie), other formulae (the
wind triangle by vectors), plain sampling in place of closed forms. What both get wrong in the same way they got wrong
independently.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.spatial import cKDTree
from shapely import MultiLineString

from geo import Terrain, locate
from missions.airspace import Zone
from missions.border import BorderSegment
from missions.patrol import Leg, LegKind, PatrolPlan, Sortie, Waypoint

__all__ = ["Rule", "Validation", "check", "validate"]

Floats = NDArray[np.float64]

_SLACK_M = 0.05
_WALL_M = 5000.0
_NEAR_BASE_M = 60.0
_EDGE_DEG = 0.004
_STEP_S = 2.0
_GROUND_STEP_M = 30.0
_CORNER_RAD = 0.4
_HEIGHT_TOLERANCE_M = 6.0
"""How far waypoints may let the height above ground between them stray, metres."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What was checked of one rule.

    Parameters
    ----------
    name
        The rule in words.
    checked
        How many things were checked.
    worst, limit, unit
        The figure nearest to breaking it, and what it must keep; `worst` is None where there was nothing to measure.
    broken
        One sentence for each thing that breaks it.
    """

    name: str
    checked: int
    worst: float | None
    limit: float | None
    unit: str
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Validation:
    """The report of a validation: every rule that applies, in a fixed order."""

    rules: tuple[Rule, ...]

    @property
    def violations(self) -> list[str]:
        """Every rule that is broken, one sentence each."""
        return [sentence for rule in self.rules for sentence in rule.broken]


def check(plan: PatrolPlan, terrain: Terrain | None = None) -> list[str]:
    """Every rule that a plan breaks, one sentence each; empty when it breaks none."""
    return validate(plan, terrain).violations


def validate(plan: PatrolPlan, terrain: Terrain | None = None) -> Validation:
    """Check a plan against its border, airspace, fleet and options.

    Parameters
    ----------
    plan
        The plan.
    terrain
        The ground; without it the height above ground is that which the waypoints carry.
    """
    fences, sides, crossings, zones = [], [], [], []
    nearest, nearest_zone = np.inf, np.inf
    legs = 0
    edges = [_Edge(border) for border in plan.borders]
    blocking = [(zone, np.array(zone.rings[0])) for zone in plan.blocking_zones()]
    for sortie in plan.sorties:
        legs += len(sortie.legs)
        near = _Near(sortie, [edge.beside(sortie) for edge in edges])
        fences += near.too_near(plan.border.stand_off_m)
        sides += near.wrong_side()
        crossings += near.across()
        nearest = min(nearest, near.nearest_m)
        for zone in near.beside(blocking):
            distance, broken = near.in_zone(zone)
            nearest_zone = min(nearest_zone, distance)
            zones += broken
    rules = [
        Rule("distance from the border", legs, _finite(nearest), plan.border.stand_off_m, "m", tuple(fences)),
        Rule("own side", legs, None, None, "", tuple(sides)),
        Rule("no leg across the border or its continuation", legs, None, None, "", tuple(crossings)),
        Rule("outside no-fly zones", legs, _finite(nearest_zone), 0.0, "m", tuple(zones)),
        Rule("legs join, from base to base", legs, None, None, "", tuple(s for x in plan.sorties for s in _ends(x))),
        _heights(plan, terrain),
        _speeds(plan),
        _energy(plan),
        _turns(plan),
        _rotation(plan),
        _separation(plan),
    ]
    if any(sortie.airborne or sortie.charge != 1 for sortie in plan.sorties):
        rules.append(_resumed(plan))
    return Validation(tuple(rules))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class _Beside:
    """What of one border lies beside a sortie, degrees; and whether its first and its last run hold an end of it."""

    border: BorderSegment
    runs: tuple[Floats, ...]
    ends: tuple[bool, bool]


class _Near:
    """One sortie and the borders beside it, in a projection about the sortie."""

    def __init__(self, sortie: Sortie, borders: Sequence[_Beside]) -> None:
        self._name = sortie.name
        lat, lon = _lat_lon([sortie.legs[0].start, *(leg.end for leg in sortie.legs)])
        self._box = np.array([lon.min(), lat.min()]), np.array([lon.max(), lat.max()])
        self._project = Transformer.from_pipeline(
            "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
            f"+step +proj=aeqd +lat_0={float(lat.mean())!r} +lon_0={float(lon.mean())!r} +ellps=WGS84"
        )
        starts = self.xy(*_lat_lon([leg.start for leg in sortie.legs]))
        stops = self.xy(*_lat_lon([leg.end for leg in sortie.legs]))
        self._ends = np.concatenate([starts, stops])
        self._pieces = shapely.linestrings(np.stack([starts, stops], axis=1))
        lines: list[Floats] = []
        self._walls: list[tuple[BorderSegment, list[Floats]]] = []
        for near in borders:
            own = [self.xy(run[:, 1], run[:, 0]) for run in near.runs]
            lines += own
            wall = list(own)
            if own and not near.border.is_ring:
                if near.ends[0]:
                    wall[0] = np.concatenate([[_past(own[0])], own[0]])
                if near.ends[1]:
                    wall[-1] = np.concatenate([wall[-1], [_past(own[-1][::-1])]])
            if own:
                self._walls.append((near.border, wall))
        self._shape = MultiLineString([line.tolist() for line in lines])
        shapely.prepare(self._shape)
        self._distance = np.asarray(shapely.distance(self._pieces, self._shape)) if lines else np.array([np.inf])

    @property
    def nearest_m(self) -> float:
        """Least distance from the border, metres."""
        return float(self._distance.min())

    def xy(self, lat: Floats, lon: Floats) -> Floats:
        """Metres east and north of the sortie."""
        return np.stack(self._project.transform(lon, lat), axis=-1)

    def too_near(self, limit: float) -> list[str]:
        """Legs nearer to the border than the stand-off."""
        near = np.flatnonzero(self._distance < limit - _SLACK_M)
        return [
            f"{self._name} leg {i}: {self._distance[i]:.1f} m from the border, stand-off {limit:.0f} m" for i in near
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
        low, high = self._box
        found = []
        for zone, ring in zones:
            lon = low[0] + (ring[:, 0] - low[0] + 180) % 360 - 180
            apart = lon.min() > high[0] + 1 or lon.max() < low[0] - 1
            if not (apart or ring[:, 1].min() > high[1] + 1 or ring[:, 1].max() < low[1] - 1):
                found.append(zone)
        return found

    def in_zone(self, zone: Zone) -> tuple[float, list[str]]:
        """Distance from a zone, metres, and the legs that touch it."""
        rings = [self.xy(ring[:, 1], ring[:, 0]) for ring in (np.array(r) for r in zone.rings)]
        area = shapely.Polygon(rings[0], rings[1:])
        distance = np.asarray(shapely.distance(self._pieces, area))
        touched = np.flatnonzero(distance <= 0)
        return float(distance.min()), [f"{self._name} leg {i}: enters no-fly zone {zone.name!r}" for i in touched]


class _Edge:
    """The border in small steps of degrees, to cut from."""

    def __init__(self, border: BorderSegment) -> None:
        self._border = border
        vertices = np.array(border.unwrapped())
        dense = [vertices[:1]]
        for a, b in pairwise(vertices):
            count = max(1, int(np.ceil(np.hypot(*(b - a)) / _EDGE_DEG)))
            dense.append(a + np.arange(1, count + 1)[:, None] / count * (b - a))
        self._line = np.concatenate(dense)

    def beside(self, sortie: Sortie) -> _Beside:
        """What of the border lies beside a sortie."""
        if self._border.is_ring:
            return _Beside(self._border, (self._line,), (False, False))
        lat, lon = _lat_lon([sortie.legs[0].start, *(leg.end for leg in sortie.legs)])
        middle = float(self._line[:, 0].mean())
        lon = middle + (lon - middle + 180.0) % 360.0 - 180.0
        for room in (0.1, 0.5, 2.0):
            low = np.array([lon.min(), lat.min()]) - room / np.cos(np.radians(lat.mean()))
            high = np.array([lon.max(), lat.max()]) + room / np.cos(np.radians(lat.mean()))
            inside = ((self._line >= low) & (self._line <= high)).all(axis=1)
            if inside.any():
                break
        # A vertex more at each side, for the edges that come in.
        inside |= np.roll(inside, 1) | np.roll(inside, -1)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
        spans = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1]
        ends = bool(spans) and spans[0][0] == 0, bool(spans) and spans[-1][1] == len(self._line)
        return _Beside(self._border, tuple(self._line[a:b] for a, b in spans), ends)


def _lat_lon(points: Sequence[Waypoint]) -> tuple[Floats, Floats]:
    return np.array([p.lat_deg for p in points]), np.array([p.lon_deg for p in points])


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


def _heights(plan: PatrolPlan, terrain: Terrain | None) -> Rule:
    """Height above ground of every leg between take-off and landing, sampled."""
    floor, ceiling = plan.options.floor_agl_m, plan.options.ceiling_agl_m
    found: list[str] = []
    worst, count = np.inf, 0
    for sortie in plan.sorties:
        for i, leg in enumerate(sortie.legs):
            a, b = leg.start, leg.end
            t = np.linspace(0, 1, 2 if terrain is None else max(2, int(leg.distance_m / _GROUND_STEP_M) + 2))
            lat, lon = a.lat_deg + t * (b.lat_deg - a.lat_deg), a.lon_deg + t * (b.lon_deg - a.lon_deg)
            ground = (
                a.ground_amsl_m + t * (b.ground_amsl_m - a.ground_amsl_m)
                if terrain is None
                else terrain.elevation_m(lat, lon)
            )
            agl = a.amsl_m + t * (b.amsl_m - a.amsl_m) - ground
            count += len(t)
            slack = 0.01 if terrain is None else _HEIGHT_TOLERANCE_M + 0.01
            above, below = ceiling - float(agl.max()), float(agl.min()) - floor
            if above < -slack:
                found.append(f"{sortie.name} leg {i}: {agl.max():.1f} m above ground, ceiling {ceiling:.0f} m")
            worst = min(worst, above)
            if leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING}:
                worst = min(worst, below)
                if below < -slack:
                    found.append(f"{sortie.name} leg {i}: {agl.min():.1f} m above ground, floor {floor:.0f} m")
            wanted = plan.observation_of(sortie).height_agl_m
            if leg.kind is LegKind.PATROL and abs(a.agl_m - wanted) > 0.01:
                found.append(
                    f"{sortie.name} leg {i}: patrols at {a.agl_m:.1f} m above ground instead of {wanted:.1f} m"
                )
    return Rule("height above ground within floor and ceiling", count, _finite(worst), 0.0, "m", tuple(found))


def _winds(sortie: Sortie, plan: PatrolPlan) -> Iterable[tuple[int, float, float, float]]:
    """For every leg: its number, the airspeed that it takes, its rise and its time."""
    angle = np.radians(plan.options.wind.from_deg)
    air = -plan.options.wind.speed_m_s * np.array([np.sin(angle), np.cos(angle)])
    for i, leg in enumerate(sortie.legs):
        north = leg.end.lat_deg - leg.start.lat_deg
        east = ((leg.end.lon_deg - leg.start.lon_deg + 180) % 360 - 180) * np.cos(
            np.radians((leg.end.lat_deg + leg.start.lat_deg) / 2)
        )
        norm = float(np.hypot(east, north))
        ground = (
            np.array([east, north]) / norm * leg.distance_m / leg.duration_s
            if norm > 0 and leg.distance_m > 0 and leg.duration_s > 0
            else np.zeros(2)
        )
        yield i, float(np.hypot(*(ground - air))), leg.end.amsl_m - leg.start.amsl_m, leg.duration_s


def _speeds(plan: PatrolPlan) -> Rule:
    found: list[str] = []
    worst, count = np.inf, 0
    for sortie in plan.sorties:
        craft = sortie.vehicle.aircraft
        for i, airspeed, rise, time in _winds(sortie, plan):
            count += 1
            leg = sortie.legs[i]
            least = max(rise / craft.climb_m_s, -rise / craft.descent_m_s, 0.0)
            fast = leg.distance_m > 0 and airspeed > craft.max_m_s * (1 + 1e-3)
            slow = leg.distance_m > 0 and airspeed < craft.min_m_s * (1 - 1e-3)
            if fast or slow or time < least - 1e-6:
                found.append(
                    f"{sortie.name} leg {i}: cannot be flown in {time:.1f} s, at {airspeed:.1f} m/s of airspeed"
                )
            if leg.distance_m > 0:
                worst = min(worst, craft.max_m_s - airspeed)
    return Rule("airspeed and rates of climb", count, _finite(worst), 0.0, "m/s", tuple(found))


def _energy(plan: PatrolPlan) -> Rule:
    found: list[str] = []
    worst = np.inf
    for sortie in plan.sorties:
        craft = sortie.vehicle.aircraft
        transitions = 1 if sortie.airborne else 2
        joules = transitions * craft.transition_s * (craft.climb_power_w - craft.hover_power_w)
        for i, airspeed, rise, time in _winds(sortie, plan):
            level = sortie.legs[i].distance_m > 0
            joules += float(craft.power_w(airspeed if level else 0.0, level=level)) * time
            joules += max(rise, 0.0) / craft.climb_m_s * (craft.climb_power_w - craft.hover_power_w)
        left = sortie.charge - joules / 3600 / craft.battery_wh
        worst = min(worst, left - craft.reserve_fraction)
        if left < craft.reserve_fraction - 1e-3:
            found.append(f"{sortie.name}: lands with {left:.1%} of the battery, reserve {craft.reserve_fraction:.0%}")
    return Rule("battery above reserve at landing", len(plan.sorties), _finite(worst), 0.0, "share", tuple(found))


def _turns(plan: PatrolPlan) -> Rule:
    """Bends of the patrol of winged aircraft: over any stretch the course turns by no more than its length allows.

    A single bend may turn by `_CORNER_RAD` at once: an arc through it strays R (1 / cos(half of it) - 1), a few metres.
    """
    found: list[str] = []
    worst, count = np.inf, 0
    for sortie in plan.sorties:
        radius = sortie.vehicle.aircraft.turn_radius_m
        if radius <= 0:
            continue
        first = next((i for i, leg in enumerate(sortie.legs) if leg.kind is LegKind.PATROL), -1)
        for side in (1.0, -1.0):
            turned = 0.0
            for i, (a, b) in enumerate(pairwise(sortie.legs), 1):
                # Into its first patrol and home from the last; a detour between two is flown wide.
                joint = i == first or (a.kind is LegKind.PATROL and b.kind is LegKind.RETURN)
                inner = a.kind is LegKind.PATROL and b.kind is LegKind.PATROL
                # Beside a zone there is no room to come in along an arc.
                if not inner and not (joint and _room_m(plan, b.start) > 3 * radius + plan.options.zone_margin_m):
                    turned = 0.0
                    continue
                count += 1
                turn = (_course(b) - _course(a) + np.pi) % (2 * np.pi) - np.pi
                turned = max(turned - a.distance_m / radius, 0.0) + side * turn
                worst = min(worst, _CORNER_RAD - turned)
                if turned > _CORNER_RAD:
                    found.append(
                        f"{sortie.name} leg {i}: turns by {np.degrees(turned):.0f} degrees at once, too sharp for a "
                        f"radius of {radius:.0f} m"
                    )
    return Rule("turn radius on patrol, into it and out of it", count, _finite(worst), 0.0, "rad", tuple(found))


def _room_m(plan: PatrolPlan, at: Waypoint) -> float:
    """Distance of a place from the nearest no-fly zone, metres; infinite where there is none."""
    nearest = np.inf
    for zone in plan.blocking_zones():
        lon, lat = np.array(zone.rings[0]).T
        east = ((lon - at.lon_deg + 180.0) % 360.0 - 180.0) * np.cos(np.radians(at.lat_deg))
        outline = shapely.polygons(np.column_stack([east, lat - at.lat_deg]) * 111_200.0)
        nearest = min(nearest, float(shapely.distance(outline, shapely.points(0.0, 0.0))))
    return nearest


def _course(leg: Leg) -> float:
    a, b = leg.start, leg.end
    east = ((b.lon_deg - a.lon_deg + 180) % 360 - 180) * np.cos(np.radians(a.lat_deg))
    return float(np.arctan2(east, b.lat_deg - a.lat_deg))


def _rotation(plan: PatrolPlan) -> Rule:
    """One flight of a vehicle after the other, its battery swapped; no more batteries than the base has."""
    found: list[str] = []
    for vehicle in plan.fleet.vehicles:
        own = sorted((f for f in plan.flights if f.sysid == vehicle.sysid), key=lambda f: f.start_s)
        for a, b in pairwise(own):
            if b.start_s < a.start_s + plan.sorties[a.sortie].duration_s + vehicle.aircraft.turn_round_s - 1e-6:
                names = plan.sorties[b.sortie].name, plan.sorties[a.sortie].name
                found.append(
                    f"{vehicle.name}: takes off for {names[0]} before it is back and turned round from {names[1]}"
                )
        found += [
            f"{vehicle.name}: flies {plan.sorties[f.sortie].name}, which is planned for another type or base"
            for f in own
            if plan.sorties[f.sortie].vehicle.base != vehicle.base
            or plan.sorties[f.sortie].vehicle.aircraft != vehicle.aircraft
        ]
    return Rule("turn-round between flights", len(plan.flights), None, None, "", tuple(found))


def _resumed(plan: PatrolPlan) -> Rule:
    """A sortie that begins in the air begins at once; one that begins without a full battery is flown once, first."""
    found: list[str] = []
    resumed = [(n, s) for n, s in enumerate(plan.sorties) if s.airborne or s.charge != 1]
    for number, sortie in resumed:
        flights = [f for f in plan.flights if f.sortie == number]
        if not 0 < sortie.charge <= 1:
            found.append(f"{sortie.name}: begins with {sortie.charge:.0%} of a battery")
        if len(flights) != 1:
            found.append(f"{sortie.name}: is resumed and flown {len(flights)} times")
            continue
        if any(f.sysid == flights[0].sysid and f.start_s < flights[0].start_s for f in plan.flights):
            found.append(f"{sortie.name}: is resumed after another flight of its aircraft")
        if sortie.airborne and (flights[0].start_s != 0 or flights[0].sysid != sortie.vehicle.sysid):
            found.append(f"{sortie.name}: is in the air and does not go on at once")
    return Rule("what is resumed comes first, and once", len(resumed), None, None, "", tuple(found))


def _separation(plan: PatrolPlan) -> Rule:
    """All flights of the shift, sampled at the same moments."""
    across, up = plan.options.separation_m, plan.options.separation_up_m
    shapes = [_timed(sortie) for sortie in plan.sorties]
    times, places, heights, who, fastest = [], [], [], [], 0.0
    for number, flight in enumerate(plan.flights):
        at, where, amsl = shapes[flight.sortie]
        moments = (
            np.arange(np.ceil(flight.start_s / _STEP_S), np.floor((flight.start_s + at[-1]) / _STEP_S) + 1) * _STEP_S
        )
        own = np.stack([np.interp(moments - flight.start_s, at, where[:, k]) for k in range(3)], axis=-1)
        base = plan.sorties[flight.sortie].vehicle.base
        away = np.linalg.norm(own - _sphere(np.array([base.lat_deg]), np.array([base.lon_deg])), axis=1) > _NEAR_BASE_M
        times.append(moments[away])
        places.append(own[away])
        heights.append(np.interp(moments - flight.start_s, at, amsl)[away])
        who.append(np.full(int(away.sum()), number))
        step = np.linalg.norm(np.diff(where, axis=0), axis=1) / np.maximum(np.diff(at), 1e-9)
        fastest = max(fastest, float(step.max(initial=0.0)))
    if not times:
        return Rule("separation", 0, None, across, "m")
    moment, place, amsl, flight_of = (np.concatenate(v) for v in (times, places, heights, who))
    # Moments are far apart in the fourth direction, so that only points of one moment are neighbours.
    far = 4 * (across + fastest * _STEP_S)
    tree = cKDTree(np.column_stack([place, moment / _STEP_S * far]))
    pairs = tree.query_pairs(across, output_type="ndarray")
    i, j = pairs.T
    other = (flight_of[i] != flight_of[j]) & (np.abs(amsl[i] - amsl[j]) < up - 0.05)
    i, j = i[other], j[other]
    gap = np.linalg.norm(place[i] - place[j], axis=1)
    found = []
    for a, b in sorted({(int(p), int(q)) for p, q in zip(flight_of[i], flight_of[j], strict=True)}):
        k = int(np.flatnonzero((flight_of[i] == a) & (flight_of[j] == b))[0])
        names = [plan.sorties[plan.flights[n].sortie].name for n in (a, b)]
        found.append(
            f"{names[0]} and {names[1]}: {gap[k]:.0f} m apart {moment[i[k]]:.0f} s after the start of the shift"
        )
    return Rule(
        "separation between aircraft",
        len(plan.flights),
        _finite(float(gap.min(initial=np.inf))),
        across,
        "m",
        tuple(found),
    )


def _timed(sortie: Sortie) -> tuple[Floats, Floats, Floats]:
    points = [sortie.legs[0].start, *(leg.end for leg in sortie.legs)]
    at = np.concatenate([[0.0], np.cumsum([leg.duration_s for leg in sortie.legs])])
    return at, _sphere(*_lat_lon(points)), np.array([p.amsl_m for p in points])


def _sphere(lat: Floats, lon: Floats) -> Floats:
    """Points on a sphere of the earth's mean radius, metres, shape (n, 3)."""
    a, o = np.radians(lat), np.radians(lon)
    return 6_371_009.0 * np.stack([np.cos(a) * np.cos(o), np.cos(a) * np.sin(o), np.sin(a)], axis=-1)
