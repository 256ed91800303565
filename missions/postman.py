"""Cover every line of a network once in one closed walk, at the least cost.

The lines are flown in either direction, and between their ends the aircraft may deadhead. This is the windy rural
postman problem. A relaxation that leaves the directions free is solved exactly, for a lower bound and for the deadheads
that matter; then the directions are decided together with them in an integer programme over those alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from missions.errors import PlanError
from missions.postman_bound import lower_bound
from missions.postman_improve import cost_of, improved
from missions.postman_network import Deadhead, LineNetwork, line_network
from missions.postman_program import Chain, Program

__all__ = ["Tour", "cover_lines"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Step = tuple[int, int, bool]

_NEIGHBOURS = 8
_CROSSINGS = 3
_PRICINGS = 8
_ROUNDS, _FEW_ROUNDS = 60, 12
_SEARCH_NODES = 100
_MOST_PARTS = 12


@dataclass(frozen=True, slots=True)
class Tour:
    """A closed walk that services every line once.

    Parameters
    ----------
    steps
        From node, to node, and whether the line between them is serviced or the step is a deadhead. It ends where it
        began.
    cost
        Sum over the steps, in the unit of the costs given.
    lower_bound
        No covering costs less.
    """

    steps: tuple[Step, ...]
    cost: float
    lower_bound: float

    @property
    def gap(self) -> float:
        """Share of the lower bound by which the cost may be above the optimum."""
        return self.cost / self.lower_bound - 1 if self.lower_bound > 0 else 0.0


def cover_lines(
    nodes_xy: ArrayLike,
    edges: ArrayLike,
    service_cost: ArrayLike,
    deadhead: Deadhead,
    start_node: int | None = None,
) -> Tour:
    """The cheapest closed walk that services every line once, or one close to it.

    The same input gives the same walk. Time and memory grow with the square of the number of nodes that lines touch:
    about a second at 1,000.

    Parameters
    ----------
    nodes_xy
        East and north of each node in metres, shape (n, 2). Nodes that no line touches are left out of the walk.
    edges
        Two node numbers for each line, shape (m, 2); at most one line between two nodes.
    service_cost
        Cost of servicing each line from its first node to its second, and from its second to its first, shape (m, 2).
    deadhead
        Cost of getting from one node to another without service: a matrix from row to column, shape (n, n), or a
        function of two arrays of node numbers that gives as many costs. Infinite where there is no way; the two
        directions may differ.
    start_node
        Where the walk begins and ends; the first node of the first line by default.

    Returns
    -------
    Tour
        Steps between nodes as numbered by the caller.

    Raises
    ------
    PlanError
        When a node, line or cost is not one, a line is given twice, a part cannot be reached, or no line touches
        `start_node`.
    """
    net = line_network(nodes_xy, edges, service_cost, deadhead)
    if start_node is None:
        start = int(net.edges[0, 0])
    elif start_node in net.nodes:
        start = int(np.searchsorted(net.nodes, start_node))
    else:
        raise PlanError(f"start_node {start_node} is touched by no line: give a node that edges names")
    program = Program(net)
    # In many parts too much is undecided: to settle it, or to search in whole numbers, would take minutes.
    few = net.parts <= _MOST_PARTS
    rounds = _ROUNDS if few else _FEW_ROUNDS
    bound = _bound(net, program, rounds)
    program.balance()
    solved = (program.relax(rounds) and program.is_whole()) or (few and program.whole(_SEARCH_NODES))
    arcs = program.deadheads() if solved else []
    forward = program.line > 0.5
    if not solved:
        arcs = _joined(net, _balanced(net, forward))
    walk = list(_shortened(net, _circuit(net, forward, arcs, start)))
    if net.parts > 1 and not (solved and few):
        better = improved(net, walk)
        # It begins anywhere: back to where it was asked to begin.
        at = next(k for k, (tail, _, _) in enumerate(better) if tail == start)
        walk = better[at:] + better[:at]
    cost = cost_of(net, walk)
    steps = tuple((int(net.nodes[a]), int(net.nodes[b]), line >= 0) for a, b, line in walk)
    return Tour(steps, cost, min(bound, cost))


def _bound(net: LineNetwork, program: Program, rounds: int) -> float:
    """Solve the relaxation with directions left free, adding what it lacks until its value holds for all coverings."""
    program.add_chains(_nearest(net))
    odd = np.flatnonzero(net.odd)
    program.add_sets([(_only(node, len(net.nodes)), 1) for node in odd.tolist()])
    best = float(net.level_service.min(axis=1).sum())
    for _ in range(_PRICINGS):
        program.relax(rounds)
        bound = lower_bound(net, program.weights())
        best = max(best, bound.cost)
        if not bound.missing or not program.add_chains(bound.missing):
            break
    return best


def _only(node: int, count: int) -> NDArray[np.bool_]:
    mask = np.zeros(count, dtype=bool)
    mask[node] = True
    return ~mask if mask[0] else mask


def _nearest(net: LineNetwork) -> Iterator[Chain]:
    """Deadheads that are likely to be flown: between odd nodes near each other, and between parts."""
    least, way = net.least, net.level_deadhead
    odd = np.flatnonzero(net.odd)
    order = np.argsort(least[np.ix_(odd, odd)], axis=1, kind="stable")[:, :_NEIGHBOURS]
    pairs = [(int(i), int(j)) for i, row in zip(odd, odd[order], strict=True) for j in row]
    for part in range(net.parts if net.parts > 1 else 0):
        inside, outside = np.flatnonzero(net.part == part), np.flatnonzero(net.part != part)
        between = least[np.ix_(inside, outside)]
        to = net.part[outside]
        nearest = np.full(net.parts, np.inf)
        np.minimum.at(nearest, to, between.min(axis=0))
        for other in np.argsort(nearest, kind="stable")[: min(_NEIGHBOURS, net.parts - 1)].tolist():
            column = np.flatnonzero(to == other)
            block = between[:, column]
            for flat in np.argsort(block, axis=None, kind="stable")[:_CROSSINGS].tolist():
                row, place = divmod(flat, len(column))
                pairs.append((int(inside[row]), int(outside[column[place]])))
    for i, j in pairs:
        for arc in ((i, j), (j, i)):
            if np.isfinite(way[arc]):
                yield (arc,)


def _balanced(net: LineNetwork, forward: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The cheapest deadheads that go on from where lines flown so end to where lines begin."""
    count = len(net.nodes)
    tails = np.where(forward, net.edges[:, 0], net.edges[:, 1])
    heads = np.where(forward, net.edges[:, 1], net.edges[:, 0])
    left = np.bincount(heads, minlength=count) - np.bincount(tails, minlength=count)
    come, go = np.repeat(np.arange(count), np.maximum(left, 0)), np.repeat(np.arange(count), np.maximum(-left, 0))
    cost = net.level_deadhead[np.ix_(come, go)]
    try:
        rows, columns = scipy.optimize.linear_sum_assignment(cost)
    except ValueError:
        raise PlanError(
            f"edge at node {net.nodes[come[0]]}: deadhead leaves no way to come back from every line; open more of them"
        ) from None
    return list(zip(come[rows].tolist(), go[columns].tolist(), strict=True))


