"""The linear and integer programme of a line coverage: which way each line is flown, and which deadheads join them.

A column is a line's direction (0: second end to first, 1: first to second) or a chain of deadheads; a row keeps a node
balanced or says how often a set of nodes must be left. The rows of sets are found as they are needed. With the balance
left out the optimum is that of lines and deadheads which may be flown either way, each at its cheaper direction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import scipy
from numpy.typing import NDArray

from missions.postman_cuts import odd_sets, split_sets
from missions.postman_network import LineNetwork

__all__ = ["Chain", "Program"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Chain = tuple[tuple[int, int], ...]
"""Deadheads from node to node, each flown as given; neighbours share a node, but need not have the same sense."""

_TOLERANCE = 1e-6
_FAR = 0.001
"""Share of the relaxed cost that a column may add to it and still take part in the first search in whole numbers."""


class Program:
    """State of one solution: columns and rows so far, and the last optimum.

    Parameters
    ----------
    net
        What is to be covered.

    Attributes
    ----------
    value
        Cost of the last solution.
    line
        Direction of each line in it, 0 to 1, shape (m,).
    flown
        How often each chain is flown in it, shape (k,).
    """

    def __init__(self, net: LineNetwork) -> None:
        from missions.solver import Solver  # noqa: PLC0415 - only networks need it

        self.net = net
        self.value = np.inf
        self.line: Floats = np.zeros(len(net.edges))
        self.flown: Floats = np.zeros(0)
        self.chains: list[Chain] = []
        self._known: set[Chain] = set()
        self._tails: list[int] = []
        self._heads: list[int] = []
        self._owner: list[int] = []
        self._sets: Bools = np.zeros((0, len(net.nodes)), dtype=bool)
        self._need: Ints = np.zeros(0, dtype=np.int64)
        self._seen: set[tuple[bytes, int]] = set()
        self._solver = Solver()
        self._begin()

    def _begin(self) -> None:
        net, count, lines = self.net, len(self.net.nodes), len(self.net.edges)
        none = np.zeros(0, dtype=np.int32)
        free = np.full(count, np.inf)
        self._solver.addRows(count, -free, free, 0, np.zeros(count, dtype=np.int32), none, np.zeros(0))
        cost = net.level_service[:, 0] - net.level_service[:, 1]
        starts = np.arange(0, 2 * lines, 2, dtype=np.int32)
        ends, signs = net.edges.ravel().astype(np.int32), np.tile([2.0, -2.0], lines)
        self._solver.addCols(lines, cost, np.zeros(lines), np.ones(lines), 2 * lines, starts, ends, signs)
        self._solver.changeObjectiveOffset(float(net.level_service[:, 1].sum()))

    def add_chains(self, chains: Iterable[Chain]) -> int:
        """Add those that are not there yet; how many were added."""
        new = [chain for chain in dict.fromkeys(chains) if chain not in self._known]
        if not new:
            return 0
        self._known.update(new)
        first = len(self.chains)
        self.chains += new
        for number, chain in enumerate(new, start=first):
            for tail, head in chain:
                self._tails.append(tail)
                self._heads.append(head)
                self._owner.append(number)
        tails, heads, owner = self._arcs(first)
        cost = np.bincount(owner, weights=self.net.level_deadhead[tails, heads])
        ones, shape = np.ones(len(tails)), (len(self.net.nodes), len(new))
        out, into = (scipy.sparse.csr_matrix((ones, (ends, owner)), shape) for ends in (tails, heads))
        block = scipy.sparse.csc_matrix(
            scipy.sparse.vstack([out - into, self._crossings(self._sets, self._need, first)])
        )
        block.eliminate_zeros()
        most = np.full(len(new), np.inf)
        starts, rows = block.indptr[:-1].astype(np.int32), block.indices.astype(np.int32)
        self._solver.addCols(
            len(new), cost.astype(np.float64), np.zeros(len(new)), most, block.nnz, starts, rows, block.data
        )
        return len(new)

    def add_sets(self, found: Iterable[tuple[Bools, int]]) -> int:
        """Add rows for those sets that have none yet; how many were added."""
        new = []
        for members, need in found:
            key = (members.tobytes(), need)
            if key not in self._seen:
                self._seen.add(key)
                new.append((members, need))
        if not new:
            return 0
        sets, needs = np.array([members for members, _ in new]), np.array([need for _, need in new])
        block = self._crossings(sets, needs, 0)
        most = np.full(len(new), np.inf)
        starts, columns = block.indptr[:-1].astype(np.int32), (block.indices + len(self.net.edges)).astype(np.int32)
        self._solver.addRows(len(new), needs.astype(np.float64), most, block.nnz, starts, columns, block.data)
        self._sets, self._need = np.vstack([self._sets, sets]), np.append(self._need, needs)
        return len(new)

    def balance(self) -> None:
        """From here on every node is left as often as it is entered."""
        net, count = self.net, len(self.net.nodes)
        ends = np.bincount(net.edges[:, 0], minlength=count) - np.bincount(net.edges[:, 1], minlength=count)
        for row, value in enumerate(ends.astype(float).tolist()):
            self._solver.changeRowBounds(row, value, value)

    def relax(self, rounds: int) -> bool:
        """Solve without whole numbers, adding rows while some set is left too seldom; whether none is at the end."""
        for _ in range(rounds):
            if not self._solver.solved():
                self.value = np.inf
                return False
            self._take()
            if not self.add_sets(self._short()):
                return True
        return False

    def whole(self, nodes: int, rounds: int = 20) -> bool:
        """Solve in whole numbers over the columns that are there; whether a covering came out.

        Parameters
        ----------
        nodes
            Most nodes of the search tree.
        rounds
            Most times that a solution in pieces is forbidden and another asked for.
        """
        if not self._solver.solved():
            return False
        solution, value = self._solver.getSolution(), float(self._solver.getInfo().objective_function_value)
        at, added = np.rint(solution.col_value), np.abs(solution.col_dual)
        self._drop(np.array(solution.row_value)[len(self.net.nodes) :] > self._need + _TOLERANCE)
        lines, chains = len(self.net.edges), len(self.chains)
        # Given the lines' directions the rest is a flow, and whole by itself, but for rows that join parts.
        kinds = np.ones(lines + (chains if self.net.parts > 1 else 0), dtype=np.uint8)
        self._solver.changeColsIntegrality(len(kinds), np.arange(len(kinds), dtype=np.int32), kinds)
        self._solver.setOptionValue("mip_max_nodes", nodes)
        self._solver.setOptionValue("mip_rel_gap", 1e-5)
        reach = _FAR * value
        self._open(added <= reach, at)
        found = self._search(rounds)
        if found and self.value - value <= reach:
            return True
        kept = self.value, self.line, self.flown
        # A column that adds more than what was found costs above the relaxed cost is in no better covering.
        self._open(added <= (self.value - value if found else np.inf), at)
        if self._search(rounds):
            return True
        self.value, self.line, self.flown = kept
        return found

    def _search(self, rounds: int) -> bool:
        for _ in range(rounds):
            if not self._solver.solved():
                return False
            self._take()
            if not self.is_whole():
                return False
            if not self.add_sets(self._short()):
                return True
        return False

    def _open(self, free: Bools, at: Floats) -> None:
        """Let the columns take any value that are free, and the others that of the last relaxed optimum."""
        lines = len(self.net.edges)
        # No walk flies a chain more often than it has lines; without a limit the search takes ten times as long.
        most = np.where(np.arange(len(at)) < lines, 1.0, float(lines))
        every = np.arange(len(at), dtype=np.int32)
        self._solver.changeColsBounds(len(at), every, np.where(free, 0.0, at), np.where(free, most, at))

    def _drop(self, slack: Bools) -> None:
        """Take the rows of sets out that hold nothing up: they are dense, and are found again where they matter."""
        gone = np.flatnonzero(slack).astype(np.int32)
        self._solver.deleteRows(len(gone), gone + np.int32(len(self.net.nodes)))
        self._seen -= {(self._sets[row].tobytes(), int(self._need[row])) for row in gone.tolist()}
        self._sets, self._need = self._sets[~slack], self._need[~slack]

    def is_whole(self) -> bool:
        """Whether the last solution has no fractions."""
        every = np.concatenate([self.line, self.flown])
        return bool(np.abs(every - np.rint(every)).max() < _TOLERANCE)

    def deadheads(self) -> list[tuple[int, int]]:
        """Deadheads of the last solution, each as often as it is flown."""
        times = np.rint(self.flown).astype(int).tolist()
        return [arc for chain, count in zip(self.chains, times, strict=True) for arc in chain * count]

    def weights(self) -> list[tuple[Bools, int, float]]:
        """Each set whose row holds the last solution up: members, need, and what one crossing more would cost."""
        dual = np.array(self._solver.getSolution().row_dual)[len(self.net.nodes) :]
        return [
            (self._sets[row], int(self._need[row]), float(dual[row])) for row in np.flatnonzero(dual > 1e-12).tolist()
        ]

    def _take(self) -> None:
        columns = np.array(self._solver.getSolution().col_value)
        self.line, self.flown = columns[: len(self.net.edges)], columns[len(self.net.edges) :]
        self.value = float(self._solver.getInfo().objective_function_value)

    def _short(self) -> list[tuple[Bools, int]]:
        used = np.flatnonzero(self.flown > _TOLERANCE)
        ends = np.array([_ends(self.chains[chain]) for chain in used.tolist()], dtype=np.int64).reshape(-1, 2)
        odd = odd_sets(self.net.odd, ends[:, 0], ends[:, 1], self.flown[used])
        tails, heads, owner = self._arcs(0)
        split = split_sets(self.net.part, tails, heads, self.flown[owner])
        return [(members, 1) for members in odd] + [(members, 2) for members in split]

    def _arcs(self, first: int) -> tuple[Ints, Ints, Ints]:
        """Tail, head and chain of every deadhead of the chains from `first` on, chains counted from there."""
        start = self._owner.index(first) if first else 0
        tails, heads, owner = self._tails[start:], self._heads[start:], self._owner[start:]
        return np.array(tails, dtype=np.int64), np.array(heads, dtype=np.int64), np.array(owner, dtype=np.int64) - first

    def _crossings(self, sets: Bools, need: Ints, first: int) -> scipy.sparse.csr_matrix:
        """How often each chain from `first` on crosses the edge of each set.

        For a set that needs an odd number, a chain counts once if it ends on the other side and not at all if it comes
        back: the number of crossings stays odd, and half a chain that passes by gains nothing.
        """
        tails, heads, owner = self._arcs(first)
        count = len(self.chains) - first
        every = scipy.sparse.csr_matrix((np.ones(len(tails)), (np.arange(len(tails)), owner)), (len(tails), count))
        times = scipy.sparse.csr_matrix(sets[:, tails] ^ sets[:, heads], dtype=np.float64) @ every
        parity = (need == 1)[:, None]
        dense = times.toarray()
        return scipy.sparse.csr_matrix(np.where(parity, dense % 2, dense))


def _ends(chain: Chain) -> tuple[int, int]:
    """The two nodes between which a chain leads."""
    if len(chain) == 1:
        return chain[0]
    a, b = sorted(node for node, times in Counter(sum(chain, ())).items() if times % 2)
    return a, b
