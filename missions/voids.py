"""Ground without elevation, as areas that ways lead round."""

from __future__ import annotations

import math

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import Terrain
from missions.plane import Plane

__all__ = ["void_areas"]

Floats = NDArray[np.float64]

_AROUND_M = 3000.0
"""How far beyond the ways the ground is looked at, metres: so far they may be led round a void."""

_MOST_SIDE = 1500
"""Into how many cells the ground is divided along each side, most."""


def void_areas(terrain: Terrain, plane: Plane, ways: Floats) -> list[shapely.Geometry]:
    """Areas, metres in a plane, in and near the box round some ways, that hold all ground without elevation there.

    Of a box so wide that its cells are coarser than the terrain, a void that is narrower than they are may be missing.

    Parameters
    ----------
    ways
        Vertices, metres in the plane, shape (n, 2).
    """
    low, high = ways.min(axis=0) - _AROUND_M, ways.max(axis=0) + _AROUND_M
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
