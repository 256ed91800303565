"""Lines to be covered, checked: which nodes are odd, which parts hang together, and what each piece costs.

A closed walk comes back to where it began, so adding ``h[tail] - h[head]`` to the cost of every piece changes the cost
of no walk. The heights `h` are chosen so that a line costs the same either way as nearly as can be: what wind and slope
do to the two directions is then gone from the service, and what is left over stands on the deadheads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from missions.errors import PlanError

__all__ = ["Deadhead", "LineNetwork", "line_network"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Deadhead = ArrayLike | Callable[[Ints, Ints], ArrayLike]


@dataclass(frozen=True, slots=True)
class LineNetwork:
    """Required lines and the deadheads between their ends; nodes that no line touches are left out.

    Parameters
    ----------
    nodes
        Number that the caller knows each node by, shape (n,).
    edges
        Ends of each required line, shape (m, 2), counted in `nodes`.
    service
        Cost of a line from its first end to its second and back, shape (m, 2).
    deadhead
        Cost from node to node without service, shape (n, n); infinite where there is no way, and from a node to itself.
    odd
        Nodes with an odd number of lines, shape (n,).
    part
        Which connected part a node lies in, shape (n,).
    level_service, level_deadhead
        The same costs with the heights added: equal to the true ones on every closed walk, and never negative.
    """

    nodes: Ints
    edges: Ints
    service: Floats
    deadhead: Floats
    odd: Bools
    part: Ints
    level_service: Floats
    level_deadhead: Floats

    @property
    def parts(self) -> int:
        """Number of connected parts."""
        return int(self.part.max()) + 1

    @property
    def least(self) -> Floats:
        """Cost of each deadhead in its cheaper direction, heights added, shape (n, n), symmetric."""
        out: Floats = np.minimum(self.level_deadhead, self.level_deadhead.T)
        return out


def line_network(nodes_xy: ArrayLike, edges: ArrayLike, service_cost: ArrayLike, deadhead: Deadhead) -> LineNetwork:
    """Check what was given and prepare it.

    Parameters
    ----------
    nodes_xy, edges, service_cost, deadhead
        As `missions.cover_lines` takes them.

    Raises
    ------
    PlanError
        When a node, line or cost is not one, or a part can be reached from no other.
    """
    xy = _nodes(nodes_xy)
    ends = _edges(edges, len(xy))
    service = _service(service_cost, ends)
    nodes, flat = np.unique(ends, return_inverse=True)
    inner = flat.reshape(-1, 2).astype(np.int64)
    way = _deadhead(deadhead, nodes, len(xy))
    lines = scipy.sparse.coo_matrix((np.ones(len(inner)), inner.T), (len(nodes), len(nodes)))
    part = scipy.sparse.csgraph.connected_components(lines, directed=False)[1].astype(np.int64)
    _check_reach(way, inner, nodes)
    height = _heights(xy[nodes], inner, service, part)
    step = height[:, None] - height[None, :]
    # A height difference greater than what a deadhead costs would make it cheaper than nothing.
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(step > 0, way / step, np.inf).min(initial=np.inf)
    fit = height[inner[:, 0]] - height[inner[:, 1]]
    scale = min(1.0, float(share))
    return LineNetwork(
        nodes=nodes,
        edges=inner,
        service=service,
        deadhead=way,
        odd=np.bincount(inner.ravel(), minlength=len(nodes)) % 2 == 1,
        part=part,
        level_service=service - scale * np.column_stack([fit, -fit]),
        level_deadhead=np.maximum(way - scale * step, 0.0),
    )


def _nodes(nodes_xy: ArrayLike) -> Floats:
    xy = np.asarray(nodes_xy, dtype=np.float64)
    if xy.ndim != 2 or xy.shape[1] != 2:
        raise PlanError(f"nodes_xy has the shape {xy.shape}: give east and north for each node, shape (n, 2)")
    bad = np.flatnonzero(~np.isfinite(xy).all(axis=1))
    if len(bad):
        raise PlanError(f"node {bad[0]} lies at {xy[bad[0]].tolist()}: give finite metres east and north")
    return xy


def _edges(edges: ArrayLike, count: int) -> Ints:
    given = np.asarray(edges)
    if given.size == 0:
        raise PlanError("edges holds no required line: give at least one")
    if given.ndim != 2 or given.shape[1] != 2 or not np.issubdtype(given.dtype, np.integer):
        raise PlanError(f"edges has the shape {given.shape}, type {given.dtype}: give two node numbers each, (m, 2)")
    ends = given.astype(np.int64)
    seen: dict[tuple[int, int], int] = {}
    for number, (a, b) in enumerate(ends.tolist()):
        for node in (a, b):
            if not 0 <= node < count:
                raise PlanError(f"edge {number} ends at node {node}, and nodes run from 0 to {count - 1}: correct it")
        if a == b:
            raise PlanError(
                f"edge {number} begins and ends at node {a}: split the loop at a node between, or remove it"
            )
        first = seen.setdefault((min(a, b), max(a, b)), number)
        if first != number:
            raise PlanError(f"edge {number} joins nodes {a} and {b} as edge {first} does: remove one, or split it")
    return ends


def _service(service_cost: ArrayLike, ends: Ints) -> Floats:
    service = np.asarray(service_cost, dtype=np.float64)
    if service.shape != ends.shape:
        raise PlanError(f"service_cost has the shape {service.shape}: give both directions of each edge, {ends.shape}")
    bad = np.argwhere(~(np.isfinite(service) & (service >= 0)))
    if len(bad):
        number, way = bad[0].tolist()
        a, b = ends[number][:: 1 - 2 * way].tolist()
        raise PlanError(
            f"service_cost of edge {number} from node {a} to node {b} is {service[number, way]}: "
            "give a finite cost of zero or more"
        )
    return service


def _deadhead(deadhead: Deadhead, nodes: Ints, count: int) -> Floats:
    """The (n, n) costs between the nodes that lines touch."""
    if callable(deadhead):
        tails, heads = (grid.ravel() for grid in np.meshgrid(nodes, nodes, indexing="ij"))
        way = np.array(deadhead(tails, heads), dtype=np.float64)
        if way.shape != tails.shape:
            raise PlanError(f"deadhead gave the shape {way.shape} for {tails.shape}: give one cost for each pair")
        way = way.reshape(len(nodes), len(nodes))
    else:
        matrix = np.asarray(deadhead, dtype=np.float64)
        if matrix.shape != (count, count):
            raise PlanError(f"deadhead has the shape {matrix.shape}: give a row and a column for each of {count} nodes")
        way = matrix[np.ix_(nodes, nodes)]
    np.fill_diagonal(way, np.inf)
    bad = np.argwhere(~(way >= 0))
    if len(bad):
        tail, head = nodes[bad[0]].tolist()
        raise PlanError(
            f"deadhead from node {tail} to node {head} costs {way[tuple(bad[0])]}: give zero or more, inf for no way"
        )
    return way


def _check_reach(way: Floats, edges: Ints, nodes: Ints) -> None:
    """Every node must be within reach of every other, by deadheads and along lines."""
    joined = np.isfinite(way)
    joined[edges[:, 0], edges[:, 1]] = joined[edges[:, 1], edges[:, 0]] = True
    graph = scipy.sparse.csr_matrix(joined)
    count, group = scipy.sparse.csgraph.connected_components(graph, directed=True, connection="strong")
    if count > 1:
        largest = np.bincount(group).argmax()
        lost = int(np.flatnonzero(group != largest)[0])
        number = int(np.flatnonzero((edges == lost).any(axis=1))[0])
        raise PlanError(
            f"edge {number} at node {nodes[lost]} is cut off: deadhead gives no way there and back from the rest; "
            "open one, or leave the edge out"
        )


def _heights(xy: Floats, edges: Ints, service: Floats, part: Ints) -> Floats:
    """Heights whose differences are half of what the two directions of each line differ by, as nearly as can be.

    First a plane over the whole network, which is exact in a steady wind, then a correction within each part, which is
    exact for anything that depends on where the ends lie alone, such as a climb.
    """
    half = (service[:, 0] - service[:, 1]) / 2
    plane = xy @ np.linalg.lstsq(xy[edges[:, 0]] - xy[edges[:, 1]], half, rcond=None)[0]
    rest = half - plane[edges[:, 0]] + plane[edges[:, 1]]
    if np.abs(rest).max() < 1e-9 * max(1.0, float(service.max())):
        return np.asarray(plane)
    rows = np.arange(len(edges)).repeat(2)
    ends = scipy.sparse.csr_matrix((np.tile([1.0, -1.0], len(edges)), (rows, edges.ravel())), (len(edges), len(xy)))
    # The small weight on the heights themselves settles the free constant of each part.
    normal = ends.T @ ends + 1e-9 * scipy.sparse.identity(len(xy))
    fix = scipy.sparse.linalg.spsolve(normal.tocsc(), ends.T @ rest)
    mean = np.bincount(part, weights=fix) / np.bincount(part)
    return np.asarray(plane + fix - mean[part])
