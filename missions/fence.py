"""The geofence of a sortie: one polygon that holds all its legs and stays behind the border, less the no-fly zones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, LineString, MultiLineString, Polygon

from missions.beyond import closing_m, continued
from missions.clearance import clearance_of
from missions.errors import MissionError
from missions.exclusion import exclusions, zones_beside
from missions.fence_outline import fewest, plainer, straightened
from missions.fence_shapes import FencePolygon
from missions.patrol import PatrolPlan
from missions.plane import Chart, Plane
from missions.reduced import convex_hull
from missions.sortie import Sortie
from missions.widened import widened

__all__ = ["Fences", "fence_polygon", "plan_fences", "sortie_fence", "unfenced"]

Floats = NDArray[np.float64]
Fences = Sequence[tuple[FencePolygon, ...]]
"""The `sortie_fence` of each sortie of a plan: who has them hands them on, since they take longer than their users."""

_ROOM_M = 150.0
"""What the fence leaves around the legs away from the border, metres."""

_EDGE_M = 0.2
"""What the fence keeps of both while it is straightened, metres: rounding, and arcs that are drawn as chords."""

_LONG_M = 1000.0
"""Legs up to this long are straight whichever way they are drawn: to 1.2 cm at 31 degrees, metres."""

_CHARTED = 1.005
"""The metres of a chart 10 km from its middle are not longer than those of the ground by more than this."""

_FEW_LEGS, _FEW_ZONES = 24, 1
"""A fence that follows both sides of so many legs, and a zone beside them, has vertices enough."""

_NEAR_M = 1000.0
"""How far beyond stand-off and legs the border is looked at, metres: no outline of a fence reaches so far."""


def fence_polygon(plan: PatrolPlan, sortie: Sortie) -> tuple[tuple[float, float], ...]:
    """Vertices (latitude, longitude), degrees, of the inclusion of a sortie's fence. Raises as `sortie_fence` does."""
    return sortie_fence(plan, sortie)[0].vertices


def plan_fences(plan: PatrolPlan) -> tuple[tuple[FencePolygon, ...], ...]:
    """The fence of each sortie of a plan. Raises as `sortie_fence` does."""
    return tuple(sortie_fence(plan, sortie) for sortie in plan.sorties)


def sortie_fence(plan: PatrolPlan, sortie: Sortie) -> tuple[FencePolygon, ...]:
    """The fence of a sortie: the polygon to stay in, then those to keep out of.

    The inclusion lies on the border side between stand-off and legs: beyond the stand-off by the guard of the
    aircraft's `Clearance`, off the legs by its room, and off those of the patrol by its bend as well. Elsewhere it lies
    around their convex hull, or, where that would follow too many bends of the border or take in too many zones, around
    the legs themselves. The border is taken to go on beyond its ends, as `missions.beyond`
    has it. An exclusion holds what a sortie flies all the way round, an enclave, and one every blocked zone that comes
    within the inclusion, as far as it reaches.

    Raises
    ------
    MissionError
        When no polygons of as many vertices together as its vehicle stores do that, since a zone is too near to a leg,
        or a leg to the stand-off; the message says what to do.
    """
    craft = sortie.vehicle.aircraft
    clearance, most = clearance_of(craft, plan.options.wind), craft.fence_vertices
    chart, way = _flown(sortie)
    lines = [chart.line(border.unwrapped()) for border in plan.borders]
    near_m = closing_m(plan.border.stand_off_m)
    walls = [continued(line, [*lines[:k], *lines[k + 1 :]], near_m) for k, line in enumerate(lines)]
    floor_m = (plan.border.stand_off_m + clearance.guard_m) * _CHARTED
    border = shapely.union_all([_beside(line, way, floor_m) for line in lines])
    beyond = shapely.union_all([_beside(line, way, floor_m) for line in walls])
    # Of what goes on beyond the ends; what is shut beside the border itself holds the rest.
    past = shapely.union_all([_beside(end, way, floor_m) for line in walls for end in (line[:2], line[-2:])])
    room = shapely.union(
        way.buffer(clearance.room_m), _patrol(sortie, chart).buffer(clearance.room_m + clearance.bend_m)
    )
    shapely.prepare([border, beyond])
    clear_m, half_m = (float(shapely.distance(line, room)) for line in (border, beyond))
    if clearance.bend_m > 0:
        # Wings cut the bends of every way; towards the border there is no more room than the patrol has.
        bends = way.buffer(clearance.room_m + clearance.bend_m)
        near = shapely.union(widened(border, clear_m, quad_segs=8), widened(past, half_m, quad_segs=8))
        room = shapely.union(room, shapely.difference(bends, near))
    # The fence is drawn through the middle between the floor and the room of the legs, then straightened within that.
    # Arcs are drawn fine: the middle may be less than a metre from either.
    middle_m = (floor_m + clear_m) / 2
    # Of the continuation of the border only the line itself is shut: the fence is drawn half-way to it, and may come
    # half as near.
    shut = shapely.union(widened(border, middle_m), widened(past, min(middle_m, half_m / 2)))
    held = shapely.union(widened(border, floor_m + _EDGE_M), widened(past, min(floor_m, half_m / 4)))
    taken = shapely.union(room.buffer(_EDGE_M), held)
    crowded: list[str] = []
    hull = convex_hull(shapely.get_coordinates(way))
    for shape, wide in ((hull, _ROOM_M), (way, _ROOM_M), (way, _ROOM_M / 3)):
        whole = [plainer(ring, taken) for ring in _around(shape.buffer(wide, join_style="mitre") - shut, way, shut)]
        # The quick way first: the other takes longer, and where it bends it leaves nothing of the room.
        for drawn in (straightened, fewest):
            rings = [drawn(ring, taken) for ring in whole]
            left = most - sum(map(len, rings))
            if not rings or left < 0:
                continue
            outlines = [_vertices(*chart.lat_lon(ring)) for ring in rings]
            inclusion, *holes = (chart.xy(*np.array(outline).T) for outline in outlines)
            if not _lawful(Polygon(inclusion, holes), way, room, (border, beyond), floor_m):
                continue
            zones = zones_beside(plan.blocking_zones(), chart, Polygon(inclusion, holes))
            out = exclusions(zones, way, Polygon(inclusion), margin_m=plan.options.zone_margin_m, most=left)
            if out is not None:
                outlines += [_vertices(*chart.lat_lon(ring)) for ring in out]
                return FencePolygon(outlines[0]), *(FencePolygon(outline, inclusion=False) for outline in outlines[1:])
            crowded = [zone.name for zone, _ in zones]
    if crowded:
        raise MissionError(
            f"{sortie.name}: its fence of at most {most} vertices, what {craft.kind!r} stores, has no room for the "
            f"no-fly zones {', '.join(map(repr, crowded))}: put neighbours into one zone, or plan the border in "
            "shorter parts"
        )
    raise MissionError(
        f"{sortie.name}: no fence of at most {most} vertices, what {craft.kind!r} stores, stays {floor_m:.1f} m behind "
        f"this border, stand-off and guard, and {clearance.room_m:.1f} m off the legs: straighten the border line, or "
        "plan it in shorter parts"
    )


