"""The sleeve of a closed way: the triangles of the free ground that it cannot but pass.

Every way that goes round the same things passes through the same triangles of a triangulation, in the same order, and
turns back in none of them but where it likes to (J. Hershberger and J. Snoeyink, Computing minimum length paths of a
given homotopy class, 1994). The edges between them are gates, and a way through all gates goes round the same things.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

__all__ = ["sleeve"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

_ROUNDING = 4e-16
"""What rounding may take of such an area, as a share of the products that it is the difference of (J. R. Shewchuk,
Adaptive precision floating-point arithmetic and fast robust geometric predicates, 1997: 3.4e-16)."""


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
    from_, to = (_left_of(edges[met], closed[which + after]) for after in (0, 1))
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


def _left_of(edges: Floats, points: Floats) -> Floats:
    """Twice the area that a point makes with an edge, above zero on its left, with the right sign, shape (n,).

    What meets is found without rounding, and so is the side: of two pieces that meet beside an edge it would else be
    the one that is not met that passes it, and neither would.
    """
    u, v = edges[:, 1] - edges[:, 0], points - edges[:, 0]
    one, other = u[:, 0] * v[:, 1], u[:, 1] * v[:, 0]
    out = one - other
    for k in np.flatnonzero(np.abs(out) <= _ROUNDING * (np.abs(one) + np.abs(other))):
        (ax, ay), (bx, by), (px, py) = (map(Fraction, p) for p in (*edges[k].tolist(), points[k].tolist()))
        out[k] = float((bx - ax) * (py - ay) - (by - ay) * (px - ax))
    return np.asarray(out)
