"""A lower bound by risk over all plans whose sorties each watch one unbroken stretch of the line.

What weighs w is to be looked at w times in every R seconds, where R is the greatest revisit interval times weight. Of
the sorties of a kind in R seconds let ``begun[k]`` and ``ended[k]`` be how many begin and end at one of the stations up
to k. As many as have begun and not ended are over a piece; all that begin before the first station from which one may
come to station j have ended before j. What they take is linear in both, so that the least R is the optimum of a linear
programme whose size grows with the stations, not with the stretches between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from missions.bound_stretches import Batteries
from missions.stretch import Team
from missions.stretch_programme import Kind, kinds_of

__all__ = ["weighted_bound"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST = 8000
"""Most unknowns: it takes about two seconds with them by the interior point method, thrice that by the simplex."""

_INFEASIBLE = 2
"""What SciPy says where there is no solution."""


def weighted_bound(
    teams: Sequence[Team],
    weight: Floats,
    *,
    passable: NDArray[np.bool_] | None = None,
    batteries: Sequence[Batteries] = (),
) -> float:
    """No plan of sorties over one stretch each, without a break, has a less revisit interval times weight, seconds.

    Parameters
    ----------
    teams
        What sorties cost, at least.
    weight
        Of the pieces between neighbouring stations, shape (n - 1,); 0 for what is not to be seen.
    passable
        Which pieces can be flown at all, shape (n - 1,); all by default.
    batteries
        Where batteries are counted.

    Returns
    -------
    float
        Infinite where some piece cannot be seen; 0, which says nothing, where the programme would be too large.
    """
    if not (weight > 0).any():
        return 0.0
    kinds = [_Local(kind) for kind in kinds_of(teams, passable, len(weight) + 1)]
    if 2 * sum(map(len, kinds)) > _MOST:
        return 0.0
    rows = _Rows(kinds)
    rows.see(weight)
    for number, kind in enumerate(kinds):
        rows.keep_order(number, kind)
    for k, team in enumerate(teams):
        rows.spend({number: 0.0 for number, kind in enumerate(kinds) if kind.team == k}, team.size)
    for pool in batteries:
        held = {number: kind.team for number, kind in enumerate(kinds) if kind.team in pool.teams}
        rows.spend({number: pool.charge_s - teams[k].turn_round_s for number, k in held.items()}, pool.count)
    found = rows.solved()
    return float(found.fun) if found.status == 0 else float(np.inf) if found.status == _INFEASIBLE else 0.0


class _Local:
    """A kind of sorties at the stations from the first at which one may begin to the last at which one may end."""

    def __init__(self, kind: Kind) -> None:
        self.team = kind.team
        self.low = max(int(kind.first[kind.low]), int(np.argmax(np.isfinite(kind.begin))))
        here = slice(self.low, kind.high + 1)
        self.begin_s, self.end_s = kind.begin[here], kind.end[here]
        self.first: Ints = np.clip(kind.first[here] - self.low, 0, len(self))

    def __len__(self) -> int:
        return len(self.begin_s)


class _Rows:
    """The rows of the programme: so much at most, of what is begun and ended of each kind, and of R, the last."""

    def __init__(self, kinds: Sequence[_Local]) -> None:
        self.kinds = kinds
        self.begun = np.concatenate([[0], np.cumsum([2 * len(kind) for kind in kinds])]).astype(int)
        self.count = 0
        self._row: list[Ints] = []
        self._column: list[Ints] = []
        self._value: list[Floats] = []
        self._most: list[Floats] = []

    def _add(self, most: Floats, *parts: tuple[Ints, Ints, Floats]) -> None:
        """Rows with at most `most`, of parts: rows, counted from the first of them, columns and values."""
        for row, column, value in parts:
            self._row.append(self.count + row)
            self._column.append(column)
            self._value.append(value)
        self._most.append(most)
        self.count += len(most)

    def see(self, weight: Floats) -> None:
        """Every piece is looked at as often as it weighs."""
        parts = []
        for kind, begun in zip(self.kinds, self.begun, strict=False):
            over = np.arange(len(kind) - 1)
            for column, sign in ((begun, -1.0), (begun + len(kind), 1.0)):
                parts.append((kind.low + over, column + over, np.full(len(over), sign)))
        self._add(-weight, *parts)

    def keep_order(self, number: int, kind: _Local) -> None:
        """None ends that has not begun, all end, and those in time that a sortie does not hold for longer."""
        count, begun = len(kind), int(self.begun[number])
        ended = begun + count
        every, last = np.arange(count), np.array([count - 1])
        late = np.flatnonzero(kind.first[1:] > 0) + 1
        for less, more in (
            (begun + every[:-1], begun + every[1:]),
            (ended + every[:-1], ended + every[1:]),
            (ended + every, begun + every),
            (begun + last, ended + last),
            (begun + kind.first[late] - 1, ended + late - 1),
        ):
            ones = np.ones(len(less))
            self._add(np.zeros(len(less)), (np.arange(len(less)), less, ones), (np.arange(len(less)), more, -ones))

    def spend(self, more_s: dict[int, float], capacity: float) -> None:
        """Kinds of sorties, of which each takes some seconds more, take no more than there is of a resource."""
        parts = [(np.array([0]), self.begun[-1:], np.array([-float(capacity)]))]
        for number, each_s in more_s.items():
            kind = self.kinds[number]
            for column, seconds in ((0, kind.begin_s + each_s), (len(kind), kind.end_s)):
                at = self.begun[number] + column + np.arange(len(kind))
                parts.append((np.zeros(len(kind), dtype=int), at, seconds - np.append(seconds[1:], 0.0)))
        self._add(np.zeros(1), *parts)

    def solved(self) -> Any:
        """The least R, as SciPy gives it."""
        columns = int(self.begun[-1]) + 1
        matrix: Any = scipy.sparse.csr_matrix(
            (np.concatenate(self._value), (np.concatenate(self._row), np.concatenate(self._column))),
            shape=(self.count, columns),
        )
        least, most = np.append(np.zeros(columns - 1), 1.0), np.concatenate(self._most)
        found = scipy.optimize.linprog(least, A_ub=matrix, b_ub=most, method="highs-ipm")
        # Of a programme that has a solution its presolve has been seen to say that there is none.
        if found.status == _INFEASIBLE:
            found = scipy.optimize.linprog(
                least, A_ub=matrix, b_ub=most, method="highs-ds", options={"presolve": False}
            )
        return found
