"""The cheapest sorties over one stretch each that look at all of a line: a shortest path along its stations.

The matrix of stretches and pieces has the consecutive ones property, so that sorties in fractions are no cheaper.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from missions.stretch import Team

__all__ = ["Kind", "cheapest", "kinds_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


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

    def shortest(self) -> float:
        """What the shortest sortie takes, seconds."""
        ends = np.arange(self.low, self.high + 1)
        ends = ends[self.first[ends] < ends]
        return float((self.begin[ends - 1] + self.end[ends]).min())

    def bounded(self, first: Ints) -> Kind | None:
        """The sorties that begin at stations from `first[j]` on, which rises; None where there are none."""
        ends = np.flatnonzero((first < np.arange(len(first))) & (self.first < np.arange(len(first))))
        ends = ends[(ends >= self.low) & (ends <= self.high)]
        if not len(ends):
            return None
        return replace(self, first=first.astype(np.int64), low=int(ends[0]), high=int(ends[-1]))


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


def cheapest(kinds: Sequence[Kind], second: Floats, sortie: Floats, demand: Bools) -> list[tuple[int, float]] | None:
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
