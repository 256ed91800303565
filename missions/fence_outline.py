"""Outlines with as few vertices as autopilots store, drawn between what must stay inside and what must stay outside."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, Polygon

from missions.fewest_links import fewest_links
from missions.sleeve import sleeve

__all__ = ["fewest", "plainer", "straightened"]

Floats = NDArray[np.float64]

_WIDER_M = 50.0
"""How far out of a ring its outline through the fewest vertices may lie where nothing is taken, metres."""

_PLAIN_M = 0.05
"""How far an outline may move for fewer vertices to look at, metres: less than what is kept of what is taken."""

_CLEAR_M = 0.01
"""What such an outline keeps off what is taken: it bends where it would touch, metres."""


def plainer(ring: Floats, taken: Geometry) -> Floats:
    """A ring without the vertices that make no difference; as it is where it would touch what is taken.

    Beside lines of many vertices arcs are drawn finer than a metre, and both ways to an outline look at every vertex.
    """
    shapely.prepare(taken)
    simple = shapely.get_coordinates(shapely.simplify(shapely.linearrings(ring), _PLAIN_M))[:-1]
    return ring if len(simple) < 4 or shapely.intersects(taken, shapely.linearrings(simple)) else simple


def straightened(ring: Floats, taken: Geometry) -> Floats:
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


def fewest(ring: Floats, taken: Geometry) -> Floats:
    """The outline with the fewest vertices that goes round the same things as a ring; at most one more, in its sleeve.

    Its vertices may lie anywhere that is free, up to `_WIDER_M` out of the ring. `straightened` takes those of the ring
    alone, and in a corridor of even width half as many more.
    """
    kept = straightened(ring, taken)
    area = Polygon(ring)
    free = shapely.difference(shapely.buffer(area, _WIDER_M, join_style="mitre"), taken)
    free = shapely.buffer(free, -_CLEAR_M, join_style="mitre")
    part = next((one for one in shapely.get_parts(free) if shapely.contains_properly(one, area.exterior)), None)
    if not isinstance(part, Polygon):
        # It touches what is taken.
        return kept
    gates = sleeve(ring, part)
    best = fewest_links(*gates) if gates is not None else kept
    # Where the ring comes back through a place, an outline may cross itself there.
    return best if best is not None and 4 <= len(best) < len(kept) and Polygon(best).is_valid else kept
