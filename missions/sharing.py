"""Share a course out among teams of aircraft so that the slowest stretch is as quick as can be.

Teams stand in an order along the course and each gets one contiguous stretch of it. For a limit on the time, filling
the course from its start with the longest stretch that each team manages within the limit is best among contiguous
stretches in that order, since less of a stretch never takes longer; bisection finds the least limit. Teams that stand
side by side then change places where that helps. Within a stretch, `Reach` finds where sorties end. The work grows with
the length of the course, whatever the number of teams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from missions.gleaning import gleaned
from missions.stretch import Reach, Team

__all__ = ["Block", "Objective", "Team", "share_out"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

Objective = Literal["revisit", "once"]

_CLOSE = 1e-5
"""Bisection ends when the limit is known to this share of itself."""

_CLOSE_S = 0.01
_LEAST_WEIGHT = 1e-6
"""Least weight of a piece, as a share of the largest."""

_ROUNDS = 8
"""Most times that teams change places and the limit is sought again."""


@dataclass(frozen=True, slots=True)
class Block:
    """Stations from `start` to `stop`, seen by one sortie.

    Parameters
    ----------
    team
        Which of the teams flies it.
    turn
        Its place among the sorties of the team, or of the aircraft where `aircraft` is given.
    start, stop
        Stations, `start` before `stop`.
    backward
        Whether it is flown from `stop` to `start`.
    aircraft
        Which aircraft of the team flies it in a single coverage; None where all fly it in turn.
    """

    team: int
    turn: int
    start: int
    stop: int
    backward: bool
    aircraft: int | None = None


def share_out(
    teams: Sequence[Team],
    passable: Bools | None = None,
    weight: Floats | None = None,
    objective: Objective = "revisit",
    needed: Bools | None = None,
) -> list[Block]:
    """Blocks for the teams, along the course.

    Every piece that a team can see is in a block, of a team that can see it; what none can see is in no block.

    Parameters
    ----------
    teams
        What sorties cost. The same object for equal teams at one base saves time.
    passable
        Which pieces between neighbouring stations can be flown at all, shape (n - 1,); all by default.
    weight
        Risk weight of each piece, at least 0, shape (n - 1,); 1 by default.
    objective
        ``"revisit"``: every aircraft of a team flies all sorties of its stretch in turn, evenly staggered, so that the
        stretch is seen again after its whole time over the aircraft of the team; the largest such interval, times the
        largest weight in its stretch, is made as small as can be. ``"once"``: one look at everything; each aircraft has
        its own part of the stretch, and the last landing is made as early as can be, by `Team.late_s`, `weight` aside.
    needed
        Which pieces are to be seen, shape (n - 1,); all by default. The others are flown over within a sortie, or left
        out between two, whichever is quicker.

    Raises
    ------
    ValueError
        When there are no teams, no piece, or arrays of unequal lengths.
    """
    count = _stations(teams, passable, weight, needed)
    if objective == "once":
        crews = [(number, aircraft) for number, team in enumerate(teams) for aircraft in range(team.size)]
    else:
        crews = [(number, -1) for number in range(len(teams))]
    open_ = np.ones(count - 1, dtype=bool) if passable is None else np.asarray(passable, dtype=bool)
    walls = np.concatenate([[0], np.cumsum(~open_)])
    reaches = {id(team): Reach(team, walls) for team in teams}
    weights = np.ones(count - 1)
    if weight is not None and objective == "revisit" and np.max(weight) > 0:
        # What bears no risk is to be seen all the same, if ever so seldom.
        weights = np.maximum(weight, _LEAST_WEIGHT * np.max(weight))
    wanted = open_ if needed is None else open_ & np.asarray(needed, dtype=bool)
    spares = [teams[number].spare_s(aircraft) if objective == "once" else 0.0 for number, aircraft in crews]
    sharing = _Sharing([reaches[id(teams[number])] for number, _ in crews], spares, wanted, weights, objective)
    blocks: list[Block] = []
    turns = [0] * len(crews)
    for crew, start, stop, backward in sharing.solve():
        team, aircraft = crews[crew]
        blocks.append(Block(team, turns[crew], start, stop, backward, aircraft if aircraft >= 0 else None))
        turns[crew] += 1
    return blocks


def _stations(teams: Sequence[Team], passable: Bools | None, weight: Floats | None, needed: Bools | None) -> int:
    if not teams:
        raise ValueError("no teams to share the course out among: give at least one")
    count = len(teams[0].out_s)
    if count < 2:
        raise ValueError(f"teams[0].out_s has {count} stations: give at least two")
    names = ("out_s", "home_s", "out_wh", "home_wh", "time_s", "energy_wh", "back_time_s", "back_energy_wh", "last")
    for number, team in enumerate(teams):
        for name in names:
            values = getattr(team, name)
            if values is not None and len(values) != count:
                raise ValueError(f"teams[{number}].{name} has {len(values)} stations, teams[0].out_s {count}")
        if team.late_s and len(team.late_s) != team.size:
            raise ValueError(f"teams[{number}].late_s has {len(team.late_s)} values, the team {team.size} aircraft")
        if team.size < 1:
            raise ValueError(f"teams[{number}].size is {team.size}: give at least one aircraft")
    for name, pieces in (("passable", passable), ("weight", weight), ("needed", needed)):
        if pieces is not None and len(pieces) != count - 1:
            raise ValueError(f"{name} has {len(pieces)} pieces, the course {count - 1}")
    return count


class _Crew:
    """A team, or one aircraft of it, and the stretches that it can see."""

    def __init__(self, reach: Reach, size: int, spare_s: float) -> None:
        self.reach, self.size, self.spare_s = reach, size, spare_s
        self.quickest: Floats = reach.team.time_s
        self.links: Ints = np.empty(0, dtype=np.intp)
        self._ends: Ints = np.empty(0, dtype=np.intp)

    def free(self, onward: Ints, quickest: Floats) -> None:
        """Take note of what need not be seen.

        `onward` is the first station from each that still has work, `quickest` the least time to patrol what has to be
        seen from the first station to each.
        """
        self.quickest = quickest
        stations = self.reach.stations
        link = onward[stations[:-1]] >= stations[1:]
        self.links = np.flatnonzero(link)
        self._ends = np.append(np.flatnonzero(~self.reach.joined & ~link), len(stations) - 1)

    def end(self, place: int) -> int:
        """Last place that the crew can come to from `place` on."""
        return int(self._ends[np.searchsorted(self._ends, place)])


class _Sharing:
    """The state of one sharing-out."""

    def __init__(
        self, reaches: list[Reach], spares: list[float], wanted: Bools, weights: Floats, objective: Objective
    ) -> None:
        self.count = len(wanted) + 1
        self.once = objective == "once"
        self.weights = weights
        self.distinct = list({id(reach): reach for reach in reaches}.values())
        made: dict[tuple[int, float], _Crew] = {}
        for reach, spare_s in zip(reaches, spares, strict=True):
            made.setdefault((id(reach), spare_s), _Crew(reach, 1 if self.once else reach.team.size, spare_s))
        self.crews = [made[id(reach), spare_s] for reach, spare_s in zip(reaches, spares, strict=True)]
        seen = np.zeros(self.count - 1, dtype=bool)
        self.startable = np.zeros(self.count, dtype=bool)
        for reach in self.distinct:
            seen |= reach.seen(self.count)
            self.startable[reach.stations[:-1][reach.joined]] = True
        self.seen = seen & wanted
        self.order = sorted(range(len(reaches)), key=lambda crew: _position(reaches[crew].team))
        self._leave(~self.seen)

    def _leave(self, free: Bools) -> None:
        """Take the pieces in `free` out of the work."""
        work = np.append(np.flatnonzero(~free), self.count - 1)
        self.onward: Ints = work[np.searchsorted(work, np.arange(self.count))]
        self.weights = np.where(free, 0.0, self.weights)
        quickest: dict[tuple[int, int], Floats] = {}
        for crew in {id(c): c for c in self.crews}.values():
            team = crew.reach.team
            key = id(team.time_s), id(team.back_time_s)
            if key not in quickest:
                pieces = np.where(free, 0.0, np.minimum(np.diff(team.time_s), np.diff(team.back_time_s)))
                quickest[key] = np.concatenate([[0.0], np.cumsum(pieces)])
            crew.free(self.onward, quickest[key])

    def solve(self) -> list[tuple[int, int, int, bool]]:
        """Sorties as crew, start, stop and whether backward, along the course."""
        lost = self._lost()
        if lost.any():
            self._leave(~self.seen | lost)
        if self.onward[0] == self.count - 1:
            return []
        limit = self._least()
        for _ in range(_ROUNDS if len(self.crews) > 1 else 0):
            better = self._changed_places(limit * (1 - 10 * _CLOSE) - _CLOSE_S)
            if better is None:
                break
            self.order = better
            limit = self._least(limit)
        return self._sorties(limit, lost)

    def _lost(self) -> Bools:
        """Pieces that the crews could see but not in their order, however long they took."""
        lost = np.zeros(self.count - 1, dtype=bool)
        place = int(self.onward[0])
        for left in range(len(self.order) + 1):
            crews = [self.crews[c] for c in self.order[left:]]
            while place < self.count - 1 and all(crew.reach.index(place) is None for crew in crews):
                # Nobody who is still to come begins here.
                lost[place] = True
                place = int(self.onward[place + 1])
            if place == self.count - 1 or not crews:
                break
            index = crews[0].reach.index(place)
            if index is not None:
                place = self._from(crews[0], self._startable(crews[0], index, crews[0].end(index))[-1])
        return lost & self.seen

    def _from(self, crew: _Crew, index: int) -> int:
        return int(self.onward[crew.reach.stations[index]])

    def _startable(self, crew: _Crew, start: int, stop: int) -> Ints:
        """Places from `start` to `stop` at which another may take over, or all is done."""
        onward = self.onward[crew.reach.stations[start : stop + 1]]
        good = self.startable[onward] | (onward == self.count - 1)
        good[0] = True
        return start + np.flatnonzero(good)

    def _stretch(self, crew: _Crew, place: int, limit: float) -> tuple[int, float]:
        """The furthest station that a crew comes to from station `place` within `limit`, and the figure it has then."""
        start = crew.reach.index(place)
        if start is None:
            return place, 0.0
        stop, times = self._times(crew, start, limit)
        if stop == start:
            return place, 0.0
        figures = self._figures(crew, start, stop, times)
        good = self._startable(crew, start, stop)
        good = good[figures[good - start] <= limit]
        return self._from(crew, int(good[-1])), float(figures[good[-1] - start])

    def _times(self, crew: _Crew, start: int, limit: float) -> tuple[int, list[Floats]]:
        stations = crew.reach.stations
        first = int(stations[start])
        # A shade more, so that a limit that was reached is reached again.
        most_s = (limit * crew.size + crew.spare_s) * (1 + 1e-9)
        if most_s <= 0:
            # Others take off until then.
            return start, []
        furthest = self._furthest(crew.quickest, first, most_s)
        most_s /= float(self.weights[first])
        stop = min(crew.end(start), max(start, int(np.searchsorted(stations, furthest, side="right")) - 1))
        if stop == start:
            return start, []
        return stop, crew.reach.layers(start, stop, crew.links, most_s)

    def _furthest(self, quickest: Floats, first: int, most_s: float) -> int:
        """A station no nearer than any that is reached from station `first` within the weighted time `most_s`."""
        furthest = int(np.searchsorted(quickest, quickest[first] + most_s / self.weights[first], side="right"))
        patrol_s = quickest[first + 1 : furthest] - quickest[first]
        worst = np.maximum.accumulate(self.weights[first : first + len(patrol_s)])
        return first + int(np.count_nonzero(worst * patrol_s <= most_s)) + 1

    def _figures(self, crew: _Crew, start: int, stop: int, layers: list[Floats]) -> Floats:
        if self.once:
            figures = layers[-1] - crew.spare_s
        else:
            rounds = np.min(self._rounds(crew, layers), axis=0)
            stations = crew.reach.stations
            first = int(stations[start])
            worst = np.maximum.accumulate(np.append(0.0, self.weights[first : int(stations[stop])]))
            with np.errstate(invalid="ignore"):
                figures = worst[stations[start : stop + 1] - first] * rounds
            figures[np.isinf(rounds)] = np.inf
        figures[0] = 0.0
        return figures

    def _rounds(self, crew: _Crew, layers: list[Floats]) -> list[Floats]:
        """After how long the stretch from the first place to each is looked at again, with ever more sorties, s."""
        team = crew.reach.team
        # More sorties may take less time, and hold batteries for longer.
        least = len(layers) - 1 if self.once or np.isinf(team.batteries) else 0
        return [team.round_s(layers[count], count) for count in range(least, len(layers))]

    def _fill(self, limit: float) -> float | None:
        """The largest figure of any crew when all fill up to `limit`; None where the course is not seen by then."""
        place, worst = int(self.onward[0]), 0.0
        for crew in self.order:
            place, figure = self._stretch(self.crews[crew], place, limit)
            worst = max(worst, figure)
            if place == self.count - 1:
                return worst
        return None

    def _least(self, high: float | None = None) -> float:
        """The least limit within which the course is seen."""
        low = 0.0
        if high is None:
            high, reached = 1.0, None
            while (reached := self._fill(high)) is None:
                low, high = high, 4 * high
            high = reached
        while high - low > max(_CLOSE_S, _CLOSE * high):
            middle = (low + high) / 2
            reached = self._fill(middle)
            if reached is None:
                low = middle
            else:
                high = reached
        return high

    def _changed_places(self, limit: float) -> list[int] | None:
        """An order that sees the course within `limit`, found by neighbours changing places; None where none is."""
        order, place = list(self.order), int(self.onward[0])
        for k in range(len(order)):
            if place == self.count - 1:
                return order
            first = self._stretch(self.crews[order[k]], place, limit)[0]
            if k + 1 < len(order) and self.crews[order[k]] is not self.crews[order[k + 1]]:
                straight = self._stretch(self.crews[order[k + 1]], first, limit)[0]
                other = self._stretch(self.crews[order[k + 1]], place, limit)[0]
                if self._stretch(self.crews[order[k]], other, limit)[0] > straight:
                    order[k], order[k + 1] = order[k + 1], order[k]
                    first = other
            place = first
        return order if place == self.count - 1 else None

    def _sorties(self, limit: float, lost: Bools) -> list[tuple[int, int, int, bool]]:
        made: list[tuple[int, int, int, bool]] = []
        place, limit = int(self.onward[0]), limit * (1 + 1e-9)
        for number in self.order:
            crew = self.crews[number]
            stop = self._stretch(crew, place, limit)[0]
            if stop > place:
                made += self._traced(number, place, stop, limit)
                place = stop
        if lost.any():
            made += gleaned([crew.reach for crew in self.crews], lost)
        return sorted(made, key=lambda sortie: sortie[1:3])

    def _traced(self, number: int, place: int, stop: int, limit: float) -> list[tuple[int, int, int, bool]]:
        crew = self.crews[number]
        start = crew.reach.index(place)
        assert start is not None
        _, layers = self._times(crew, start, limit)
        # The first place from which nothing is left to see before `stop`.
        last = int(np.flatnonzero(self.onward[crew.reach.stations[start:]] >= stop)[0])
        rounds = [round_s[last] for round_s in self._rounds(crew, layers)]
        # The last of them is that of all layers.
        depth = len(layers) - len(rounds) + 1 + int(np.argmin(rounds))
        return [(number, *sortie) for sortie in crew.reach.trace(layers[:depth], start, start + last)]


def _position(team: Team) -> float:
    """The middle of the stations that are nearest to the base of a team."""
    way = team.out_s + team.home_s
    if not np.isfinite(way).any():
        return float(len(way))
    return float(np.argmin(way))
