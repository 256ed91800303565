"""Line of sight over terrain: what a ridge hides."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import TerrainError
from geo.terrain import MEAN_RADIUS_M, Terrain

__all__ = ["visible"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_AXIS_M, _E2 = 6_378_137.0, 0.00669437999014
"""WGS 84: semi-major axis, metres, and eccentricity squared."""
_GRAZING_M = 0.01
"""How far the ground may rise over the line, metres: on the ground's own face a line computed twice differs so."""
_FIRST = 8
"""Long lines are looked along at every eighth of their samples first: most of what hides a place is wider than that."""
_SAMPLES = 1 << 19
"""Samples looked up at once."""


def visible(
    terrain: Terrain,
    eye: tuple[ArrayLike, ArrayLike, ArrayLike],
    lat_deg: ArrayLike,
    lon_deg: ArrayLike,
    *,
    target_agl_m: float = 0.0,
) -> Bools:
    """Which points of the ground are seen from an eye.

    The straight line from the eye to the point is sampled at half the resolution of the terrain over the curved Earth:
    at the share t of the distance s it runs t (1 - t) s² / 2R below the straight line between both heights. Refraction
    is left out. Over a plane of infinite resolution the horizon decides.

    Parameters
    ----------
    terrain
        The ground.
    eye
        Latitude and longitude, degrees, and height, metres above mean sea level, of the eye, or of one for each point.
    lat_deg, lon_deg
        The points, degrees; all five figures are broadcast.
    target_agl_m
        Height above the ground of what is to be seen there, metres.

    Returns
    -------
    ndarray of bool
        In the broadcast shape; False for all from an eye below the ground, and where ground that is not known lies
        between.

    Raises
    ------
    TerrainError
        When a figure is not finite, or the ground below an eye or a point is not known.
    """
    given = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (*eye, lat_deg, lon_deg)))
    shape = given[0].shape
    lat0, lon0, height, lat1, lon1 = (v.ravel() for v in given)
    if not (np.isfinite(height).all() and math.isfinite(target_agl_m)):
        raise TerrainError("line of sight: a height of the eye or target is not finite: give metres")
    ground = terrain.elevation_m(lat0, lon0)
    target = terrain.elevation_m(lat1, lon1) + target_agl_m
    north = lat1 - lat0
    east = np.mod(lon1 - lon0 + 180.0, 360.0) - 180.0
    distance = _distance_m(lat0 + north / 2, north, east)
    seen = height >= ground - _GRAZING_M
    if math.isinf(terrain.resolution_m):
        horizon = sum(np.sqrt(2 * MEAN_RADIUS_M * np.maximum(h, 0.0)) for h in (height - ground, target - ground))
        return np.asarray(seen & (distance <= horizon)).reshape(shape)

    # The great circle beside the straight line in degrees, to the second order.
    radians = np.radians(lat0 + north / 2)
    lat_bow = np.radians(east) * east * np.sin(radians) * np.cos(radians) / 2
    lon_bow = -np.radians(north) * east * np.tan(radians)
    counts = np.ceil(distance / (terrain.resolution_m / 2)).astype(np.int64) - 1
    rounds = [(step, counts // step) for step in (_FIRST, 1)]
    pieces = (
        (step, few, own)
        for step, few in (rounds if counts.max(initial=0) >= _FIRST**2 else rounds[1:])
        for own in _pieces(few, np.flatnonzero(seen & (few > 0)))
    )
    for step, few, own in pieces:
        line = np.repeat(np.arange(len(own)), few[own])
        first = np.cumsum(few[own]) - few[own]
        share = (np.arange(len(line)) - first[line] + 1) * step / (counts[own] + 1)[line]
        bow = share * (1 - share)
        at = own[line]
        over = terrain.known_elevation_m(
            lat0[at] + share * north[at] + bow * lat_bow[at], lon0[at] + share * east[at] + bow * lon_bow[at]
        )
        over -= height[at] + share * (target - height)[at] - bow * (distance**2 / (2 * MEAN_RADIUS_M))[at]
        seen[own] = np.maximum.reduceat(over, first) <= _GRAZING_M
    return seen.reshape(shape)


def _pieces(counts: NDArray[np.int64], lines: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Some lines, in pieces of about `_SAMPLES` of the samples that each of all has."""
    ends = np.cumsum(counts[lines])
    start = 0
    while start < len(lines):
        begun = int(ends[start] - counts[lines[start]])
        stop = max(start + 1, int(np.searchsorted(ends, begun + _SAMPLES, side="right")))
        yield lines[start:stop]
        start = stop


def _distance_m(middle_deg: Floats, north_deg: Floats, east_deg: Floats) -> Floats:
    """Distance by the radii of curvature half-way: to a millionth at 10 km, a thousandth at 200 km."""
    middle = np.radians(middle_deg)
    w = 1 - _E2 * np.sin(middle) ** 2
    meridian, parallel = _AXIS_M * (1 - _E2) / w**1.5, _AXIS_M / np.sqrt(w) * np.cos(middle)
    return np.asarray(np.hypot(meridian * np.radians(north_deg), parallel * np.radians(east_deg)))
