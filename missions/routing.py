"""Shortest lawful ways round walls and zones, in one plane, metres.

A visibility graph: its nodes are the corners of the zones, grown a little, and the vertices of rails, lines that are
known to be lawful; its edges are straight pieces that touch nothing. Along a rail, besides its own pieces, there are
edges between vertices at strides of powers of two, which find the short cuts across bays. Shortest ways are Dijkstra's
over that graph, and are then pulled taut.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
import shapely
from numpy.typing import NDArray
from shapely import Geometry

__all__ = ["Passage", "Router", "Ways"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CLEAR_M = 1.0
"""How far off an obstacle its corners are passed, metres."""

_MOST_CORNERS = 160
_ROUNDS = (1.5, 3.0, 6.0, math.inf)
"""Up to how many times as long as straight ways to one place are looked for, one after the other until there is one."""

_MANY = 500
"""From so many pieces on it is worth while to try them against the bones of the obstacles first."""

_DEPTH, _PLAIN = 0.15, 0.9
"""How deep bones lie, as a share of the half-width of an obstacle, and how far they may be off, as a share of that."""

_BARELY_M = 1e-3
"""A hair of length on every edge: it prefers one straight piece to many."""


@dataclass(frozen=True)
class Ways:
    """The cheapest ways between all of some points.

    Parameters
    ----------
    cost
        From each point to each, shape (n, n); infinite where there is none.
    """

    cost: Floats
    _nodes: Floats
    _before: NDArray[np.int32]

    def way(self, start: int, stop: int) -> Floats:
        """Vertices from one point to another, ends included, metres, shape (m, 2); there has to be a way."""
        return self._nodes[_path(self._before[start], stop)]


class Router:
    """Finds ways that touch no obstacle.

    Parameters
    ----------
    obstacles
        What must not be touched: polygons and lines. Points on ways are given by the caller and are taken as they are.
    corners_of
        Those obstacles whose corners ways may bend round; all by default. A wall that a rail runs along needs none.
    rails
        Lines known to be lawful, each of shape (n, 2).
    """

    def __init__(
        self,
        obstacles: Sequence[Geometry],
        *,
        corners_of: Sequence[Geometry] | None = None,
        rails: Sequence[Floats] = (),
    ) -> None:
        self._blocked = shapely.union_all(list(obstacles)) if len(obstacles) else shapely.Point()
        shapely.prepare(self._blocked)
        self._bones: Geometry | None = None
        self._corners = self._outside(_corners(obstacles if corners_of is None else corners_of))
        self._rails = [np.asarray(rail, dtype=float) for rail in rails if len(rail)]

    def clear(self, start: Floats, stop: Floats) -> NDArray[np.bool_]:
        """Whether straight pieces, ends of shape (n, 2), touch no obstacle."""
        lines = np.asarray(shapely.linestrings(np.stack(np.broadcast_arrays(start, stop), axis=1)))
        if len(lines) < _MANY:
            return np.asarray(~shapely.intersects(self._blocked, lines))
        if self._bones is None:
            self._bones = _bones(self._blocked)
            shapely.prepare(self._bones)
        left = np.flatnonzero(~np.asarray(shapely.intersects(self._bones, lines)))
        clear = np.zeros(len(lines), dtype=bool)
        clear[left] = ~np.asarray(shapely.intersects(self._blocked, lines[left]))
        return clear

    def ways(self, start_xy: Floats, targets_xy: Floats) -> tuple[Floats, list[Floats]]:
        """Shortest ways from a point to others.

        Parameters
        ----------
        start_xy
            Where ways begin, shape (2,).
        targets_xy
            Where they end, shape (n, 2).

        Returns
        -------
        tuple
            Lengths, metres, shape (n,), infinite where there is none; and the vertices of each, ends included, shape
            (m, 2), empty where there is none.
        """
        start, targets = np.asarray(start_xy, dtype=float), np.atleast_2d(np.asarray(targets_xy, dtype=float))
        direct = self.clear(np.broadcast_to(start, targets.shape), targets)
        length = np.where(direct, np.hypot(*(targets - start).T), np.inf)
        found: list[Floats] = [
            np.stack([start, target]) if seen else np.empty((0, 2))
            for target, seen in zip(targets, direct, strict=True)
        ]
        hidden = np.flatnonzero(~direct)
        if hidden.size:
            self._round_corners(start, targets, hidden, length, found)
        return length, found

    def between(self, points_xy: Floats, cost: Callable[[Floats], Floats]) -> Ways:
        """Cheapest ways from every one of some points to every other.

        Parameters
        ----------
        points_xy
            The points, metres, shape (n, 2).
        cost
            Of straight pieces, given as vectors of shape (m, 2), metres; it may depend on their direction.
        """
        points = np.asarray(points_xy, dtype=float)
        rails = np.concatenate(self._rails) if self._rails else np.empty((0, 2))
        nodes = np.concatenate([points, self._corners, rails])
        free = np.arange(len(points) + len(self._corners))
        tested = [np.stack(np.triu_indices(len(free), 1), axis=-1)]
        lawful = []
        begin = len(free)
        for rail in self._rails:
            count = len(rail)
            tested += [np.stack([np.arange(count - k), np.arange(k, count)], axis=-1) + begin for k in _strides(count)]
            lawful.append(np.stack([np.arange(count - 1), np.arange(1, count)], axis=-1) + begin)
            # A point at the end of a rail is on it.
            for end in (0, count - 1):
                here = np.flatnonzero((np.abs(points - rail[end]) < _BARELY_M).all(axis=1))
                lawful.append(np.stack([here, np.full(len(here), begin + end)], axis=-1))
            begin += count
        lawful.append(_met(rails) + len(free))
        some = np.concatenate(tested)
        kept = np.concatenate([some[self.clear(nodes[some[:, 0]], nodes[some[:, 1]])], *lawful])
        kept = np.unique(np.sort(kept, axis=1), axis=0)
        both = np.concatenate([kept, kept[:, ::-1]])
        weight = np.asarray(cost(nodes[both[:, 1]] - nodes[both[:, 0]])) + _BARELY_M
        open_ = np.isfinite(weight)
        graph = scipy.sparse.csr_matrix((weight[open_], tuple(both[open_].T)), shape=(len(nodes), len(nodes)))
        found, before = scipy.sparse.csgraph.dijkstra(graph, indices=np.arange(len(points)), return_predecessors=True)
        return Ways(found[:, : len(points)], nodes, before)

    def _round_corners(self, start: Floats, targets: Floats, hidden: Ints, length: Floats, found: list[Floats]) -> None:
        rail_nodes = np.concatenate(self._rails) if self._rails else np.empty((0, 2))
        nodes = np.concatenate([start[None], self._corners, rail_nodes, targets[hidden]])
        corner_end = 1 + len(self._corners)
        rail_end = corner_end + len(rail_nodes)
        everything = np.arange(len(nodes))
        edges = [_pairs(everything[:1], everything[1:rail_end])]
        lawful: list[Ints] = []
        longer: list[Ints] = []
        begin = corner_end
        for rail in self._rails:
            count = len(rail)
            longer += [
                np.stack([np.arange(count - k), np.arange(k, count)], axis=-1) + begin for k in _strides(count)[1:]
            ]
            lawful.append(np.stack([np.arange(count - 1), np.arange(1, count)], axis=-1) + begin)
            begin += count
        lawful.append(_met(rail_nodes) + corner_end)
        open_ = np.arange(corner_end, len(nodes))
        if len(rail_nodes):
            # A target on a rail is reached along it, from the vertices nearest to it; of a vertex all is known.
            near, away_m = shapely.STRtree(np.asarray(shapely.points(rail_nodes))).query_nearest(
                shapely.points(targets[hidden]), all_matches=False, return_distance=True
            )
            at_one = away_m < _BARELY_M
            lawful.append((near.T + np.array([rail_end, corner_end]))[at_one])
            for step in (-1, 0, 1):
                other = np.clip(near[1] + step, 0, len(rail_nodes) - 1) + corner_end
                edges.append(np.stack([near[0] + rail_end, other], axis=-1)[~at_one])
            open_ = np.delete(open_, len(rail_nodes) + near[0][at_one])
        corners = _pairs(everything[1:corner_end], everything[1:corner_end])
        corners = corners[corners[:, 0] < corners[:, 1]]
        beyond = _pairs(everything[1:corner_end], open_)
        if len(hidden) == 1 and not len(rail_nodes):
            seen = self._towards_one(nodes, np.concatenate([*edges, beyond]), corners)
        else:
            # How far it is by some edges says which of the others may be of use.
            seen = np.concatenate([self._seen(nodes, np.concatenate(edges)), *lawful])
            for others in filter(len, (np.concatenate([*longer, corners]), beyond)):
                reached = _reached(nodes, seen)[0]
                useful = _may_be_shorter(nodes, others, reached, reached[rail_end:])
                seen = np.concatenate([seen, self._seen(nodes, others[useful])])
        distance, previous = _reached(nodes, seen)
        last = rail_end + np.flatnonzero(np.isfinite(distance[rail_end:]))
        before = self._hops(last, previous, nodes)
        for node in last.tolist():
            target = int(hidden[node - rail_end])
            found[target] = way = nodes[_path(before, node)]
            length[target] = float(np.hypot(*np.diff(way, axis=0).T).sum())

    def _seen(self, nodes: Floats, edges: Ints) -> Ints:
        """Those of some edges, pairs of nodes, that touch nothing."""
        edges = edges[edges[:, 0] != edges[:, 1]]
        return edges[self.clear(nodes[edges[:, 0]], nodes[edges[:, 1]])]

    def _towards_one(self, nodes: Floats, ends: Ints, corners: Ints) -> Ints:
        """Edges that touch nothing, those on the shortest way from the first node to the last among them.

        Those are tried that may be part of a way of some length, and of a greater one until there is one within it.
        """
        seen = self._seen(nodes, ends)
        reached, left = _reached(nodes, seen)[0], corners
        straight = float(np.hypot(*(nodes[-1] - nodes[0])))
        for limit in (times * straight for times in _ROUNDS):
            useful = _may_be_shorter(nodes, left, reached, np.array([min(limit, reached[-1])]))
            seen, left = np.concatenate([seen, self._seen(nodes, left[useful])]), left[~useful]
            reached = _reached(nodes, seen)[0]
            if reached[-1] <= limit:
                break
        return seen

    def _hops(self, ends: Ints, previous: NDArray[np.int32], nodes: Floats) -> NDArray[np.int32]:
        """The node before each on ways to some ends that are pulled taut: the first one of its way that it sees.

        `previous` has the node before each on a way that is lawful, which there is to all of them.
        """
        before = np.full_like(previous, -1)
        due = ends
        while len(due):
            ways = [np.array(_path(previous, node)[:-1]) for node in due.tolist()]
            first = np.cumsum([0, *map(len, ways)])
            which = np.repeat(np.arange(len(due)), np.diff(first))
            earlier = np.concatenate(ways)
            seen = self.clear(nodes[due[which]], nodes[earlier])
            # The piece before it on the way is lawful by itself.
            seen[first[1:] - 1] = True
            at = np.flatnonzero(seen)
            before[due] = earlier[at[np.searchsorted(at, first[:-1])]]
            due = np.unique(before[due])
            due = due[(due != 0) & (before[due] < 0)]
        return before

    def _outside(self, points: Floats) -> Floats:
        if not len(points):
            return points
        return points[~np.asarray(shapely.intersects(self._blocked, shapely.points(points)))]


def _bones(blocked: Geometry) -> Geometry:
    """Lines of few vertices deep in obstacles: what touches them is shut, and most of what is shut touches them.

    They are the outlines of the obstacles made smaller, without the vertices that move them by less than that.
    """
    lines = []
    for part in shapely.get_parts(blocked):
        around_m = shapely.length(part)
        depth_m = _DEPTH * shapely.area(part) / around_m if around_m else 0.0
        if depth_m > 0:
            inner = shapely.boundary(shapely.buffer(part, -depth_m, quad_segs=1))
            lines.append(shapely.simplify(inner, _PLAIN * depth_m, preserve_topology=False))
    return shapely.union_all(lines) if lines else shapely.Point()


def _corners(obstacles: Sequence[Geometry]) -> Floats:
    """Corners that a shortest way may bend round: the convex ones of the obstacles, grown and then simplified.

    Growing by twice what simplifying may take back leaves every corner outside its obstacle.
    """
    if not len(obstacles):
        return np.empty((0, 2))
    whole = shapely.union_all(list(obstacles))
    tolerance = _CLEAR_M
    while True:
        grown = shapely.simplify(shapely.buffer(whole, 2 * tolerance, quad_segs=4), tolerance)
        out = []
        for part in shapely.get_parts(grown):
            for ring in (
                shapely.get_exterior_ring(part),
                *(shapely.get_interior_ring(part, k) for k in range(shapely.get_num_interior_rings(part))),
            ):
                points = shapely.get_coordinates(ring)[:-1]
                if len(points) < 3:
                    continue
                before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
                turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
                hole = ring is not None and not shapely.equals(ring, shapely.get_exterior_ring(part))
                anticlockwise = bool(shapely.is_ccw(ring))
                # On the outline the obstacle lies within, on a hole without.
                out.append(points[(turn > 0) == (anticlockwise != hole)])
        corners = np.concatenate(out) if out else np.empty((0, 2))
        if len(corners) <= _MOST_CORNERS or tolerance > 500:
            return corners
        tolerance *= 2


@dataclass(frozen=True, slots=True)
class Passage:
    """What is open to fly through, by a router: whole ways, as `missions.joining.Open` asks for them, metres."""

    router: Router

    def clear(self, way: Floats) -> bool:
        """Whether a way, shape (n, 2), touches nothing that is shut."""
        return bool(self.router.clear(way[:-1], way[1:]).all())

    def route(self, start: Floats, stop: Floats) -> Floats | None:
        """Vertices of the shortest way between two places, ends included; None where there is none."""
        lengths, ways = self.router.ways(start, stop[None])
        return ways[0] if np.isfinite(lengths[0]) else None


def _reached(nodes: Floats, edges: Ints) -> tuple[Floats, NDArray[np.int32]]:
    """How far it is from the first node to each along edges, and the node before it there; infinite for no way."""
    kept = np.unique(np.sort(edges, axis=1), axis=0)
    weight = np.hypot(*(nodes[kept[:, 0]] - nodes[kept[:, 1]]).T) + _BARELY_M
    graph = scipy.sparse.csr_matrix((weight, (kept[:, 0], kept[:, 1])), shape=(len(nodes), len(nodes)))
    found, before = scipy.sparse.csgraph.dijkstra(
        graph, directed=False, indices=np.array([0]), return_predecessors=True
    )
    return found[0], before[0]


def _may_be_shorter(nodes: Floats, edges: Ints, reached: Floats, longest: Floats) -> NDArray[np.bool_]:
    """Which edges may be on a shortest way to a target, whatever stands between: most need not be tried.

    A way over an edge is no shorter than straight to its beginning and along it. `reached` says how long a way to its
    end is known already, and `longest` how long those to the targets, the last of the nodes, need be at most: from the
    end of the edge it goes on to one of them.
    """
    targets = nodes[-len(longest) :]
    onward = np.hypot(*(nodes[:, None] - targets).transpose(2, 0, 1))
    most = np.minimum(reached, (longest - onward).max(axis=1))
    straight = np.hypot(*(nodes - nodes[0]).T)
    length = np.hypot(*(nodes[edges[:, 0]] - nodes[edges[:, 1]]).T)
    first, second = edges.T
    return np.asarray((straight[first] + length <= most[second]) | (straight[second] + length <= most[first]))


def _pairs(a: Ints, b: Ints) -> Ints:
    first, second = np.meshgrid(a, b, indexing="ij")
    return np.stack([first.ravel(), second.ravel()], axis=-1)


def _met(rail_nodes: Floats) -> Ints:
    """Pairs of vertices of rails that are one place, as where a ring begins and ends: one goes on along either."""
    order = np.lexsort(rail_nodes.T)
    pairs = np.stack([order[:-1], order[1:]], axis=-1)
    return pairs[(np.abs(rail_nodes[pairs[:, 0]] - rail_nodes[pairs[:, 1]]) < _BARELY_M).all(axis=1)]


def _strides(count: int) -> list[int]:
    return [1, *(2**k for k in range(1, max(1, math.ceil(math.log2(max(2, count))))))]


def _path(previous: NDArray[np.int32], node: int) -> list[int]:
    out = []
    while node >= 0:
        out.append(node)
        node = int(previous[node])
    return out[::-1]
