"""How far along a course a crew comes within a limit on the time.

A limit is sought by bisection, and crews are put together in many ways: the same crews begin at the same stations again
and again. What each sees from a station on is found once, for the greatest limit that is asked for, and looked up after
that: it is the same for every lesser one.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from missions.stretch import Reach, Team

__all__ = ["Crew", "Known", "Work"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

_HELD = 100_000
"""Most times to stations that are held of a crew, in all of its stretches but the last."""

_HELD_STATIONS = 400_000
"""Most stations in all courses of the teams that are known at once."""

_WORKS = 4
"""Most ways of what is to be seen for which a team is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What is to be seen of a course of n stations, whoever sees it.

    Parameters
    ----------
    onward
        The first station from each that still has work; the last one where nothing is left, shape (n,).
    startable
        Stations at which somebody can begin, shape (n,).
    weights
        Of the pieces, 0 where there is nothing to see, shape (n - 1,).
    once
        Whether one look at everything is wanted, and not one after the other.
    """

    onward: Ints
    startable: Bools
    weights: Floats
    once: bool

    @property
    def key(self) -> bytes:
        """Equal for equal work."""
        return b"".join((self.onward.tobytes(), self.startable.tobytes(), self.weights.tobytes(), bytes([self.once])))


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What a crew sees from one station on within any limit up to `limit`: where it may stop, and the figures there.

    `layers` are those of `Reach.layers`. `least` are the smallest figures from each place on at which it may stop: the
    last that is within a limit is the furthest.
    """

    limit: float
    layers: list[Floats]
    places: Ints
    figures: Floats
    least: Floats


