"""Where a sortie may come down early: its base, a place half-way along the transit, and landing sites on the way."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, LineString, Polygon

from missions.fence_shapes import FencePolygon
from missions.limits import RALLY_POINTS
from missions.patrol import PatrolPlan
from missions.plane import Chart
from missions.sortie import Leg, LegKind, Sortie, Waypoint

__all__ = ["rally_points"]

Floats = NDArray[np.float64]

_STEP_M = 100.0
_INSIDE_M = 5.0
"""Least distance of a rally point from every edge of the fence, metres."""

_APART_M = 100.0
"""A rally point nearer to another than this is of no use, metres."""


def rally_points(
    plan: PatrolPlan, sortie: Sortie, fence: tuple[FencePolygon, ...], *, known: bool = False
) -> tuple[Waypoint, ...]:
    """Rally points of a sortie, the base first, at most `RALLY_POINTS`; only those whose ground is known if asked so.

    The others lie inside the fence, at least stand-off and margin from the border. An autopilot flies straight to the
    nearest: one that is nearest from a place of the sortie from which that way leaves the fence is left out. Each has
    the height of the sortie where it passes nearest, and that of the ground there. Nobody here knows the ground of a
    landing site, nor that below a leg between its ends, which it follows within its bounds only: whoever has to know
    it does without the sites, and has the nearest end of a leg for the place half-way.
    """
    base = sortie.vehicle.base
    home = Waypoint.above(base.lat_deg, base.lon_deg, sortie.layers_agl_m[1], sortie.home.ground_amsl_m)
    chart = Chart(home.lat_deg, home.lon_deg)
    way, heights, grounds = _sampled(sortie, chart)
    inside = _inside(fence, chart)
    border = _border_beside(plan, chart, way)
    keep_off_m = plan.keep_off_m
    points, made = [np.zeros(2)], [home]
    for lat, lon, own in _candidates(plan, sortie, known=known):
        at = chart.xy(lat, lon)
        here = shapely.points(at)
        lawful = (
            len(made) < RALLY_POINTS
            and inside.contains(here)
            and inside.exterior.distance(here) >= _INSIDE_M
            and all(Polygon(hole).distance(here) >= _INSIDE_M for hole in inside.interiors)
            and (border is None or shapely.distance(border, here) >= keep_off_m)
        )
        away = np.hypot(*(way - at).T)
        if not lawful or min(float(np.hypot(*(at - p))) for p in points) < _APART_M:
            continue
        nearest = np.all([away <= np.hypot(*(way - p).T) for p in points], axis=0)
        straight = shapely.linestrings(np.stack([way[nearest], np.broadcast_to(at, (int(nearest.sum()), 2))], axis=1))
        if not shapely.covers(inside, straight).all():
            continue
        points.append(at)
        passed = int(away.argmin())
        ground_m = float(grounds[passed])
        made.append(own or Waypoint.above(lat, lon, float(heights[passed]) - ground_m, ground_m))
    return tuple(made)


def _candidates(plan: PatrolPlan, sortie: Sortie, *, known: bool) -> list[tuple[float, float, Waypoint | None]]:
    """Latitude and longitude of what may be a rally point, and the waypoint where it is one of the sortie."""
    half = _leg_end_half_way(sortie) if known else _half_way(sortie)
    found: list[tuple[float, float, Waypoint | None]] = [] if half is None else [(half.lat_deg, half.lon_deg, half)]
    more = plan.airspace.landing_sites if not known else ()
    return [*found, *((site.lat_deg, site.lon_deg, None) for site in more)]


def _transit(sortie: Sortie) -> list[Leg]:
    return [leg for leg in sortie.legs if leg.kind is LegKind.TRANSIT and leg.distance_m > 0]


def _leg_end_half_way(sortie: Sortie) -> Waypoint | None:
    """The end of a leg of the transit that is nearest to its middle along it."""
    transit = _transit(sortie)
    along = np.cumsum([leg.distance_m for leg in transit])
    return transit[int(np.abs(along - along[-1] / 2).argmin())].end if transit else None


def _half_way(sortie: Sortie) -> Waypoint | None:
    """The middle of the transit."""
    transit = _transit(sortie)
    half = sum(leg.distance_m for leg in transit) / 2
    for leg in transit:
        if half <= leg.distance_m:
            t, a, b = half / leg.distance_m, leg.start, leg.end
            lat, lon, _ = leg.at(t)
            ground_amsl_m = a.ground_amsl_m + t * (b.ground_amsl_m - a.ground_amsl_m)
            return Waypoint.above(float(lat), float(lon), a.agl_m, ground_amsl_m)
        half -= leg.distance_m
    return None


def _sampled(sortie: Sortie, chart: Chart) -> tuple[Floats, Floats, Floats]:
    """Places of a sortie, shape (n, 2), their heights and those of the ground below, metres AMSL."""
    places, heights, grounds = [], [], []
    for leg in sortie.legs:
        t = np.linspace(0.0, 1.0, max(2, int(leg.distance_m / _STEP_M) + 2))
        ends = chart.xy([leg.start.lat_deg, leg.end.lat_deg], [leg.start.lon_deg, leg.end.lon_deg])
        places.append(ends[0] + t[:, None] * (ends[1] - ends[0]))
        heights.append(leg.start.amsl_m + t * (leg.end.amsl_m - leg.start.amsl_m))
        grounds.append(leg.start.ground_amsl_m + t * (leg.end.ground_amsl_m - leg.start.ground_amsl_m))
    return np.concatenate(places), np.concatenate(heights), np.concatenate(grounds)


def _inside(fence: tuple[FencePolygon, ...], chart: Chart) -> Polygon:
    """The part of a fence that holds the base: inside all inclusions, outside all exclusions."""
    keep_in, keep_out = (
        [Polygon(chart.xy(*np.array(shape.vertices).T)) for shape in fence if shape.inclusion is kind]
        for kind in (True, False)
    )
    inside = shapely.difference(shapely.intersection_all(keep_in), shapely.union_all(keep_out))
    own = next(part for part in shapely.get_parts(inside) if part.intersects(shapely.points(0.0, 0.0)))
    assert isinstance(own, Polygon)
    shapely.prepare(own)
    return own


def _border_beside(plan: PatrolPlan, chart: Chart, way: Floats) -> Geometry | None:
    """The border as far as a rally point can come too near to it; None where it is nowhere near."""
    room = plan.keep_off_m + 2000.0
    west, south = way.min(axis=0) - room
    east, north = way.max(axis=0) + room
    lines = [LineString(chart.line(border.unwrapped())) for border in plan.borders]
    near = shapely.union_all(shapely.clip_by_rect(lines, west, south, east, north))
    return None if shapely.is_empty(near) else near
