"""Share a course out among teams of aircraft so that the slowest stretch is as quick as can be.

Teams stand in an order along the course and each gets one contiguous stretch of it. For a limit on the time, filling
the course from its start with the longest stretch that each team manages within the limit is best among contiguous
stretches in that order, since less of a stretch never takes longer; bisection finds the least limit. Teams that stand
side by side then change places where that helps. `missions.furthest` says how far a crew comes, and within its stretch
`Reach` finds where sorties end. The work grows with the length of the course, whatever the number of teams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from missions.furthest import Crew, Known, Work
from missions.gleaning import gleaned
from missions.stretch import Team

__all__ = ["Block", "Objective", "Team", "share_out"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

Objective = Literal["revisit", "once"]

_CLOSE = 1e-5
"""Bisection ends when the limit is known to this share of itself."""

_CLOSE_S = 0.01
_SHADE = 1e-9
"""A limit that was reached is reached again with so much more of it."""

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
    *,
    known: Known | None = None,
) -> list[Block]:
    """Blocks for the teams, along the course.

    Every piece that a team can see is in a block, of a team that can see it; what none can see is in no block.

    Parameters
    ----------
    teams
        What sorties cost. The same object for equal teams at one base, or for one that is `known`, saves time.
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
    known
        What was found out about teams when a course was shared out before, and is added to.

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
    weights = np.ones(count - 1)
    if weight is not None and objective == "revisit" and np.max(weight) > 0:
        # What bears no risk is to be seen all the same, if ever so seldom.
        weights = np.maximum(weight, _LEAST_WEIGHT * np.max(weight))
    wanted = open_ if needed is None else open_ & np.asarray(needed, dtype=bool)
    each = [(teams[n], teams[n].spare_s(aircraft) if objective == "once" else 0.0) for n, aircraft in crews]
    known = known or Known()
    sharing = _Sharing(known, each, walls, wanted, weights, once=objective == "once")
    blocks: list[Block] = []
    turns = [0] * len(crews)
    sorties = sharing.solve()
    known.forget(len(teams), count)
    for crew, start, stop, backward in sorties:
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


class _Sharing:
    """The state of one sharing-out."""

    def __init__(
        self,
        known: Known,
        each: Sequence[tuple[Team, float]],
        walls: Ints,
        wanted: Bools,
        weights: Floats,
        *,
        once: bool,
    ) -> None:
        """`each` is a team, or one aircraft of it where one look is wanted, and the time that it has to spare."""
        self.count = len(wanted) + 1
        self.once = once
        self._known, self._each, self._walls, self._weights = known, each, walls, weights
        reaches = {id(team): known.reach(team, walls) for team, _ in each}
        seen = np.zeros(self.count - 1, dtype=bool)
        self.startable = np.zeros(self.count, dtype=bool)
        for reach in reaches.values():
            seen |= reach.seen(self.count)
            self.startable[reach.stations[:-1][reach.joined]] = True
        self.seen = seen & wanted
        self.order = sorted(range(len(each)), key=lambda crew: _position(each[crew][0]))
        # Above the limit that is sought, as far as it is known.
        self.most = 0.0
        self._leave(~self.seen)

    def _leave(self, free: Bools) -> None:
        """Take the pieces in `free` out of the work."""
        left = np.append(np.flatnonzero(~free), self.count - 1)
        self.onward: Ints = left[np.searchsorted(left, np.arange(self.count))]
        work = Work(self.onward, self.startable, np.where(free, 0.0, self._weights), self.once)
        key = work.key
        self.crews = [
            self._known.crew(team, self._walls, 1 if self.once else team.size, spare_s, work=work, key=key)
            for team, spare_s in self._each
        ]

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
                place = crews[0].onward(int(crews[0].startable(index, crews[0].end(index))[-1]))
        return lost & self.seen

    def _stretch(self, crew: Crew, place: int, limit: float) -> tuple[int, float]:
        """The furthest station that a crew comes to from station `place` within `limit`, and the figure it has then."""
        return crew.stretch(place, limit, self.most)

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
        self.most = high * (1 + 2 * _SHADE)
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
        place, limit = int(self.onward[0]), limit * (1 + _SHADE)
        for number in self.order:
            crew = self.crews[number]
            stop = self._stretch(crew, place, limit)[0]
            if stop > place:
                made += [(number, *sortie) for sortie in crew.sorties(place, stop, limit)]
                place = stop
        if lost.any():
            made += gleaned([crew.reach for crew in self.crews], lost)
        return sorted(made, key=lambda sortie: sortie[1:3])


def _position(team: Team) -> float:
    """The middle of the stations that are nearest to the base of a team."""
    way = team.out_s + team.home_s
    if not np.isfinite(way).any():
        return float(len(way))
    return float(np.argmin(way))
