"""The least time in which the sorties of one team see a stretch of the course.

A programme over the stations where a sortie may begin or end: the least time to a station with one sortie more is a
minimum over a window of stations before it. Windows move forwards only, so that all stations are served at once by
minima over powers of two; the work is a few array operations for each sortie of the stretch, however many stations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Reach", "Team"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Team:
    """Equal aircraft at one base, and what their sorties cost between the n stations of a course.

    A sortie over stations i to j takes ``out_s[i] + time_s[j] - time_s[i] + home_s[j]`` forwards, and
    ``out_s[j] + back_time_s[j] - back_time_s[i] + home_s[i]`` backwards; likewise its energy. Patrolling on from one
    station to another is taken to cost no less than flying straight to it.

    Parameters
    ----------
    size
        Aircraft in the team.
    out_s, home_s, out_wh, home_wh
        From take-off to each station and from each station until the next take-off: climb, transit, descent and
        turn-round; seconds and watt-hours, shape (n,). Infinite where the base cannot reach it.
    time_s, energy_wh
        Patrol from the first station to each, forwards, shape (n,).
    back_time_s, back_energy_wh
        Patrol backwards from each station to the first, shape (n,).
    usable_wh
        Energy of one sortie.
    last
        Furthest station that one sortie from each station may see, shape (n,): limits of mission items and fences.
        The next one is always allowed. None where there is no such limit.
    turn_round_s
        The part of `home_s` that is spent on the ground.
    batteries, charge_s
        Batteries that its sorties may hold, in fractions where a base has them for several teams, and how long each is
        charged after a sortie; infinite for enough.
    late_s
        How long after the first take-off from its base each aircraft has its turn to take off, where that counts.
    """

    size: int
    out_s: Floats
    home_s: Floats
    out_wh: Floats
    home_wh: Floats
    time_s: Floats
    energy_wh: Floats
    back_time_s: Floats
    back_energy_wh: Floats
    usable_wh: float
    last: NDArray[np.integer] | None = None
    turn_round_s: float = 0.0
    batteries: float = np.inf
    charge_s: float = 0.0
    late_s: tuple[float, ...] = ()

    def spare_s(self, aircraft: int) -> float:
        """How much longer than to the last landing an aircraft may take: its last turn-round, less its first wait."""
        return self.turn_round_s - (self.late_s[aircraft] if self.late_s else 0.0)

    def round_s(self, time_s: ArrayLike, sorties: int) -> Floats:
        """How long after one look at a stretch the next comes, seconds, when so many sorties over it take `time_s`.

        Its aircraft share the time among them, and a battery is held for the flight and its charging.
        """
        time = np.asarray(time_s, dtype=float)
        own = time / self.size
        if np.isinf(self.batteries):
            return own
        return np.maximum(own, (time + sorties * (self.charge_s - self.turn_round_s)) / self.batteries)


class Reach:
    """Where the sorties of a team may begin and end, and the least time of its stretches.

    A sortie is allowed where every part of it between two stations in reach could be flown as a sortie too; with the
    costs that `Team` assumes that is every sortie that keeps within the energy.

    Parameters
    ----------
    team
        The team.
    walls
        For each station the number of pieces before it that no sortie may span, shape (n,).
    """

    def __init__(self, team: Team, walls: Ints) -> None:
        self.team = team
        usable = np.isfinite(team.out_s + team.home_s) & (team.out_wh + team.home_wh <= team.usable_wh)
        stations = np.flatnonzero(usable)
        self.stations = stations
        self._whole = len(stations) > 0 and len(stations) == stations[-1] - stations[0] + 1
        wall = np.searchsorted(walls[stations], walls[stations])
        if team.last is not None:
            last = np.minimum.accumulate(np.maximum(team.last, np.arange(1, len(usable) + 1))[::-1])[::-1]
            wall = np.maximum(wall, np.searchsorted(last[stations], stations))
        forward = self._windows(team.out_wh, team.home_wh, team.energy_wh, wall)
        back = self._windows(team.home_wh, team.out_wh, team.back_energy_wh, wall)
        sides = [(team.out_s, team.home_s, team.time_s, forward), (team.home_s, team.out_s, team.back_time_s, back)]
        if all(a is b or np.array_equal(a, b) for a, b in zip(sides[0], sides[1], strict=True)):
            # The same both ways.
            del sides[1]
        self._sides = sides
        self.joined: Bools = np.minimum(forward, back)[1:] <= np.arange(len(stations) - 1)
        """Whether one sortie may span each station in reach and the next."""
        places = np.flatnonzero(self.joined)
        self._place: Ints = np.full(len(usable), -1)
        self._place[stations[places]] = places

    def _windows(self, begin_wh: Floats, end_wh: Floats, along_wh: Floats, wall: Ints) -> Ints:
        """For each station in reach, the first from which a sortie that ends there may begin."""
        begin, end = (begin_wh - along_wh)[self.stations], (end_wh + along_wh)[self.stations]
        if not len(begin) or begin.max() + end.max() <= self.team.usable_wh:
            return wall
        first = np.maximum(_last_above(begin, self.team.usable_wh - end) + 1, wall)
        return np.maximum.accumulate(first)

    def _part(self, values: Floats, start: int, stop: int) -> Floats:
        """Values at the stations in reach from `start` up to `stop`; a view where there are no holes between them."""
        if self._whole:
            return values[int(self.stations[0]) + start : int(self.stations[0]) + stop + 1]
        return values[self.stations[start : stop + 1]]

    def index(self, station: int) -> int | None:
        """Place of a station among those in reach; None where it is not one from which the team can go on."""
        place = int(self._place[station])
        return place if place >= 0 else None

    def seen(self, count: int) -> Bools:
        """Which of the pieces between `count` stations the team can see, shape (count - 1,)."""
        change = np.zeros(count, dtype=np.intp)
        starts = np.flatnonzero(self.joined)
        np.add.at(change, self.stations[starts], 1)
        np.add.at(change, self.stations[starts + 1], -1)
        seen: Bools = np.cumsum(change[:-1]) > 0
        return seen

    def layers(self, start: int, stop: int, links: Ints, limit_s: float) -> list[Floats]:
        """Least time from station in reach `start` to each up to `stop`, with ever more sorties.

        Parameters
        ----------
        start, stop
            Places among the stations in reach.
        links
            Places after which the next one is reached for nothing: what lies between is left out.
        limit_s
            Times above it need not be the least.
        """
        count = stop - start + 1
        first = np.full(count, np.inf)
        first[0] = 0.0
        minima, costs = [], []
        for begin, end, along, window in self._sides:
            along_s = self._part(along, start, stop)
            costs.append((self._part(begin, start, stop) - along_s, self._part(end, start, stop) + along_s))
            minima.append(_WindowMinimum(np.maximum(window[start : stop + 1] - start, 0)))
        found = [first]
        own_links = (links[np.searchsorted(links, start) : np.searchsorted(links, stop)] - start).tolist()
        while True:
            times = found[-1].copy()
            for (begin_s, end_s), minimum in zip(costs, minima, strict=True):
                if len(found) == 1:
                    through = np.where(minimum.first <= 0, begin_s[0] + end_s, np.inf)
                    through[0] = np.inf
                else:
                    through = minimum(found[-1] + begin_s) + end_s
                np.minimum(times, through, out=times)
            for k in own_links:
                times[k + 1] = min(times[k + 1], times[k])
            # A shade less is rounding, and would go on for ever.
            if not np.any((times < found[-1] - 1e-9) & (times <= limit_s)):
                return found
            found.append(times)

    def trace(self, layers: list[Floats], start: int, stop: int) -> list[tuple[int, int, bool]]:
        """The sorties that lead from `start` to `stop` in the time of the last layer: from, to, and whether backwards.

        `layers` are those from `start` on; stations are those of the course.
        """
        made: list[tuple[int, int, bool]] = []
        here, depth = stop - start, len(layers) - 1
        while here > 0 and depth > 0:
            before = layers[depth - 1]
            best = (float(before[here]), -1, False)
            for backward, (begin, end, along, window) in enumerate(self._sides):
                low = max(int(window[start + here]) - start, 0)
                if low < here:
                    along_s = self._part(along, start + low, start + here)
                    times = before[low:here] + self._part(begin, start + low, start + here - 1) - along_s[:-1]
                    k = int(np.argmin(times))
                    time = float(times[k] + end[self.stations[start + here]] + along_s[-1])
                    if time < best[0] - 1e-9:
                        best = (time, low + k, bool(backward))
            if best[1] >= 0 and best[0] <= layers[depth][here] + 1e-6:
                made.append((int(self.stations[start + best[1]]), int(self.stations[start + here]), best[2]))
                here, depth = best[1], depth - 1
            elif before[here] <= layers[depth][here] + 1e-6:
                depth -= 1
            else:
                # Reached for nothing from the one before.
                here -= 1
        return made[::-1]


class _WindowMinimum:
    """Least value among the places from ``first[j]`` up to but without j, for every j at once."""

    def __init__(self, first: Ints) -> None:
        self.first = first
        self._whole = not first.any()
        if self._whole:
            # Most often energy leaves every beginning open: no table is needed.
            return
        count = len(first)
        here = np.arange(count)
        width = here - first
        self._empty = width <= 0
        level = np.maximum(np.frexp(width.astype(float))[1] - 1, 0)
        self._levels = int(level.max(initial=0)) + 1
        left = np.where(self._empty, 0, first)
        right = np.where(self._empty, 0, here - (1 << level))
        self._left, self._right = level * count + left, level * count + right
        self._table = np.full((self._levels, count), np.inf)

    def __call__(self, values: Floats) -> Floats:
        out: Floats
        if self._whole:
            out = np.full(len(values), np.inf)
            np.minimum.accumulate(values[:-1], out=out[1:])
            return out
        table = self._table
        table[0] = values
        for level in range(1, self._levels):
            step = 1 << (level - 1)
            np.minimum(table[level - 1, :-step], table[level - 1, step:], out=table[level, :-step])
        flat = table.ravel()
        out = np.minimum(flat[self._left], flat[self._right])
        out[self._empty] = np.inf
        return out


def _last_above(values: Floats, thresholds: Floats) -> Ints:
    """For each place the last one before it whose value is above the threshold of the place; -1 where none is."""
    count = len(values)
    tables = [values]
    while 2 ** len(tables) <= count:
        step = 1 << (len(tables) - 1)
        tables.append(np.maximum(tables[-1][:-step], tables[-1][step:]))
    place = np.arange(count)
    for level in range(len(tables) - 1, -1, -1):
        before = place - (1 << level)
        clear = (before >= 0) & (tables[level][np.maximum(before, 0)] <= thresholds)
        place = np.where(clear, before, place)
    return place - 1
