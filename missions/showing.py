"""What pages show of a plan beside its ways: how long each stretch is left alone, what cameras take in, heights."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import Terrain, shorter_turn
from missions.border import Side
from missions.course import distances_m
from missions.geojson_geometry import area_geometry, line_geometry
from missions.options import Objective
from missions.outline import band_polygon
from missions.patrol import PatrolPlan
from missions.plane import Plane
from missions.revisit import at_risk_s
from missions.sortie import Sortie

__all__ = ["HeightProfile", "RevisitStretch", "footprints", "height_profile", "revisit_along"]

Floats = NDArray[np.float64]

_STRETCH_M, _MOST_STRETCHES = 200.0, 1000
_PROFILE_M, _MOST_SAMPLES = 30.0, 2000
_DRAWN_M = 0.5
"""How far an outline may be from what it outlines, metres: it is drawn, and nothing is decided by it."""


@dataclass(frozen=True, slots=True)
class RevisitStretch:
    """A stretch of the course that is watched.

    Parameters
    ----------
    from_m, to_m
        Metres along the course.
    way
        Its vertices (longitude, latitude), degrees.
    revisit_s
        The longest time for which it is left alone within the shift after a first look, seconds; None in a plan of a
        single coverage.
    """

    from_m: float
    to_m: float
    way: tuple[tuple[float, float], ...]
    revisit_s: float | None

    def shape(self) -> dict[str, Any]:
        """Its way as GeoJSON, cut at the antimeridian."""
        return line_geometry(self.way)


@dataclass(frozen=True, slots=True)
class HeightProfile:
    """Heights along a sortie: distance flown, its height and that of the ground, metres AMSL, each of shape (n,)."""

    distance_m: tuple[float, ...]
    amsl_m: tuple[float, ...]
    ground_m: tuple[float, ...]


def revisit_along(plan: PatrolPlan) -> tuple[RevisitStretch, ...]:
    """How long the stretches of the course are left alone; neighbours that are alike to the second are one."""
    lat, lon = np.array(plan.flight_line).T
    along = distances_m(lat, lon)
    pieces = int(np.clip(along[-1] / _STRETCH_M, 1, _MOST_STRETCHES))
    ends = [end for sortie in plan.sorties for run in sortie.runs for end in (run.from_m, run.to_m)]
    stations = np.unique(np.concatenate([np.linspace(0.0, along[-1], pieces + 1), np.clip(ends, 0.0, along[-1])]))
    even = np.ones((1, len(stations) - 1))
    alone = at_risk_s(plan.flights, plan.sorties, stations, np.zeros(1), even, shift_s=plan.options.shift_s).round()
    once = plan.options.objective is Objective.ONCE
    cuts = [0, *(np.flatnonzero(np.diff(alone)) + 1).tolist(), len(alone)]
    vertices = np.arange(len(along))
    turned = np.unwrap(lon, period=360.0)
    found = []
    for a, b in pairwise(cuts):
        if alone[a] <= 0:
            continue
        low, high = float(stations[a]), float(stations[b])
        at = [low, *along[vertices[(along > low) & (along < high)]].tolist(), high]
        places = zip(shorter_turn(np.interp(at, along, turned)), np.interp(at, along, lat), strict=True)
        way = tuple((round(float(x), 7), round(float(y), 7)) for x, y in places)
        found.append(RevisitStretch(low, high, way, None if once else float(alone[a])))
    return tuple(found)


def footprints(plan: PatrolPlan) -> tuple[tuple[dict[str, Any], ...], ...]:
    """What the camera of each sortie takes in of the bands, on level ground: GeoJSON polygons, one tuple a sortie.

    What the terrain hides, or takes out of the picture, is in the coverage of the plan and not left out here.
    """
    plane = Plane(plan.border)
    bands = shapely.union_all(
        [
            band_polygon(plane.xy(line.lat_deg, line.lon_deg), Side.LEFT, line.left_m, line.right_m)
            for line in plan.watched_lines()
        ]
    )
    shapely.prepare(bands)
    out = []
    for sortie in plan.sorties:
        seen = shapely.simplify(shapely.intersection(_taken_in(plan, sortie, plane), bands), _DRAWN_M)
        parts = (part for part in shapely.get_parts(seen) if isinstance(part, shapely.Polygon))
        out.append(tuple(area_geometry(plane, part) for part in parts))
    return tuple(out)


def height_profile(sortie: Sortie, terrain: Terrain | None = None) -> HeightProfile:
    """Heights along a sortie, at its waypoints and on a terrain between them; without one as the waypoints have it."""
    step_m = max(_PROFILE_M, sortie.distance_m / _MOST_SAMPLES)
    columns: list[Floats] = []
    flown = 0.0
    for leg in sortie.legs:
        pieces = 1 if terrain is None else max(1, int(leg.distance_m / step_m))
        share = np.linspace(0.0, 1.0, pieces + 1)
        a, b = leg.start, leg.end
        lat, lon, amsl = leg.at(share)
        ground = a.ground_amsl_m + share * (b.ground_amsl_m - a.ground_amsl_m)
        if terrain is not None:
            ground = np.asarray(terrain.elevation_m(lat, lon), dtype=float)
        columns.append(np.stack([flown + share * leg.distance_m, amsl, ground]))
        flown += leg.distance_m
    return HeightProfile(*(tuple(column.round(2).tolist()) for column in np.concatenate(columns, axis=1)))


def _taken_in(plan: PatrolPlan, sortie: Sortie, plane: Plane) -> shapely.Geometry:
    """The ground beside the watched legs that the view reaches, and between two of them the sweep of the turn."""
    look = plan.observation_of(sortie)
    strips: list[shapely.Geometry] = []
    before: Floats | None = None
    for leg in sortie.legs:
        if leg.look is None or leg.distance_m <= 0:
            before = None
            continue
        ends = plane.xy([leg.start.lat_deg, leg.end.lat_deg], [leg.start.lon_deg, leg.end.lon_deg])
        ahead = (ends[1] - ends[0]) / np.hypot(*(ends[1] - ends[0]))
        aside = leg.look.sign * np.array([-ahead[1], ahead[0]])
        near, far = ends + look.view_from_m * aside, ends + look.view_to_m * aside
        strips.append(shapely.MultiPoint(np.concatenate([near, far])).convex_hull)
        if before is not None:
            strips.append(shapely.MultiPoint(np.concatenate([before, near[:1], far[:1]])).convex_hull)
        before = np.stack([near[1], far[1]])
    return shapely.union_all(strips)