def _joined(net: LineNetwork, arcs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The deadheads and the cheapest ones there and back that join the pieces of the walk."""
    both = net.level_deadhead + net.level_deadhead.T
    out = list(arcs)
    while True:
        ends = np.vstack([net.edges, np.array(out, dtype=np.int64).reshape(-1, 2)])
        graph = scipy.sparse.coo_matrix((np.ones(len(ends)), ends.T), both.shape)
        count, piece = scipy.sparse.csgraph.connected_components(graph, directed=False)
        if count == 1:
            return out
        inside, outside = np.flatnonzero(piece == piece[0]), np.flatnonzero(piece != piece[0])
        block = both[np.ix_(inside, outside)]
        row, column = divmod(int(block.argmin()), len(outside))
        i, j = int(inside[row]), int(outside[column])
        if not np.isfinite(both[i, j]):
            raise PlanError(
                f"edge at node {net.nodes[outside[0]]}: deadhead gives no way there and back from node "
                f"{net.nodes[inside[0]]}; open one"
            )
        out += [(i, j), (j, i)]


def _circuit(
    net: LineNetwork, forward: NDArray[np.bool_], arcs: list[tuple[int, int]], start: int
) -> list[tuple[int, int, int]]:
    """One closed walk over all lines and deadheads (Hierholzer): from, to, and the line or -1."""
    leaving: list[list[tuple[int, int]]] = [[] for _ in net.nodes]
    for tail, head in reversed(arcs):
        leaving[tail].append((head, -1))
    for number, ((a, b), along) in enumerate(zip(net.edges.tolist(), forward.tolist(), strict=True)):
        tail, head = (a, b) if along else (b, a)
        leaving[tail].append((head, number))
    walk: list[tuple[int, int, int]] = []
    stack: list[tuple[int, int]] = [(start, -1)]
    while stack:
        node, line = stack[-1]
        if leaving[node]:
            stack.append(leaving[node].pop())
        else:
            stack.pop()
            if stack:
                walk.append((stack[-1][0], node, line))
    return walk[::-1]


def _shortened(net: LineNetwork, walk: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """The walk with deadheads that follow each other made one where that costs no more."""
    kept: list[tuple[int, int, int]] = []
    for a, b, line in walk:
        tail = a
        if line < 0 and kept and kept[-1][2] < 0:
            before = kept[-1][0]
            straight = 0.0 if before == b else net.deadhead[before, b]
            if straight <= net.deadhead[before, a] + net.deadhead[a, b]:
                kept.pop()
                tail = before
        if tail != b:
            kept.append((tail, b, line))
    return iter(kept)