def unfenced(plan: PatrolPlan) -> list[int]:
    """Numbers of the sorties of a plan that have no fence, as `sortie_fence` has it.

    Those of few legs among few zones are taken to have one, and not tried: should one not, its mission is refused when
    it is compiled.
    """
    zones = plan.blocking_zones()
    found = []
    for number, sortie in enumerate(plan.sorties):
        if len(sortie.legs) <= _FEW_LEGS:
            chart, way = _flown(sortie)
            west, south, east, north = way.bounds
            beside = shapely.box(west - _ROOM_M, south - _ROOM_M, east + _ROOM_M, north + _ROOM_M)
            if len(zones_beside(zones, chart, beside)) <= _FEW_ZONES:
                continue
        try:
            sortie_fence(plan, sortie)
        except MissionError:
            found.append(number)
    return found


def _flown(sortie: Sortie) -> tuple[Chart, MultiLineString]:
    """A chart of a sortie, and its legs there: straight in degrees, and where they are long straight on the ground too.

    Autopilots fly the one or the other; 20 km along a parallel at 31 degrees they are 5 m apart.
    """
    points = sortie.way
    lat, lon = np.array([p.lat_deg for p in points]), np.array([p.lon_deg for p in points])
    rough = Chart(points[0].lat_deg, points[0].lon_deg)
    middle_lat, middle_lon = rough.lat_lon(shapely.box(*LineString(rough.xy(lat, lon)).bounds).centroid.coords[0])
    chart, plane = Chart(float(middle_lat), float(middle_lon)), Plane.at(float(middle_lat), float(middle_lon))
    ends = plane.xy(lat, lon)
    bowed = [
        a + np.linspace(0.0, 1.0, int(leg.distance_m / _LONG_M) + 2)[:, None] * (b - a)
        for leg, a, b in zip(sortie.legs, ends[:-1], ends[1:], strict=True)
        if leg.distance_m > _LONG_M
    ]
    ways = [chart.xy(lat, lon)]
    if bowed:
        cuts = np.cumsum([len(line) for line in bowed])[:-1]
        ways += np.split(chart.xy(*plane.lat_lon(np.concatenate(bowed))), cuts)
    return chart, MultiLineString(ways)


def _patrol(sortie: Sortie, chart: Chart) -> MultiLineString:
    """The legs of the patrol, and those on station, in a chart."""
    ends = [((leg.start.lat_deg, leg.start.lon_deg), (leg.end.lat_deg, leg.end.lon_deg)) for leg in sortie.bending]
    return MultiLineString([chart.xy(*np.array(pair).T) for pair in ends])


def _beside(line: Floats, way: MultiLineString, floor_m: float) -> Geometry:
    """The part of a line that a fence round the legs can come near: long borders are not buffered whole."""
    (west, south, east, north), more = way.bounds, _NEAR_M + floor_m
    near = shapely.clip_by_rect(LineString(line), west - more, south - more, east + more, north + more)
    return LineString(line) if near.is_empty else near


def _vertices(lat: Floats, lon: Floats) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(a), 7), round(float(o), 7)) for a, o in zip(lat, lon, strict=True))


def _around(region: Geometry, way: MultiLineString, shut: Geometry) -> list[Floats]:
    """Outline of the part of a region that holds the legs, and those of its holes with anything shut in them.

    Empty where no part does. A hole between the way out and the way home with nothing in it is filled.
    """
    for part in shapely.get_parts(region):
        if isinstance(part, Polygon) and part.contains(way):
            holes = (hole for hole in part.interiors if Polygon(hole).intersects(shut))
            return [np.array(ring.coords)[:-1] for ring in (part.exterior, *holes)]
    return []


def _lawful(
    fence: Polygon, way: MultiLineString, room: Geometry, lines: tuple[Geometry, Geometry], floor_m: float
) -> bool:
    """Whether a fence is simple, holds the legs and their room, and keeps its distance from border and beyond."""
    border, beyond = lines
    return bool(
        fence.is_valid
        and fence.contains(way)
        and fence.buffer(_EDGE_M / 2).contains(room)
        and not fence.intersects(border)
        and not fence.intersects(beyond)
        and fence.distance(border) >= floor_m - 0.01
    )
