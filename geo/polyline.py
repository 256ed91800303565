"""Polylines: bent as degrees are, and where points lie beside one: how far along, how far off, on which side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo.errors import CoordinateError
from geo.frames import geodesic_distance_m

__all__ = ["LinePosition", "densify", "locate", "unwrap_longitudes", "wrap_longitudes"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_TRIED = 5_000
_TRIED_AN_EDGE = 50
_TRIED_A_POINT = 250
"""Pairs of point and edge that are tried in the time that a tree over the edges takes: at all, an edge, a point."""

_AT_ONCE = 50_000
"""So many of them at a time: what is worked out for them stays in the cache of the processor."""


@dataclass(frozen=True, slots=True)
class LinePosition:
    """Positions of n points beside a polyline, each array of shape (n,).

    Parameters
    ----------
    along_m
        Distance along the line of the nearest point on it, metres from its first vertex.
    offset_m
        Signed distance to the line, metres: positive on its left, negative on its right.
    beyond
        True where the nearest point is an end of the line and the point lies past that end: side means nothing there.
        A closed line has no end.
    """

    along_m: Floats
    offset_m: Floats
    beyond: NDArray[np.bool_]


def unwrap_longitudes(lon_deg: ArrayLike) -> Floats:
    """Longitudes of a line without the jump at the antimeridian: each edge goes the short way round.

    Parameters
    ----------
    lon_deg
        Longitudes in order, degrees, shape (n,).

    Returns
    -------
    array
        The same longitudes, some of them a multiple of 360 degrees away, so that neighbours differ by at most 180;
        the first is as it was given, and so are all where the line does not jump.
    """
    lon = np.asarray(lon_deg, dtype=float)
    turns = np.round(np.diff(lon) / 360.0)
    if not turns.any():
        return lon
    return lon - 360.0 * np.concatenate([[0.0], np.cumsum(turns)])


def wrap_longitudes(lon_deg: ArrayLike) -> Floats:
    """Longitudes brought within ±180 degrees; those that are within it stay exactly as they are."""
    lon = np.asarray(lon_deg, dtype=float)
    return np.where(np.abs(lon) <= 180.0, lon, lon - 360.0 * np.round(lon / 360.0))


def densify(lat_deg: ArrayLike, lon_deg: ArrayLike, step_m: float = 500.0) -> tuple[Floats, Floats]:
    """Add points to a polyline that is straight in degrees (RFC 7946, 3.1.1), so that it may be drawn in metres.

    A line straight in metres between two points of a parallel, L apart, lies up to L² tan(lat) / 8R beside it: 5 m
    for 20 km at 31 degrees, 3 mm for 500 m. An edge that jumps by more than 180 degrees of longitude goes the short
    way, across the antimeridian.

    Parameters
    ----------
    lat_deg, lon_deg
        Vertices in order, degrees WGS 84, each of shape (n,), n >= 2.
    step_m
        Longest edge wanted, metres, above zero; longer ones are cut into equal parts of degrees, so that one of them
        may be longer by what a degree of longitude grows along the edge.

    Returns
    -------
    tuple of arrays
        Latitudes and longitudes, degrees, each of shape (m,), m >= n; the vertices given are among them, unchanged.
    """
    lat, lon = np.asarray(lat_deg, dtype=float), np.asarray(lon_deg, dtype=float)
    lengths = geodesic_distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
    parts = np.maximum(1, np.ceil(lengths / step_m)).astype(int)
    first = np.concatenate([[0], np.cumsum(parts)])
    at = np.arange(first[-1] + 1)
    unwrapped = unwrap_longitudes(lon)
    dense = np.interp(at, first, unwrapped)
    if unwrapped is not lon:
        dense = wrap_longitudes(dense)
        dense[first] = lon
    return np.interp(at, first, lat), dense


def locate(line_xy: ArrayLike, points_xy: ArrayLike) -> LinePosition:
    """Place points beside a polyline, both in the same plane, metres.

    Parameters
    ----------
    line_xy
        Vertices in order, shape (m, 2), m >= 2; left is to the left of the direction of travel. A line that ends
        where it begins, with three other vertices or more edges between, is a ring.
    points_xy
        Points, shape (n, 2).

    Raises
    ------
    CoordinateError
        When the line has no length.

    Notes
    -----
    At a vertex the side comes from the cross product with the sum of the unit directions of both neighbours, so that
    a point in the wedge of a sharp corner keeps the side of the region it lies in. Where several edges are equally
    near, the first counts. Many points beside a long line are found through a tree of its edges: 20,000 beside
    50,000 vertices take some tenths of a second.
    """
    line = np.asarray(line_xy, dtype=float)
    points = np.atleast_2d(np.asarray(points_xy, dtype=float))
    keep = np.append(True, np.any(np.diff(line, axis=0) != 0, axis=1))
    line = line[keep]
    if len(line) < 2:
        raise CoordinateError("the line has no length: give at least two different points")
    steps = np.diff(line, axis=0)
    lengths = np.hypot(*steps.T)
    unit = steps / lengths[:, None]
    starts = np.concatenate([[0.0], np.cumsum(lengths)])
    closed = len(line) > 3 and bool(np.all(line[0] == line[-1]))

    segment = _nearest_edge(line, unit, lengths, points)
    raw = np.einsum("nk,nk->n", points - line[segment], unit[segment])
    clipped = np.clip(raw, 0.0, lengths[segment])
    last = len(lengths) - 1
    before, after = raw < 0, raw > lengths[segment]
    at_start = before & ((segment > 0) | closed)
    at_end = after & ((segment < last) | closed)
    direction = unit[segment].copy()
    # Index -1 is the last edge: the one before the first of a ring.
    direction[at_start] += unit[segment[at_start] - 1]
    direction[at_end] += unit[(segment[at_end] + 1) % len(unit)]
    offset = points - (line[segment] + clipped[:, None] * unit[segment])
    side = np.where(direction[:, 0] * offset[:, 1] - direction[:, 1] * offset[:, 0] >= 0, 1.0, -1.0)
    beyond = (before & ~at_start) | (after & ~at_end)
    return LinePosition(starts[segment] + clipped, side * np.hypot(*offset.T), beyond)


def _nearest_edge(line: Floats, unit: Floats, lengths: Floats, points: Floats) -> Integers:
    """Index of the edge nearest to each point, the first of several."""
    count = len(points)
    if count * len(unit) <= _TRIED + _TRIED_AN_EDGE * len(unit) + _TRIED_A_POINT * count:
        return _tried(line, unit, lengths, points)
    # A point that is no number is near to nothing: the tree has no answer for it, the first edge stands in.
    nearest = np.zeros(count, dtype=np.int64)
    at, edge = _tree(line.tobytes()).query_nearest(shapely.points(points), all_matches=True)
    # Most points have one such edge; to choose among several costs more than to find them.
    same = at[1:] == at[:-1]
    several = np.zeros(len(at), dtype=bool)
    several[1:] |= same
    several[:-1] |= same
    nearest[at[~several]] = edge[~several]
    at, edge = at[several], edge[several]
    order = np.lexsort((edge, _distance(points[at] - line[edge], unit[edge], lengths[edge]), at))
    at, edge = at[order], edge[order]
    found, first = np.unique(at, return_index=True)
    nearest[found] = edge[first]
    return nearest


def _tried(line: Floats, unit: Floats, lengths: Floats, points: Floats) -> Integers:
    """Index of the edge nearest to each point, the first of several, every edge tried for every point."""
    nearest = np.empty(len(points), dtype=np.int64)
    (start_x, start_y), (unit_x, unit_y) = line[:-1].T, unit.T
    step = max(1, _AT_ONCE // len(unit))
    for first in range(0, len(points), step):
        own = points[first : first + step]
        x, y = own[:, :1] - start_x, own[:, 1:] - start_y
        along = np.clip(x * unit_x + y * unit_y, 0.0, lengths)
        square = (x - along * unit_x) ** 2 + (y - along * unit_y) ** 2
        nearest[first : first + step] = np.argmin(square, axis=1)
    return nearest


@lru_cache(maxsize=8)
def _tree(line: bytes) -> shapely.STRtree:
    """Edges of a line, given as its bytes: of one border hundreds of lots of points are asked."""
    xy = np.frombuffer(line).reshape(-1, 2)
    edges = np.asarray(shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1)))
    return shapely.STRtree(edges)


def _distance(relative: Floats, unit: Floats, lengths: Floats) -> Floats:
    """Distances of points from an edge each: points from its start, its direction, its length."""
    along = np.clip(np.einsum("nk,nk->n", relative, unit), 0.0, lengths)
    return np.asarray(np.hypot(*(relative - along[:, None] * unit).T), dtype=np.float64)
