"""Share a line out among aircraft and sorties so that the slowest cycle is as short as can be.

Each aircraft gets one contiguous stretch, each sortie one contiguous block of it. For a limit on the cycle, filling
the line from its start with the longest stretch that each aircraft manages in that time is best among contiguous
stretches in that order; bisection finds the least limit. Within a stretch, a dynamic programme over the stations
chooses where sorties end. Optimal among contiguous blocks between stations in the given order of aircraft.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "Costs", "share_out"]

Floats = NDArray[np.float64]

_SKIP_S = 1e7
"""Price of a piece that this aircraft cannot reach but another can: never worth it while there is another way."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What sorties of one aircraft cost.

    Parameters
    ----------
    sortie_s
        Time from take-off to the next take-off, seconds, of a sortie from station i to station j, shape (n, n);
        infinite where it cannot be flown.
    """

    sortie_s: Floats

    @property
    def reachable(self) -> NDArray[np.bool_]:
        """Which pieces between neighbouring stations the aircraft can patrol at all, shape (n - 1,)."""
        return np.isfinite(np.diagonal(self.sortie_s, 1))


@dataclass(frozen=True, slots=True)
class Block:
    """Stations from `start` to `stop`, flown by aircraft number `vehicle` as its sortie number `turn`."""

    vehicle: int
    turn: int
    start: int
    stop: int


def share_out(costs: list[Costs]) -> list[Block]:
    """Blocks for the aircraft, in the order in which they stand along the line.

    Pieces that no aircraft can reach are in no block.

    Parameters
    ----------
    costs
        One entry for each aircraft; the same object for equal aircraft at one base saves time.
    """
    count = costs[0].sortie_s.shape[0]
    nobody = ~np.logical_or.reduce([c.reachable for c in costs])
    memory: dict[tuple[int, int], tuple[Floats, NDArray[np.int64]]] = {}

    def stretch(vehicle: int, start: int) -> tuple[Floats, NDArray[np.int64]]:
        key = (id(costs[vehicle]), start)
        if key not in memory:
            memory[key] = _stretch(costs[vehicle], start, nobody)
        return memory[key]

    def fill(limit: float) -> list[tuple[int, int]] | None:
        start, parts = 0, []
        for vehicle in range(len(costs)):
            times, _ = stretch(vehicle, start)
            stop = start + int(np.flatnonzero(times <= limit)[-1])
            parts.append((start, stop))
            start = stop
        return parts if start == count - 1 else None

    low, high = 0.0, max(float(stretch(vehicle, 0)[0][-1]) for vehicle in range(len(costs)))
    while high - low > max(0.25, 1e-6 * high):
        middle = (low + high) / 2
        if fill(middle) is None:
            low = middle
        else:
            high = middle
    parts = fill(high)
    assert parts is not None
    blocks: list[Block] = []
    for vehicle, (start, stop) in enumerate(parts):
        _, previous = stretch(vehicle, start)
        own = [(start + a, start + b) for a, b in _steps(previous, stop - start)]
        # A step of one piece that cannot be flown was a skip.
        flown = [(a, b) for a, b in own if b - a > 1 or costs[vehicle].reachable[a]]
        blocks += [Block(vehicle, turn, a, b) for turn, (a, b) in enumerate(flown)]
    return blocks


def _steps(previous: NDArray[np.int64], stop: int) -> list[tuple[int, int]]:
    """From station 0 to `stop` by the programme's choices."""
    steps: list[tuple[int, int]] = []
    while stop > 0:
        steps.append((int(previous[stop]), stop))
        stop = int(previous[stop])
    return steps[::-1]


def _stretch(costs: Costs, start: int, nobody: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.int64]]:
    """Least cycle time to patrol from `start` to every later station, and where its last sortie begins."""
    table = costs.sortie_s[start:, start:]
    count = table.shape[0]
    time = np.full(count, np.inf)
    previous = np.zeros(count, dtype=np.int64)
    time[0] = 0.0
    for i in range(count - 1):
        if not costs.reachable[start + i]:
            skipped = time[i] + (0.0 if nobody[start + i] else _SKIP_S)
            if skipped < time[i + 1]:
                time[i + 1], previous[i + 1] = skipped, i
        through = time[i] + table[i, i + 1 :]
        better = np.flatnonzero(through < time[i + 1 :]) + i + 1
        time[better], previous[better] = through[better - i - 1], i
    return time, previous
