"""The sleeve of a closed way: the triangles of the free ground that it cannot but pass.

Every way that goes round the same things passes through the same triangles of a triangulation, in the same order, and
turns back in none of them but where it likes to (J. Hershberger and J. Snoeyink, Computing minimum length paths of a
given homotopy class, 1994). The edges between them are gates, and a way through all gates goes round the same things.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

__all__ = ["sleeve"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]


def sleeve(ring: Floats, free: Polygon) -> tuple[Floats, Floats] | None:
    """The gates that a closed way must pass, in its direction.

    Parameters
    ----------
    ring
        Vertices of the way, shape (n, 2), the first not repeated.
    free
        The ground that it lies in, clear of its edges.

    Returns
    -------
    tuple of ndarray or None
        The left and the right end of each gate, shape (m, 2); None where the way goes round nothing.
    """
    edges = _inner_edges(free)
    closed = np.concatenate([ring, ring[:1]])
    pieces = shapely.linestrings(np.stack([closed[:-1], closed[1:]], axis=1))
    which, met = shapely.STRtree(np.asarray(shapely.linestrings(edges))).query(pieces, predicate="intersects")
    begin, edge = edges[met, 0], edges[met, 1] - edges[met, 0]
    from_, to = _cross(edge, closed[which] - begin), _cross(edge, closed[which + 1] - begin)
    # A vertex right on an edge lies on its left: so of two pieces that meet there at most one passes it.
    passes = (from_ >= 0) != (to >= 0)
    which, met, from_, to = which[passes], met[passes], from_[passes], to[passes]
    at = from_ / (from_ - to)
    order = np.lexsort((at, which))
    gates: list[tuple[int, bool]] = []
    for number, leftwards in zip(met[order].tolist(), (to > from_)[order].tolist(), strict=True):
        if gates and gates[-1][0] == number:
            # In and out again.
            gates.pop()
        else:
            gates.append((number, leftwards))
    while len(gates) > 1 and gates[0][0] == gates[-1][0]:
        gates = gates[1:-1]
    if len(gates) < 3:
        return None
    numbers, leftward = np.array([number for number, _ in gates]), np.array([left for _, left in gates])
    first, second = edges[numbers, 0], edges[numbers, 1]
    return np.where(leftward[:, None], first, second), np.where(leftward[:, None], second, first)


def _inner_edges(free: Polygon) -> Floats:
    """Edges of a triangulation of an area that are none of the area itself, shape (n, 2, 2)."""
    triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(free))
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)
    edges = np.stack([corners[:, :-1], corners[:, 1:]], axis=2).reshape(-1, 2, 2)
    (ax, ay), (bx, by) = edges[:, 0].T, edges[:, 1].T
    turned = (ax > bx) | ((ax == bx) & (ay > by))
    edges[turned] = edges[turned][:, ::-1]
    found, times = np.unique(edges.reshape(-1, 4), axis=0, return_counts=True)
    return np.asarray(found[times == 2].reshape(-1, 2, 2))


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
