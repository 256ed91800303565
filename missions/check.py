"""Independent validation of a plan: from its waypoints and its border alone, in another projection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from geo import locate
from missions.fleet import Base
from missions.patrol import LegKind, PatrolPlan, Sortie, Waypoint

__all__ = ["check"]

Floats = NDArray[np.float64]

_SLACK_M = 0.05
_WALL_M = 5000.0
_SEPARATE_ACROSS_M, _SEPARATE_UP_M, _NEAR_BASE_M = 25.0, 5.0, 60.0


def check(plan: PatrolPlan) -> list[str]:
    """Every rule that a plan breaks, one sentence each; empty when it breaks none.

    Checked: distance of every leg from the border, own side, no leg across the line (taken to run straight on for 5 km
    beyond its ends), each leg begins where the last ended, each sortie begins and ends at its base on the ground,
    heights between floor and ceiling, energy recomputed from speeds and times against the reserve, one sortie of a
    vehicle after the other, and in the first round 25 m across or 5 m up between any two aircraft away from a base.
    """
    border = plan.border
    lat0, lon0 = border.centre()
    project = Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        f"+step +proj=aeqd +lat_0={lat0!r} +lon_0={lon0!r} +ellps=WGS84"
    )

    def xy(lat: Floats, lon: Floats) -> Floats:
        return np.stack(project.transform(lon, lat), axis=-1)

    vertices = np.array(border.coordinates)
    dense = [vertices[:1]]
    for a, b in pairwise(vertices):
        count = max(1, int(np.ceil(np.hypot(*(b - a)) / 0.004)))
        dense.append(a + np.arange(1, count + 1)[:, None] / count * (b - a))
    line = xy(*np.concatenate(dense).T[::-1])
    shape = shapely.linestrings(line)
    shapely.prepare(shape)
    beyond = line if border.is_ring else np.concatenate([[_past(line)], line, [_past(line[::-1])]])
    own = border.own_side.sign
    found: list[str] = []
    for sortie in plan.sorties:
        start = xy(*_lat_lon([leg.start for leg in sortie.legs]))
        stop = xy(*_lat_lon([leg.end for leg in sortie.legs]))
        pieces = shapely.linestrings(np.stack([start, stop], axis=1))
        distance = np.asarray(shapely.distance(pieces, shape))
        middle = np.concatenate([start, (start + stop) / 2, stop])
        if border.is_ring:
            inside = (own > 0) == shapely.is_ccw(shapely.linearrings(line))
            wrong = np.asarray(shapely.contains_xy(shapely.polygons(line), middle)) != inside
        else:
            wrong = locate(beyond, middle).offset_m * own < 0
        across = np.asarray(shapely.intersects(pieces, shapely.linestrings(beyond)))
        name, limit = sortie.name, border.stand_off_m
        near = np.flatnonzero(distance < limit - _SLACK_M)
        found += [f"{name} leg {i}: {distance[i]:.1f} m from the border, stand-off {limit:.0f} m" for i in near]
        found += [f"{name} leg {i % len(start)}: on the far side of the border" for i in np.flatnonzero(wrong)]
        found += [f"{name} leg {i}: crosses the border or its continuation" for i in np.flatnonzero(across)]
        found += _ends(sortie) + _heights(plan, sortie) + _effort(sortie)
    found += _schedule_rules(plan)
    found += _separation(plan, xy)
    return found


def _lat_lon(points: Sequence[Waypoint | Base]) -> tuple[Floats, Floats]:
    return np.array([p.lat_deg for p in points]), np.array([p.lon_deg for p in points])


def _past(line: Floats, chord_m: float = 1000.0) -> Floats:
    """A point straight on before the first vertex, in the direction of the first kilometre."""
    shape = shapely.linestrings(line)
    inner = shapely.get_coordinates(shapely.line_interpolate_point(shape, min(chord_m, shapely.length(shape) / 2)))[0]
    direction = line[0] - inner
    norm = float(np.hypot(*direction))
    return np.asarray(line[0] + direction / norm * _WALL_M if norm > 0 else line[0])


def _ends(sortie: Sortie) -> list[str]:
    """Legs that do not join, and a sortie that does not begin and end on the ground at its base."""
    base = sortie.vehicle.base
    found = [
        f"{sortie.name} leg {i}: begins elsewhere than leg {i - 1} ends"
        for i, (a, b) in enumerate(pairwise(sortie.legs), 1)
        if a.end != b.start
    ]
    for what, end in (("begin", sortie.legs[0].start), ("end", sortie.legs[-1].end)):
        if abs(end.lat_deg - base.lat_deg) > 1e-6 or abs(end.lon_deg - base.lon_deg) > 1e-6 or abs(end.agl_m) > 0.01:
            found.append(f"{sortie.name}: does not {what} on the ground at {base.name}")
    return found


def _heights(plan: PatrolPlan, sortie: Sortie) -> list[str]:
    found = []
    floor, ceiling, patrol = plan.options.floor_agl_m, plan.options.ceiling_agl_m, plan.observation.height_agl_m
    for i, leg in enumerate(sortie.legs):
        name, agl, top = f"{sortie.name} leg {i}", leg.start.agl_m, max(leg.start.agl_m, leg.end.agl_m)
        if top > ceiling + 0.01:
            found.append(f"{name}: {top:.1f} m above ground, ceiling {ceiling:.0f} m")
        if leg.kind is LegKind.PATROL and abs(agl - patrol) > 0.01:
            found.append(f"{name}: patrols at {agl:.1f} m above ground instead of {patrol:.1f} m")
        if leg.kind not in {LegKind.TAKEOFF, LegKind.LANDING} and agl < floor - 0.01:
            found.append(f"{name}: {agl:.1f} m above ground, floor {floor:.0f} m")
    return found


def _effort(sortie: Sortie) -> list[str]:
    """Speeds, times and energy, worked out again."""
    craft, found, joules = sortie.vehicle.aircraft, [], 0.0
    for i, leg in enumerate(sortie.legs):
        rise = leg.end.amsl_m - leg.start.amsl_m
        least = max(leg.distance_m / craft.max_m_s, rise / craft.climb_m_s, -rise / craft.descent_m_s)
        if leg.duration_s < least - 1e-6:
            found.append(f"{sortie.name} leg {i}: cannot be flown in {leg.duration_s:.1f} s")
        joules += craft.power_w(leg.distance_m / leg.duration_s) * leg.duration_s
        joules += max(rise, 0.0) / craft.climb_m_s * (craft.climb_power_w - craft.hover_power_w)
    left = 1 - joules / 3600 / craft.battery_wh
    if left < craft.reserve_fraction - 1e-9:
        found.append(f"{sortie.name}: lands with {left:.1%} of the battery, reserve {craft.reserve_fraction:.0%}")
    return found


def _schedule_rules(plan: PatrolPlan) -> list[str]:
    found = []
    for vehicle in plan.fleet.vehicles:
        own = sorted((s for s in plan.sorties if s.vehicle.sysid == vehicle.sysid), key=lambda s: s.start_s)
        for a, b in pairwise(own):
            if b.start_s < a.start_s + a.duration_s + vehicle.aircraft.turn_round_s - 1e-6:
                found.append(f"{b.name}: takes off before {a.name} has landed and turned round")
    return found


def _separation(plan: PatrolPlan, xy: Callable[[Floats, Floats], Floats]) -> list[str]:
    """Sample the first round every two seconds."""
    end = max((s.start_s + s.duration_s for s in plan.sorties), default=0.0)
    times = np.arange(0.0, end, 2.0)
    tracks = {}
    for vehicle in plan.fleet.vehicles:
        track = np.full((len(times), 3), np.nan)
        for sortie in plan.sorties:
            if sortie.vehicle.sysid != vehicle.sysid:
                continue
            points = [sortie.legs[0].start, *(leg.end for leg in sortie.legs)]
            at = sortie.start_s + np.concatenate([[0.0], np.cumsum([leg.duration_s for leg in sortie.legs])])
            where = np.column_stack([xy(*_lat_lon(points)), [p.amsl_m for p in points]])
            flying = (times >= at[0]) & (times <= at[-1])
            track[flying] = np.column_stack([np.interp(times[flying], at, where[:, k]) for k in range(3)])
        tracks[vehicle] = track
    bases = xy(*_lat_lon([v.base for v in plan.fleet.vehicles]))
    found = []
    vehicles = list(tracks)
    for i, a in enumerate(vehicles):
        for b in vehicles[i + 1 :]:
            gap = tracks[a] - tracks[b]
            close = (np.hypot(gap[:, 0], gap[:, 1]) < _SEPARATE_ACROSS_M) & (np.abs(gap[:, 2]) < _SEPARATE_UP_M)
            from_base = np.min(np.hypot(*(tracks[a][:, None, :2] - bases[None]).transpose(2, 0, 1)), axis=1)
            found += [
                f"{a.name} and {b.name}: {np.hypot(*gap[k, :2]):.0f} m apart {times[k]:.0f} s after the start"
                for k in np.flatnonzero(close & (from_base > _NEAR_BASE_M))[:1]
            ]
    return found
