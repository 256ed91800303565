"""What a covering must cost at the least, and the chains of deadheads that are missing to reach it.

In any covering the deadheads form a graph whose odd nodes are those of the lines, so they hold disjoint chains that
pair the odd nodes. Weights on sets of nodes that add up, between any two odd nodes, to no more than the shortest chain
between them, therefore bound what the deadheads cost (Edmonds, 1965); weights on sets of whole parts come on top, at
two crossings each, once they are taken off the deadheads that cross (a Lagrangean bound). Chains are the shortest ones
over all nodes and both directions, so the bound holds for every covering and not for the columns at hand alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from missions.postman_network import LineNetwork
from missions.postman_program import Chain

__all__ = ["Bound", "lower_bound"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_TOLERANCE = 1e-7


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound, and what would raise it.

    Parameters
    ----------
    cost
        No covering costs less.
    missing
        Chains that are shorter than the weights between their ends: with them as columns the weights come out lower
        and the bound higher. Empty when the bound is the optimum of the relaxation over all chains.
    """

    cost: float
    missing: tuple[Chain, ...]


def lower_bound(net: LineNetwork, weights: list[tuple[Bools, int, float]]) -> Bound:
    """The bound that weights on sets prove.

    Parameters
    ----------
    net
        What is to be covered.
    weights
        Members of a set, its need, and its weight, as `Program.weights` gives them with the balance left out.
    """
    least = net.least
    fixed = float(net.level_service.min(axis=1).sum())
    split = [(members, weight) for members, need, weight in weights if need == 2]
    toll = _between(split, len(least))
    # Nothing may cost less than nothing: where the weights exceed a deadhead it is missing as a column.
    rest = least - toll
    missing: list[Chain] = [((i, j),) for i, j in np.argwhere(rest < -_TOLERANCE).tolist()]
    if missing:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = float(np.where(toll > 0, least / toll, np.inf).min())
        rest = least - share * toll
        fixed += share * 2 * sum(weight for _, weight in split)
    else:
        fixed += 2 * sum(weight for _, weight in split)
    odd = np.flatnonzero(net.odd)
    if not len(odd):
        return Bound(fixed, tuple(missing))
    singles = [(members[odd], weight) for members, need, weight in weights if need == 1]
    wanted = _between(singles, len(odd))
    np.fill_diagonal(wanted, 0.0)
    limit = float(wanted.max()) + 1e-9
    way, before = scipy.sparse.csgraph.dijkstra(_graph(rest), indices=odd, limit=limit, return_predecessors=True)
    reached = way[:, odd]
    over = np.argwhere(wanted > reached + _TOLERANCE)
    for a, b in over.tolist():
        if a < b:
            missing += _chains(net, before[a].tolist(), int(odd[b]))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = min(1.0, float(np.where(wanted > 0, reached / wanted, np.inf).min()))
    total = sum(weight for _, weight in singles)
    return Bound(fixed + share * total, tuple(missing))


def _between(weights: list[tuple[Bools, float]], count: int) -> Floats:
    """Sum of the weights of the sets that part each pair of nodes, shape (n, n)."""
    if not weights:
        return np.zeros((count, count))
    inside = np.array([members for members, _ in weights], dtype=np.float64)
    heavy = inside * np.array([weight for _, weight in weights])[:, None]
    total = heavy.sum(axis=0)
    out: Floats = total[:, None] + total[None, :] - 2 * heavy.T @ inside
    return out


def _graph(cost: Floats) -> scipy.sparse.csr_matrix:
    """Every deadhead that can be flown; one that costs nothing stays an edge."""
    there = np.isfinite(cost)
    tails, heads = np.nonzero(there)
    return scipy.sparse.csr_matrix((np.maximum(cost[there], 0.0) + 1e-12, (tails, heads)), cost.shape)


def _chains(net: LineNetwork, before: list[int], end: int) -> list[Chain]:
    """The chain that ends at `end`, every deadhead in its cheaper direction, and the same flown the other way."""
    way = net.level_deadhead
    there: list[tuple[int, int]] = []
    node = end
    while before[node] >= 0:
        i, j = before[node], node
        there.append((i, j) if way[i, j] <= way[j, i] else (j, i))
        node = i
    back = [(j, i) for i, j in there]
    return [tuple(chain) for chain in (there, back) if np.isfinite([way[arc] for arc in chain]).all()]
