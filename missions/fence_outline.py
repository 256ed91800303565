"""Outlines with as few vertices as autopilots store, drawn between what must stay inside and what must stay outside."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, Polygon

__all__ = ["fewest", "straightened"]

Floats = NDArray[np.float64]

_FINE_M = (0.1, 0.3, 1.0)
"""How far an outline may move before chords of it are looked at, metres: arcs are drawn finer than that."""

_MOST_PLACES = 1500
_AHEAD = 160
"""Most vertices of an outline whose chords are looked at, and how many of them a chord may pass."""


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
    """The outline through the fewest of the vertices of a ring: the shortest way round over chords that are free.

    It takes longer than `straightened`, and finds about a fifth fewer. A chord is free where what lies between it and
    the ring touches nothing taken (H. Imai and M. Iri, Computational-geometric methods for polygonal approximations of
    a curve, 1986).
    """
    shapely.prepare(taken)
    kept = straightened(ring, taken)
    fine = _fine(ring, taken)
    if len(fine) > _MOST_PLACES:
        return kept
    # It begins where the quick one has a vertex too.
    begin = int(np.argmin(np.abs(fine - kept[0]).sum(axis=1)))
    fine = np.roll(fine, -begin, axis=0)
    count = len(fine)
    closed = np.concatenate([fine, fine[:1]])
    steps, before = np.full(count + 1, count + 1), np.full(count + 1, -1)
    steps[0] = 0
    for i in range(count):
        last = np.arange(i + 1, min(count, i + _AHEAD) + 1)
        better = last[steps[last] > steps[i] + 1]
        if not len(better):
            continue
        lines = shapely.linestrings(np.stack([np.broadcast_to(closed[i], (len(better), 2)), closed[better]], axis=1))
        for j in better[~np.asarray(shapely.intersects(taken, lines))].tolist():
            if j == i + 1 or not shapely.intersects(taken, shapely.make_valid(Polygon(closed[i : j + 1]))):
                steps[j], before[j] = steps[i] + 1, i
    found, at = [], int(before[count])
    while at >= 0:
        found.append(at)
        at = int(before[at])
    best = closed[found[::-1]]
    return best if 4 <= len(best) < len(kept) and Polygon(best).is_valid else kept


def _fine(ring: Floats, taken: Geometry) -> Floats:
    """The ring with as few vertices as can be looked at, where that touches nothing."""
    for away in _FINE_M:
        simple = shapely.get_coordinates(shapely.simplify(shapely.linearrings(ring), away))[:-1]
        if len(simple) < 4 or shapely.intersects(taken, shapely.linearrings(simple)):
            break
        ring = simple
        if len(ring) <= _MOST_PLACES:
            break
    return ring
