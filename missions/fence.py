"""The geofence of a sortie: one inclusion polygon that holds all its legs and stays behind the border."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, LineString, MultiLineString, Polygon

from missions.errors import MissionError
from missions.flightline import WALL_M, extended
from missions.limits import FENCE_VERTICES
from missions.patrol import PatrolPlan, Sortie
from missions.plane import Plane

__all__ = ["fence_polygon"]

Floats = NDArray[np.float64]

_ROOM_M = 150.0
"""What the fence leaves around the legs away from the border, metres."""

_MARGIN_M = 6.0
"""Least distance between the fence and the legs, metres."""


def fence_polygon(plan: PatrolPlan, sortie: Sortie) -> tuple[tuple[float, float], ...]:
    """Vertices (latitude, longitude), degrees, of the fence of a sortie, not repeated at the end.

    On the border side it lies between half the stand-off and the legs; elsewhere around
    their convex hull, or, where that would follow too many bends of the border, around the legs themselves.
    The border is taken to run straight on beyond its ends.

    Raises
    ------
    MissionError
        When no simple polygon of `FENCE_VERTICES` vertices does that; the message says what to do.
    """
    plane = Plane(plan.border)
    borders = [border.local_line(plane.frame) for border in plan.borders]
    border = MultiLineString([LineString(line) for line in borders])
    beyond = MultiLineString([LineString(extended(line, WALL_M)) for line in borders])
    points = [sortie.legs[0].start, *(leg.end for leg in sortie.legs)]
    way = LineString(plane.xy([p.lat_deg for p in points], [p.lon_deg for p in points]))
    floor_m = plan.border.stand_off_m / 2
    clear_m = float(way.distance(border))
    # The fence is drawn through the middle of the room between the floor and the legs, then straightened within it.
    middle_m = floor_m + (clear_m - floor_m) / 2
    taken = shapely.union(way.buffer(_MARGIN_M), beyond.buffer(floor_m + 0.2, quad_segs=16))
    for shape, room in ((way.convex_hull, _ROOM_M), (way, _ROOM_M), (way, _ROOM_M / 3)):
        ring = _around(shape.buffer(room, join_style="mitre").difference(beyond.buffer(middle_m, quad_segs=4)), way)
        if ring is None:
            continue
        ring = _straightened(ring, taken)
        if len(ring) > FENCE_VERTICES:
            continue
        lat, lon = plane.lat_lon(ring)
        vertices = tuple((round(float(a), 7), round(float(o), 7)) for a, o in zip(lat, lon, strict=True))
        if _lawful(Polygon(plane.xy(*np.array(vertices).T)), way, border, beyond, floor_m):
            return vertices
    raise MissionError(
        f"{sortie.name}: no fence of at most {FENCE_VERTICES} vertices stays {floor_m:.0f} m behind this border: "
        "straighten the border line, or plan it in shorter parts"
    )


def _around(region: Geometry, way: LineString) -> Floats | None:
    """Outline of the part of a region that holds the legs; None where a hole would be left out of no polygon."""
    for part in shapely.get_parts(region):
        if isinstance(part, Polygon) and part.contains(way):
            return None if part.interiors else np.array(part.exterior.coords)[:-1]
    return None


def _straightened(ring: Floats, taken: Geometry) -> Floats:
    """Drop vertices, the flattest first, as long as the triangles that this adds or takes away touch nothing taken.

    Such a step cannot move the outline over the legs or the border, so which side they lie on stays as it was.
    """
    shapely.prepare(taken)
    while len(ring) > 4:
        before, after = np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0)
        corners = np.stack([before, ring, after, before], axis=1)
        free = ~np.asarray(shapely.intersects(taken, shapely.polygons(corners)))
        u, v = ring - before, after - ring
        area = np.where(free, np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]), np.inf)
        dropped = np.zeros(len(ring), dtype=bool)
        # Of neighbours only one at a time: the triangle of the other changes with it.
        for i in np.argsort(area, kind="stable")[: max(1, len(ring) // 4)]:
            if free[i] and not dropped[i - 1] and not dropped[(i + 1) % len(ring)] and len(ring) - dropped.sum() > 4:
                dropped[i] = True
        if not dropped.any():
            break
        ring = ring[~dropped]
    return ring


def _lawful(fence: Polygon, way: LineString, border: Geometry, beyond: Geometry, floor_m: float) -> bool:
    """Whether a fence is simple, holds the legs, and keeps its distance from the lines."""
    return bool(
        fence.is_valid
        and fence.contains(way)
        and fence.exterior.distance(way) >= _MARGIN_M - 0.1
        and not fence.intersects(border)
        and not fence.intersects(beyond)
        and fence.distance(border) >= floor_m - 0.01
    )
