"""Polygons with fewer vertices that hold the old ones: only ever grown, and never over what must stay free."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy
import shapely
from numpy.typing import NDArray
from shapely import Geometry, LineString, Polygon

__all__ = ["convex_hull", "reduced"]

Floats = NDArray[np.float64]

_FAR_M = 150.0
"""Rather than move an outline by more than this, two polygons are put into one, metres."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One vertex less: how far the outline moves, metres, and its vertices after it."""

    moved_m: float
    ring: Floats


def reduced(rings: list[Floats], taken: Geometry, most: int, free_m: float) -> list[Floats] | None:
    """Reduce polygons until they have at most `most` vertices together; None where that cannot be.

    A dent is filled; an edge between two corners is replaced by the place where its neighbours meet; two polygons
    become their common hull. What this adds touches nothing taken.

    Parameters
    ----------
    rings
        Vertices of each, metres, shape (n, 2), the first not repeated, against the clock or with it.
    taken
        What no polygon may touch.
    most
        Vertices that all may have together.
    free_m
        Steps that move an outline by no more than this are taken in any case.
    """
    shapely.prepare(taken)
    made = [ring if shapely.is_ccw(shapely.linearrings(ring)) else ring[::-1] for ring in rings]
    steps = [_least(ring, taken) for ring in made]
    while True:
        over = sum(map(len, made)) > most
        k = min(range(len(made)), key=lambda k: steps[k].moved_m, default=-1)
        least_m = steps[k].moved_m if made else np.inf
        merged = _merged(made, taken) if over and least_m > _FAR_M else None
        if merged is not None:
            made, steps = merged, [_least(ring, taken) for ring in merged]
        elif np.isfinite(least_m) and (over or least_m <= free_m):
            made[k] = steps[k].ring
            steps[k] = _least(made[k], taken)
        else:
            return None if over else made


def _least(ring: Floats, taken: Geometry) -> _Step:
    """The lawful step that moves the outline of a polygon least; infinitely far where there is none."""
    nothing = _Step(np.inf, ring)
    if len(ring) <= 3:
        return nothing
    before, after, beyond = (np.roll(ring, k, axis=0) for k in (1, -1, -2))
    u, edge, w = ring - before, after - ring, after - beyond
    bend, chord = _cross(u, edge), np.hypot(*(after - before).T)
    with np.errstate(divide="ignore", invalid="ignore"):
        dent_m = np.where((bend <= 0) & (chord > 0), -bend / chord, np.inf)
        # The neighbours of an edge, drawn on until they meet.
        across = _cross(u, w)
        s, t = _cross(edge, w) / across, _cross(edge, u) / across
        tip_m = np.abs(s * bend) / np.hypot(*edge.T)
        tip = ring + s[:, None] * u
    corner = (bend > 0) & (np.roll(bend, -1) > 0) & (s > 0) & (t > 0) & np.isfinite(tip_m)
    moved = np.where(corner, tip_m, dent_m)
    third = np.where(corner[:, None], tip, before)
    which = np.flatnonzero(np.isfinite(moved))
    added = shapely.polygons(np.stack([ring[which], third[which], after[which], ring[which]], axis=1))
    which = which[~np.asarray(shapely.intersects(taken, added))]
    for i in which[np.argsort(moved[which], kind="stable")]:
        new = ring.copy()
        if corner[i]:
            new[i] = tip[i]
        new = np.delete(new, (i + 1) % len(ring) if corner[i] else i, axis=0)
        if Polygon(new).is_valid:
            return _Step(float(moved[i]), new)
    return nothing


def _merged(rings: list[Floats], taken: Geometry) -> list[Floats] | None:
    """The polygons with two of them in their common hull, that which adds least; None where none is free."""
    best: tuple[float, int, int, Polygon] | None = None
    for i, j in combinations(range(len(rings)), 2):
        hull = convex_hull(np.concatenate([rings[i], rings[j]]))
        assert isinstance(hull, Polygon)  # of two areas
        added = hull.area - Polygon(rings[i]).area - Polygon(rings[j]).area
        if (best is None or added < best[0]) and not shapely.intersects(taken, hull):
            best = added, i, j, hull
    if best is None:
        return None
    _, i, j, hull = best
    ring = np.array(hull.exterior.coords)[:-1]
    if not hull.exterior.is_ccw:
        ring = ring[::-1]
    return [*(r for k, r in enumerate(rings) if k not in {i, j}), ring]


def convex_hull(points: Floats) -> Polygon | LineString:
    """The hull of points, shape (n, 2): a line where they all lie on one.

    By Qhull: GEOS 3.14 draws hulls of many points, some of them a hair apart, that do not hold them.
    """
    try:
        return Polygon(points[scipy.spatial.ConvexHull(points).vertices])
    except scipy.spatial.QhullError:
        along = np.lexsort((points[:, 1], points[:, 0]))
        return LineString(points[along[[0, -1]]])


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
