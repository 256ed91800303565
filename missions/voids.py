"""Ground without elevation, as areas that ways lead round."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import Terrain
from missions.plane import Plane
from missions.profile import sampled

__all__ = ["avoided", "beside_voids", "unknown_on", "void_areas"]

Floats = NDArray[np.float64]

_AROUND_M = 3000.0
"""How far beyond the ways the ground is looked at, metres: so far they may be led round a void."""

_MOST_SIDE = 1500
"""Into how many cells the ground is divided along each side, most."""

_NEAR_M = 1500.0
"""How far about a place the ground is looked at again, closer, metres."""

_ROUNDS, _PLACES = 8, 20
"""How often ways are sought anew because of voids that were missed, most, and about how many places each time."""


def avoided(terrain: Terrain, plane: Plane, ways: Floats, seek: Callable[[list[shapely.Geometry]], Floats]) -> None:
    """Have ways sought round what is not known of the ground, until none leads over it, or no more is found of it.

    Of a box so wide that its cells are coarser than the terrain a void that is narrower than they are is missed at
    first. Where a way leads over one all the same, the ground about that place is looked at closer, and all are sought
    anew.

    Parameters
    ----------
    terrain, plane
        The ground, and the plane of the ways.
    ways
        Vertices of the ways that lead over it now, metres, shape (n, 2).
    seek
        Seeks ways round areas; gives a place below each that leads over unknown ground all the same, shape (k, 2).
    """
    voids = void_areas(terrain, plane, ways)
    for _ in range(_ROUNDS):
        missed = seek(voids)
        if not len(missed):
            return
        # One look at places side by side.
        first = np.unique(np.round(missed / _NEAR_M), axis=0, return_index=True)[1]
        closer = missed[np.sort(first)[:_PLACES]]
        more = [_areas(terrain, plane, at - _NEAR_M, at + _NEAR_M) for at in closer]
        known = shapely.union_all(voids)
        fresh = [part for own in more for part in own if not shapely.covers(known, part)]
        if not fresh:
            return
        voids = [*voids, *fresh]
    # What was found last is led round too.
    seek(voids)


def void_areas(terrain: Terrain, plane: Plane, ways: Floats) -> list[shapely.Geometry]:
    """Areas, metres in a plane, in and near the box round some ways, that hold all ground without elevation there.

    Of a box so wide that its cells are coarser than the terrain, a void that is narrower than they are may be missing.

    Parameters
    ----------
    terrain
        The ground.
    plane, ways
        The plane, and vertices in it, metres, shape (n, 2).
    """
    return _areas(terrain, plane, ways.min(axis=0) - _AROUND_M, ways.max(axis=0) + _AROUND_M)


def unknown_on(way: Floats, terrain: Terrain, plane: Plane) -> Floats | None:
    """The first place of a way, metres in a plane, shape (n, 2), below which there is no elevation; None for none."""
    points = sampled(way, terrain.resolution_m)
    unknown = np.isnan(terrain.known_elevation_m(*plane.lat_lon(points)))
    return np.asarray(points[int(np.argmax(unknown))]) if unknown.any() else None


def beside_voids(rail: Floats, voids: Sequence[shapely.Geometry]) -> list[Floats]:
    """What of a line of vertices, metres, shape (n, 2), touches no void."""
    pieces = shapely.linestrings(np.stack([rail[:-1], rail[1:]], axis=1))
    cuts = np.flatnonzero(shapely.intersects(pieces, shapely.union_all(voids))) + 1
    return [run for run in np.split(rail, cuts) if len(run) > 1]


def _areas(terrain: Terrain, plane: Plane, low: Floats, high: Floats) -> list[shapely.Geometry]:
    """Areas that hold all ground without elevation in a box, as far as its cells show it."""
    step_m = max(terrain.resolution_m / 2, float((high - low).max()) / _MOST_SIDE)
    x, y = (np.arange(a, b + step_m, step_m) for a, b in zip(low, high, strict=True))
    missing = np.isnan(terrain.known_elevation_m(*plane.lat_lon(np.stack(np.meshgrid(x, y), axis=-1))))
    boxes = []
    for row, north in zip(missing, y, strict=True):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(int)))
        starts, stops = x[edges[::2]], x[edges[1::2] - 1]
        # From one cell to the next, and so far beyond the outer ones.
        boxes.append(shapely.box(starts - step_m, north - step_m, stops + step_m, north + step_m))
    whole = shapely.union_all(np.concatenate(boxes))
    # Simplified by no more than it is grown by.
    grown = shapely.simplify(shapely.buffer(whole, step_m * math.sqrt(0.5), quad_segs=2), step_m / 2)
    return [part for part in shapely.get_parts(grown) if not part.is_empty]
