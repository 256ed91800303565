"""A closed walk past lines made shorter by changing their order, for networks in too many parts to be solved exactly.

A walk is an order of lines, each flown one way, with the deadheads between them. Two kinds of changes are tried, all of
each kind at once, and the best one made, until none helps or there are too many lines to go on: a stretch of the order
flown the other way round (2-opt; Croes, 1958), and a few lines moved elsewhere, either way round (Or, 1976). Costs may
differ in the two directions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from missions.postman_network import LineNetwork

__all__ = ["cost_of", "improved"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_MOVED = 3
"""Most lines that are moved together."""
_WORK, _FEWEST_CHANGES = 30_000_000, 10
"""Changes are tried that often, for the square of the number of lines, and made so often at the least."""
_LEAST_GAIN = 1e-9
"""Share of the whole cost that a change must save: less is rounding, and would go on for ever."""


@dataclass(frozen=True, slots=True)
class _Order:
    """Lines in the order in which they are flown, and for each whether from its first node to its second, shape (m,).

    `cost` are the deadheads from node to node, with nothing from a node to itself.
    """

    net: LineNetwork
    cost: Floats
    line: Ints
    forward: Bools

    @property
    def tails(self) -> Ints:
        ends = self.net.edges[self.line]
        return np.where(self.forward, ends[:, 0], ends[:, 1])

    @property
    def heads(self) -> Ints:
        ends = self.net.edges[self.line]
        return np.where(self.forward, ends[:, 1], ends[:, 0])

    def serviced(self, *, backward: bool = False) -> Floats:
        """Service cost of each line as it is flown, or the other way."""
        service = self.net.service[self.line]
        return np.where(self.forward != backward, service[:, 0], service[:, 1])

    def turned(self) -> _Order:
        """All of it flown the other way round."""
        return _Order(self.net, self.cost, self.line[::-1], ~self.forward[::-1])

    def total(self) -> float:
        """Cost of the whole walk."""
        return float(self.serviced().sum() + self.cost[self.heads, np.roll(self.tails, -1)].sum())


def improved(net: LineNetwork, walk: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """A walk that costs no more.

    Parameters
    ----------
    net
        What is to be covered.
    walk
        Steps from node to node with the line, or -1 for a deadhead; it ends where it began.

    Returns
    -------
    list of tuple
        Steps of the same form, which begin anywhere; those given where they are no better.
    """
    served = [(a, line) for a, _, line in walk if line >= 0]
    line = np.array([line for _, line in served])
    forward = net.edges[line, 0] == np.array([a for a, _ in served])
    cost = net.deadhead.copy()
    np.fill_diagonal(cost, 0.0)
    order = _Order(net, cost, line, forward)
    for _ in range(max(_FEWEST_CHANGES, _WORK // len(line) ** 2)):
        back = order.turned()
        less = order.total() - back.total()
        gain, change = _best_turn(back)
        # To turn a stretch that holds the seam of the order is to turn all else in the order turned as a whole.
        choices = [_best_turn(order), (less, back), (less + gain, change)]
        choices += (_best_move(order, count) for count in range(1, _MOVED + 1))
        gain, change = max(choices, key=lambda choice: choice[0])
        if not gain > _LEAST_GAIN * float(net.service.sum()):
            break
        order = change
    # Where some deadheads cannot be flown a step by way of a third node may have been better than any change.
    better = _steps(order)
    return better if cost_of(net, better) < cost_of(net, walk) else walk


def cost_of(net: LineNetwork, walk: list[tuple[int, int, int]]) -> float:
    """What the steps of a walk cost."""
    return math.fsum(
        float(net.deadhead[a, b] if line < 0 else net.service[line, int(net.edges[line, 0] != a)])
        for a, b, line in walk
    )


def _best_turn(order: _Order) -> tuple[float, _Order]:
    """The best stretch to be flown the other way round, and what that saves."""
    tails, heads, cost, count = order.tails, order.heads, order.cost, len(order.line)
    there = np.concatenate([[0.0], np.cumsum(cost[heads[:-1], tails[1:]])])
    back = np.concatenate([[0.0], np.cumsum(cost[tails[1:], heads[:-1]])])
    lines = np.concatenate([[0.0], np.cumsum(order.serviced(backward=True) - order.serviced())])
    before, after = np.roll(heads, 1), np.roll(tails, -1)
    first, last = np.triu_indices(count)
    with np.errstate(invalid="ignore"):
        gain = (
            cost[before[first], tails[first]]
            + there[last] - there[first]
            + cost[heads[last], after[last]]
            - cost[before[first], heads[last]]
            - (back[last] - back[first])
            - cost[tails[first], after[last]]
            - (lines[last + 1] - lines[first])
        )  # fmt: skip
    # All of it at once has no neighbours; that is a stretch of one less with the other turned.
    gain[~np.isfinite(gain) | ((first == 0) & (last == count - 1))] = -np.inf
    best = int(np.argmax(gain))
    own = slice(int(first[best]), int(last[best]) + 1)
    line, forward = order.line.copy(), order.forward.copy()
    line[own], forward[own] = line[own][::-1], ~forward[own][::-1]
    return float(gain[best]), _Order(order.net, cost, line, forward)


def _best_move(order: _Order, moved: int) -> tuple[float, _Order]:
    """The best place for some lines that follow each other, and what moving them there saves."""
    count = len(order.line)
    if count < moved + 2:
        return -np.inf, order
    best = -np.inf, order
    tails, heads, cost = order.tails, order.heads, order.cost
    for begin in range(count):
        # With the lines to be moved in front what they may be put between is one stretch.
        turn = np.roll(np.arange(count), -begin)
        own, rest = turn[:moved], turn[moved:]
        closed = cost[heads[rest[-1]], tails[rest[0]]]
        freed = cost[heads[rest[-1]], tails[own[0]]] + cost[heads[own[-1]], tails[rest[0]]] - closed
        if not freed > max(best[0], 0.0):
            # Put anywhere they cost at least nothing; only flown the other way could they cost less themselves.
            continue
        a, b = heads[rest[:-1]], tails[rest[1:]]
        as_is = cost[a, tails[own[0]]] + cost[heads[own[-1]], b] - cost[a, b]
        place = int(np.argmin(as_is))
        if freed - as_is[place] > best[0]:
            index = np.concatenate([rest[: place + 1], own, rest[place + 1 :]])
            best = float(freed - as_is[place]), _Order(order.net, cost, order.line[index], order.forward[index])
        extra = float((order.serviced(backward=True) - order.serviced())[own].sum())
        extra += float((cost[tails[own[1:]], heads[own[:-1]]] - cost[heads[own[:-1]], tails[own[1:]]]).sum())
        turned = cost[a, heads[own[-1]]] + cost[tails[own[0]], b] - cost[a, b] + extra
        place = int(np.argmin(turned))
        if freed - turned[place] > best[0]:
            index = np.concatenate([rest[: place + 1], own[::-1], rest[place + 1 :]])
            forward = order.forward[index]
            forward[place + 1 : place + 1 + moved] ^= True
            best = float(freed - turned[place]), _Order(order.net, cost, order.line[index], forward)
    return best


def _steps(order: _Order) -> list[tuple[int, int, int]]:
    tails, heads = order.tails.tolist(), order.heads.tolist()
    out = []
    for number, line in enumerate(order.line.tolist()):
        out.append((tails[number], heads[number], line))
        following = tails[(number + 1) % len(tails)]
        if following != heads[number]:
            out.append((heads[number], following, -1))
    return out
