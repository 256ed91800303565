"""A lower bound over all plans whose sorties each watch one unbroken stretch of the line.

For given prices of aircraft time and batteries the cheapest set of such sorties that looks at everything once is a
shortest path along the line, found exactly by a programme over its stations: the matrix of stretches and pieces has the
consecutive ones property, so that sorties in fractions are no cheaper. The stretches may be cut anywhere, flown either
way, by any team in any order, and shared among teams piece by piece.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from missions.bound import dearest
from missions.stretch import Team

__all__ = ["Batteries", "Kind", "kinds_of", "stretch_bound"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Batteries:
    """Charged batteries that teams at one base share.

    Parameters
    ----------
    teams
        Numbers of the teams.
    count
        Batteries at the base.
    charge_s
        Time to charge one, seconds: a sortie holds one for its time in the air and this.
    """

    teams: tuple[int, ...]
    count: int
    charge_s: float


def stretch_bound(
    teams: Sequence[Team],
    demand: Bools,
    *,
    passable: Bools | None = None,
    batteries: Sequence[Batteries] = (),
    once: bool = False,
) -> float:
    """No plan of sorties over one stretch each that looks at all of the demand, without a break, is better, seconds.

    Parameters
    ----------
    teams
        What sorties cost, at least: a bound for the true costs needs costs that are not above them.
    demand
        Which pieces between neighbouring stations are to be seen, shape (n - 1,).
    passable
        Which pieces can be flown at all, shape (n - 1,); all by default.
    batteries
        Where batteries are counted.
    once
        Bound the time to the last landing of a single coverage instead of the revisit interval; batteries aside, and
        the last turn-round of each aircraft does not count.
    """
    if not demand.any():
        return 0.0
    kinds = kinds_of(teams, passable, len(demand) + 1)
    size = np.array([float(team.size) for team in teams])
    counted = () if once else tuple(batteries)
    capacity = np.concatenate([size, [float(pool.count) for pool in counted]])
    spare = np.array([team.turn_round_s if once else 0.0 for team in teams] + [0.0] * len(counted))

    def respond(price: Floats) -> Floats:
        # Prices of a second and of a sortie of each team.
        second, sortie = price[: len(teams)].copy(), np.zeros(len(teams))
        for rate, pool in zip(price[len(teams) :], counted, strict=True):
            for team in pool.teams:
                second[team] += rate
                sortie[team] += rate * (pool.charge_s - teams[team].turn_round_s)
        chosen = _cheapest(kinds, second, sortie, demand)
        if chosen is None:
            return np.full(len(price), np.inf)
        used = np.zeros(len(price))
        for team, time_s in chosen:
            used[team] += time_s
            for k, pool in enumerate(counted, len(teams)):
                if team in pool.teams:
                    used[k] += time_s - teams[team].turn_round_s + pool.charge_s
        return used

    found = dearest(capacity, respond, spare)
    return max(found, _longest_round(kinds, teams, demand)) if once else found


@dataclass(frozen=True, slots=True)
class Kind:
    """Sorties of one team in one direction.

    A sortie from station i to j takes ``begin[i] + end[j]`` seconds; it may begin at stations from ``first[j]`` on.
    Stations `low` to `high` are those at which one may end.
    """

    team: int
    begin: Floats
    end: Floats
    first: Ints
    low: int
    high: int


def kinds_of(teams: Sequence[Team], passable: Bools | None, stations: int) -> list[Kind]:
    """The sorties of teams over a line of some stations, of which some pieces may not be passable."""
    walls = np.zeros(stations, dtype=np.int64)
    if passable is not None:
        walls = np.concatenate([[0], np.cumsum(~passable)])
    return [kind for number, team in enumerate(teams) for kind in _kinds(number, team, walls)]


def _kinds(number: int, team: Team, walls: Ints) -> list[Kind]:
    forward = (team.out_s, team.home_s, team.time_s, team.out_wh, team.home_wh, team.energy_wh)
    back = (team.home_s, team.out_s, team.back_time_s, team.home_wh, team.out_wh, team.back_energy_wh)
    ways = [forward] if all(np.array_equal(a, b) for a, b in zip(forward, back, strict=True)) else [forward, back]
    made = []
    for begin_s, end_s, time_s, begin_wh, end_wh, energy_wh in ways:
        # One may begin before a station and end after it: no more is asked of a stretch than that it holds its demand.
        begin, end = _before(begin_s - time_s), _after(end_s + time_s)
        begin_j, end_j = _before(begin_wh - energy_wh), _after(end_wh + energy_wh)
        first = np.searchsorted(-begin_j, end_j - team.usable_wh, side="left")
        first = np.maximum(first, np.searchsorted(walls, walls, side="left"))
        if team.last is not None:
            last = np.maximum.accumulate(np.maximum(team.last, np.arange(1, len(begin) + 1)))
            first = np.maximum(first, np.searchsorted(last, np.arange(len(last)), side="left"))
        ends = np.flatnonzero((first < np.arange(len(first))) & np.isfinite(end) & np.isfinite(end_j))
        if len(ends):
            made.append(Kind(number, begin, end, first.astype(np.int64), int(ends[0]), int(ends[-1])))
    return made


def _before(values: Floats) -> Floats:
    return np.asarray(np.minimum.accumulate(values))


def _after(values: Floats) -> Floats:
    return np.asarray(np.minimum.accumulate(values[::-1])[::-1])


class _Window:
    """Where the sorties of one kind that end at a station may begin, and which beginning is cheapest.

    Stations come in order and the window only moves forwards: what comes later and is no dearer puts out what came
    before, so that the first of the queue is always the least.
    """

    def __init__(self, kind: Kind, second: float, sortie: float) -> None:
        self.kind = kind
        self._begin = (second * kind.begin).tolist()
        self._end = (second * kind.end + sortie).tolist()
        self._first = kind.first.tolist()
        self._entered = self._first[kind.low]
        self._queue: deque[tuple[float, int]] = deque()

    def least(self, j: int, cost: list[float]) -> tuple[float, int]:
        """Least cost up to station j with a sortie that ends there, and where it begins."""
        queue, begin = self._queue, self._begin
        for i in range(self._entered, j):
            value = cost[i] + begin[i]
            while queue and queue[-1][0] >= value:
                queue.pop()
            queue.append((value, i))
        self._entered = max(self._entered, j)
        while queue and queue[0][1] < self._first[j]:
            queue.popleft()
        return (queue[0][0] + self._end[j], queue[0][1]) if queue else (math.inf, 0)


def _cheapest(kinds: Sequence[Kind], second: Floats, sortie: Floats, demand: Bools) -> list[tuple[int, float]] | None:
    """The cheapest sorties that see the demand, as team and seconds; None where none do."""
    count = len(demand) + 1
    cost = [0.0] * count
    came: list[tuple[Kind | None, int]] = [(None, 0)] * count
    waiting = sorted(kinds, key=lambda kind: -kind.low)
    windows: list[_Window] = []
    for j, needed in enumerate(demand.tolist(), 1):
        while waiting and waiting[-1].low <= j:
            kind = waiting.pop()
            windows.append(_Window(kind, float(second[kind.team]), float(sortie[kind.team])))
        best: float = math.inf
        way: tuple[Kind | None, int] = (None, 0)
        if not needed:
            best, way = cost[j - 1], (None, j - 1)
        for window in windows:
            value, begin = window.least(j, cost)
            if value < best:
                best, way = value, (window.kind, begin)
        windows = [window for window in windows if window.kind.high > j]
        cost[j], came[j] = best, way
    if not math.isfinite(cost[-1]):
        return None
    out = []
    j = count - 1
    while j > 0:
        chosen, i = came[j]
        if chosen is not None:
            out.append((chosen.team, float(chosen.begin[i] + chosen.end[j])))
        j = i
    return out


def _longest_round(kinds: Sequence[Kind], teams: Sequence[Team], demand: Bools) -> float:
    """Least time in the air to see the place that is hardest to see."""
    least = np.full(len(demand), np.inf)
    for kind in kinds:
        j = np.arange(max(kind.low, 1), kind.high + 1)
        j = j[kind.first[j] < j]
        air = kind.begin[j - 1] + kind.end[j] - teams[kind.team].turn_round_s
        least[j - 1] = np.minimum(least[j - 1], air)
    return float(least[demand].max())
