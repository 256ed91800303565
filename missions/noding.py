"""Lines with a vertex wherever they touch or cross each other or themselves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiLineString

__all__ = ["noded"]

Floats = NDArray[np.float64]


def noded(lines: Sequence[Floats], same: float) -> tuple[list[Floats], bool]:
    """Lines with more vertices, where they meet.

    Parameters
    ----------
    lines
        Vertices of each, shape (n, 2), in a plane.
    same
        A vertex that is no further than this from where lines meet, in each coordinate, is moved to that place.

    Returns
    -------
    tuple
        The lines, with the same numbers at a place wherever they pass it; and whether any runs along another or along
        itself for a stretch, at both ends of which there is a vertex then.
    """
    if shapely.is_simple(MultiLineString(list(lines))):
        return list(lines), False
    starts = np.concatenate([line[:-1] for line in lines])
    stops = np.concatenate([line[1:] for line in lines])
    first_edges = np.cumsum([0, *(len(line) - 1 for line in lines)]).tolist()
    edges = np.asarray(shapely.linestrings(np.stack([starts, stops], axis=1)))
    more: dict[int, dict[float, Floats]] = {}
    moved: dict[tuple[float, ...], Floats] = {}
    along = False
    for i, j in _meeting(edges, first_edges, starts, stops):
        met = shapely.intersection(edges[i], edges[j])
        along |= met.geom_type != "Point"
        for place in shapely.get_coordinates(met):
            ends = {tuple(v.tolist()): v for k in (i, j) for v in (starts[k], stops[k]) if _near(v, place, same)}
            node = next(iter(ends.values()), place)
            moved |= dict.fromkeys(list(ends)[1:], node)
            for k in (i, j):
                if not any(_near(v, node, same) for v in (starts[k], stops[k])):
                    step = stops[k] - starts[k]
                    more.setdefault(k, {})[float(np.dot(node - starts[k], step) / np.dot(step, step))] = node
    out = []
    for a, line in zip(first_edges, lines, strict=False):
        points: list[Floats] = []
        for k, vertex in enumerate(line):
            points.append(moved.get(tuple(vertex.tolist()), vertex) if moved else vertex)
            if k < len(line) - 1:
                points += [place for _, place in sorted(more.get(a + k, {}).items())]
        out.append(np.array(points))
    return out, along


def _meeting(
    edges: NDArray[np.object_], first_edges: Sequence[int], starts: Floats, stops: Floats
) -> list[tuple[int, int]]:
    """The pairs of edges that meet, but for neighbours in a line.

    Neighbours share a vertex, and no more: what ran back on itself there is left out of every border.
    """
    first, second = shapely.STRtree(edges).query(edges, predicate="intersects")
    later = (second - first > 1) | ((second > first) & np.isin(second, first_edges[:-1]))
    for a, b in pairwise(first_edges):
        if b - a > 1 and np.array_equal(starts[a], stops[b - 1]):
            later &= ~((first == a) & (second == b - 1))
    return list(zip(first[later].tolist(), second[later].tolist(), strict=True))


def _near(one: Floats, other: Floats, same: float) -> bool:
    return bool(np.abs(one - other).max() <= same)
