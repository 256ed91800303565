"""The way back of an aircraft that is off its way: nearer to stand-off or zone than ways are planned, and still lawful.

Ways keep more from the border than the stand-off because an aircraft is never just where its plan has it
(`missions.clearance`). One that has strayed into that is where it may be, and goes on from there: first straight out of
it, away from the border, then as any other.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from missions.access import Access

__all__ = ["way_from_air"]

Floats = NDArray[np.float64]

_FARTHEST_M = 60.0
"""Nobody strays farther into what ways keep off: who is deeper in it than this is where no aircraft may be, metres."""

_CLEAR_M = 0.5
_OUTSIDE_M = 0.05


def way_from_air(
    access: Access, stand_off_m: float, zone_margin_m: float, start: tuple[float, float], stop: tuple[float, float]
) -> Floats:
    """Vertices of the shortest lawful way from where an aircraft is to another place, as `Access.between` gives them.

    Parameters
    ----------
    access
        The ways of its base.
    stand_off_m
        The stand-off, metres: whoever is within it has no way on.
    zone_margin_m
        By how much its region has zones grown, metres: whoever is in a zone itself has no way on.
    start, stop
        Latitude and longitude, degrees.

    Raises
    ------
    PlanError
        When there is none.
    """
    here, there = access.region.plane.xy(*zip(start, stop, strict=True))
    found = access.route(here, there)
    if found is not None:
        return found
    out = _led_out(access, here, stand_off_m, zone_margin_m)
    way = None if out is None else access.route(out, there)
    if way is None:
        return access.between(start, stop)
    return np.concatenate([here[None], way])


def _led_out(access: Access, here: Floats, stand_off_m: float, zone_margin_m: float) -> Floats | None:
    """The nearest place that no obstacle holds, metres in the plane of the region, shape (2,).

    None where every straight way there would begin within the stand-off or in a zone, lead through a zone, over a
    border or its continuation, or nearer to one, or where there is no such place.
    """
    region, point = access.region, shapely.points(here)
    lines = shapely.linestrings
    if any(shapely.distance(lines(line), point) < stand_off_m for line in region.border):
        return None
    zones = shapely.union_all([shapely.buffer(shape, _OUTSIDE_M - zone_margin_m) for _, shape in region.zones])
    if shapely.contains(zones, point):
        return None
    near = shapely.buffer(point, _FARTHEST_M)
    shut = shapely.union_all(shapely.intersection(np.array(region.obstacles, dtype=object), near))
    # Between a zone and the border the nearest place may lie towards the border: only away from it counts.
    walls = np.array([lines(wall) for wall in region.wall], dtype=object)
    away_m = shapely.distance(point, walls)
    towards = shapely.buffer(shapely.intersection(walls, shapely.buffer(near, away_m)), away_m, quad_segs=64)
    free = shapely.difference(near, shapely.union(shapely.buffer(shut, _CLEAR_M), shapely.union_all(towards)))
    for part in sorted(shapely.get_parts(free), key=lambda one: float(shapely.distance(point, one))):
        straight = shapely.shortest_line(point, part)
        nearer = shapely.distance(straight, walls) < away_m - _OUTSIDE_M
        if not nearer.any() and not shapely.intersects(zones, straight):
            return np.asarray(shapely.get_coordinates(straight)[1])
    return None
