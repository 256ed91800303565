"""Sets of nodes that a set of deadheads leaves too seldom.

A closed walk leaves every set of nodes as often as it enters it. Where an odd number of lines cross the edge of a set
at least one deadhead must (Edmonds and Johnson, 1973); where none do, two must. Sets are grown by joining the nodes
with most deadheads between them first, which finds every set that no deadhead at all leaves, and most others.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["odd_sets", "split_sets"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_TOLERANCE = 1e-6


def odd_sets(odd: Bools, tails: Ints, heads: Ints, amount: Floats) -> list[Bools]:
    """Sets with an odd number of lines over their edge that less than one deadhead crosses.

    Parameters
    ----------
    odd
        Nodes with an odd number of lines, shape (n,).
    tails, heads, amount
        Deadheads from node to node and how often each is flown, which may be a fraction, shape (k,).

    Returns
    -------
    list of masks
        Members of each set, shape (n,).
    """
    sets = _grown(np.arange(len(odd)), tails, heads, amount)
    return [_mask(members, len(odd)) for members, x in sets if x < 1 - _TOLERANCE and int(odd[members].sum()) % 2]


def split_sets(part: Ints, tails: Ints, heads: Ints, amount: Floats) -> list[Bools]:
    """Sets of whole parts that less than two deadheads cross; the parameters are those of `odd_sets`.

    `part` is the connected part of each node, shape (n,).
    """
    if not part.max():
        return []
    sets = _grown(part, tails, heads, amount)
    return [_mask(members, len(part)) for members, x in sets if x < 2 - _TOLERANCE and len(members) < len(part)]


def _mask(members: list[int], count: int) -> Bools:
    mask = np.zeros(count, dtype=bool)
    mask[members] = True
    # A set and its complement say the same.
    return ~mask if mask[0] else mask


def _grown(group: Ints, tails: Ints, heads: Ints, amount: Floats) -> Iterator[tuple[list[int], float]]:
    """Groups of nodes, then what they make when the two with most between them are joined first: (nodes, crossings)."""
    between: dict[tuple[int, int], float] = {}
    for a, b, x in zip(group[tails].tolist(), group[heads].tolist(), amount.tolist(), strict=True):
        if a != b:
            key = (a, b) if a < b else (b, a)
            between[key] = between.get(key, 0.0) + x
    count = int(group.max()) + 1
    members: list[list[int]] = [[] for _ in range(count)]
    for node, number in enumerate(group.tolist()):
        members[number].append(node)
    links: list[dict[int, float]] = [{} for _ in range(count)]
    for (a, b), x in between.items():
        links[a][b] = links[b][a] = x
    crossed = [sum(link.values()) for link in links]
    yield from zip(members, crossed, strict=True)
    owner = list(range(count))
    for a, b in sorted(between, key=lambda key: (-between[key], key)):
        big, small = _owner(owner, a), _owner(owner, b)
        if big == small:
            continue
        if len(links[big]) < len(links[small]):
            big, small = small, big
        owner[small] = big
        crossed[big] += crossed[small] - 2 * links[big].pop(small, 0.0)
        for other, x in links[small].items():
            if other != big:
                links[other].pop(small)
                links[big][other] = links[other][big] = links[big].get(other, 0.0) + x
        members[big] = members[big] + members[small]
        yield members[big], crossed[big]


def _owner(owner: list[int], node: int) -> int:
    while owner[node] != node:
        owner[node] = owner[owner[node]]
        node = owner[node]
    return node