class Crew:
    """A team, or one aircraft of it, and the stretches that it can see."""

    def __init__(self, reach: Reach, size: int, spare_s: float, work: Work) -> None:
        self.reach, self.size, self.spare_s, self._work = reach, size, spare_s, work
        team, stations = reach.team, reach.stations
        # The least time to patrol what has to be seen from the first station to each.
        pieces = np.minimum(np.diff(team.time_s), np.diff(team.back_time_s))
        self._quickest: Floats = np.concatenate([[0.0], np.cumsum(np.where(work.weights > 0, pieces, 0.0))])
        link = work.onward[stations[:-1]] >= stations[1:]
        self._links: Ints = np.flatnonzero(link)
        self._ends: Ints = np.append(np.flatnonzero(~reach.joined & ~link), len(stations) - 1)
        self._found: dict[int, _Found] = {}
        self._held = 0

    def end(self, place: int) -> int:
        """Last place that the crew can come to from `place` on."""
        return int(self._ends[np.searchsorted(self._ends, place)])

    def onward(self, place: int) -> int:
        """The first station with work from a place among those in reach."""
        return int(self._work.onward[self.reach.stations[place]])

    def startable(self, start: int, stop: int) -> Ints:
        """Places from `start` to `stop` at which another may take over, or all is done."""
        onward = self._work.onward[self.reach.stations[start : stop + 1]]
        good = self._work.startable[onward] | (onward == len(self._work.onward) - 1)
        good[0] = True
        return start + np.flatnonzero(good)

    def stretch(self, station: int, limit: float, most: float) -> tuple[int, float]:
        """The furthest station to which the crew comes from `station` within `limit`, and the figure it has then.

        It may be asked the same with other limits up to `most`.
        """
        start = self.reach.index(station)
        if start is None:
            return station, 0.0
        found = self._known(start, limit, most)
        last = int(found.least.searchsorted(limit, side="right")) - 1
        return (self.onward(int(found.places[last])), float(found.figures[last])) if last >= 0 else (station, 0.0)

    def sorties(self, station: int, stop: int, limit: float) -> list[tuple[int, int, bool]]:
        """Those by which the crew sees from `station` to `stop` within `limit`: from, to, and whether backwards."""
        start = self.reach.index(station)
        assert start is not None  # it came from there
        layers = self._known(start, limit, limit).layers
        # The first place from which nothing is left to see before `stop`.
        last = int(np.flatnonzero(self._work.onward[self.reach.stations[start:]] >= stop)[0])
        rounds = [round_s[last] for round_s in self._rounds(layers)]
        # The last of them is that of all layers.
        depth = len(layers) - len(rounds) + 1 + int(np.argmin(rounds))
        return self.reach.trace(layers[:depth], start, start + last)

    def _known(self, start: int, limit: float, most: float) -> _Found:
        found = self._found.get(start)
        if found is None or found.limit < limit:
            found = self._find(start, max(limit, most))
            size = max(len(found.layers), 1) * len(found.places)
            self._held += size
            if self._held > _HELD:
                self._found.clear()
                self._held = size
            self._found[start] = found
        return found

    def _find(self, start: int, limit: float) -> _Found:
        stop, layers = self._layers(start, limit)
        places, figures = np.array([start]), np.zeros(1)
        if stop > start:
            places = self.startable(start, stop)
            figures = self._figures(start, stop, layers)[places - start]
        return _Found(limit, layers, places, figures, np.minimum.accumulate(figures[::-1])[::-1])

    def _layers(self, start: int, limit: float) -> tuple[int, list[Floats]]:
        """A place no nearer than any that is reached from `start` within `limit`, and the times up to there."""
        stations, weights = self.reach.stations, self._work.weights
        first = int(stations[start])
        # A shade more, so that a limit that was reached is reached again.
        most_s = (limit * self.size + self.spare_s) * (1 + 1e-9)
        if most_s <= 0:
            # Others take off until then.
            return start, []
        furthest = self._furthest(first, most_s)
        stop = min(self.end(start), max(start, int(np.searchsorted(stations, furthest, side="right")) - 1))
        if stop == start:
            return start, []
        return stop, self.reach.layers(start, stop, self._links, most_s / float(weights[first]))

    def _furthest(self, first: int, most_s: float) -> int:
        """A station no nearer than any that is reached from station `first` within the weighted time `most_s`."""
        quickest, weights = self._quickest, self._work.weights
        furthest = int(np.searchsorted(quickest, quickest[first] + most_s / weights[first], side="right"))
        patrol_s = quickest[first + 1 : furthest] - quickest[first]
        worst = np.maximum.accumulate(weights[first : first + len(patrol_s)])
        return first + int(np.count_nonzero(worst * patrol_s <= most_s)) + 1

    def _figures(self, start: int, stop: int, layers: list[Floats]) -> Floats:
        if self._work.once:
            figures = layers[-1] - self.spare_s
        else:
            rounds = np.min(self._rounds(layers), axis=0)
            stations = self.reach.stations
            first = int(stations[start])
            worst = np.maximum.accumulate(np.append(0.0, self._work.weights[first : int(stations[stop])]))
            with np.errstate(invalid="ignore"):
                figures = worst[stations[start : stop + 1] - first] * rounds
            figures[np.isinf(rounds)] = np.inf
        figures[0] = 0.0
        return figures

    def _rounds(self, layers: list[Floats]) -> list[Floats]:
        """After how long the stretch from the first place to each is looked at again, with ever more sorties, s."""
        team = self.reach.team
        if self._work.once or np.isinf(team.batteries):
            return [team.round_s(layers[-1], len(layers) - 1)]
        # More sorties may take less time, and hold batteries for longer. Where they take as long, fewer are flown.
        more = [
            np.where(layers[count] < layers[count - 1], team.round_s(layers[count], count), np.inf)
            for count in range(1, len(layers))
        ]
        return [team.round_s(layers[0], 0), *more]


class Known:
    """Crews of which it is known what they see, as far as they were asked: those of the teams that were asked last."""

    def __init__(self) -> None:
        self._teams: OrderedDict[tuple[Team, bytes], tuple[Reach, dict[tuple[int, float, bytes], Crew]]] = OrderedDict()

    def reach(self, team: Team, walls: Ints) -> Reach:
        """Where sorties of the team may begin and end. Parameters are those of `Reach`."""
        return self._of(team, walls)[0]

    def crew(self, team: Team, walls: Ints, size: int, spare_s: float, *, work: Work, key: bytes) -> Crew:
        """So many aircraft of the team, with some time to spare; `key` is that of the work."""
        reach, crews = self._of(team, walls)
        if (size, spare_s, key) not in crews:
            if len({of for _, _, of in crews} | {key}) > _WORKS:
                crews.clear()
            crews[size, spare_s, key] = Crew(reach, size, spare_s, work)
        return crews[size, spare_s, key]

    def _of(self, team: Team, walls: Ints) -> tuple[Reach, dict[tuple[int, float, bytes], Crew]]:
        key = team, walls.tobytes()
        if key not in self._teams:
            self._teams[key] = Reach(team, walls), {}
        self._teams.move_to_end(key)
        return self._teams[key]

    def forget(self, teams: int, stations: int) -> None:
        """Teams that were not asked of late, where so many are asked on a course of so many stations."""
        while len(self._teams) > max(teams, _HELD_STATIONS // stations):
            self._teams.popitem(last=False)
