"""One look at many legs by many drones, where a flight may leave legs out on its way out and see them on its way back.

`share_out` has every sortie patrol one stretch from end to end. Where a border folds back upon itself, a flight is
shorter that goes out over some legs of its stretch and comes back over the others: a bitonic tour (Cormen et al.,
Introduction to Algorithms, problem 15-3), here through legs instead of points and with the base put in where that costs
least. Both ways grow together along the border, so that one programme finds the shortest such tour of every stretch
from its first leg on. A pass from end to end is one of them: no sortie is longer than without.

Legs that follow on without a gap are one run of them. Within a run no leg need change ways: whichever way leaps to
where the other one is could have stayed, and leaped from where it stood to wherever it goes next, which is no longer.
The programme therefore has a step for each run, not for each leg, and of one run it knows all tours at once.

Less of a stretch never takes longer, so that filling the border drone by drone is best for a limit on the time. A limit
that is too short also tells the next one at which anybody would come further, so that bisection ends at the very
least: the best division into stretches in the order that `share_out` found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from missions.errors import PlanError
from missions.sharing import share_out
from missions.stretch import Team

__all__ = ["LegTour", "share_legs"]

Floats = NDArray[np.float64]
Places = NDArray[np.complex128]
"""Positions in the plane, east and i times north, metres."""

_FIRST_STEP = 1e-4
"""How far below a limit that is known the next one is sought first, as a share of it: what folds save is little."""

_NEXT_STEP = 4
"""How many times as far it is sought each time that this was not too far."""

_TOGETHER_M = 1e-6
"""Legs are one run where the next one begins no further than this from the end of the one before."""

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class LegTour:
    """One flight.

    Parameters
    ----------
    drone
        Who flies it.
    legs
        Legs in the order of the flight.
    time_s
        From take-off to landing, when each leg is flown in the direction that the rest of the flight goes along the
        border; the better direction of each may save a little more.
    """

    drone: int
    legs: tuple[int, ...]
    time_s: float


def share_legs(
    ends_m: Floats, base_m: Floats, patrol_m_s: float, cruise_m_s: float, *, folded: bool = True
) -> list[LegTour]:
    """Tours that see every leg once, the longest as short as can be found.

    Each drone flies once, with no limit of its battery; transits are straight.

    Parameters
    ----------
    ends_m
        Where each leg begins and ends, in order along the border, east and north in a plane, metres, shape (n, 2, 2).
        Each is flown in either direction. The next one may begin elsewhere than where the one before ends.
    base_m
        Where each drone starts and lands, shape (drones, 2). Equal rows are one base.
    patrol_m_s, cruise_m_s
        Speed along the legs and between them.
    folded
        Whether a tour may come back over legs that it left out. Without, each is a pass from end to end, as `share_out`
        has them. So `plan` flies them: beside a border most of the ways that folds need come within its stand-off.

    Returns
    -------
    tours
        Along the border; drones that have nothing to see have none.

    Raises
    ------
    PlanError
        When there is no leg or no drone, a position is not finite, or patrol is faster than cruise.
    """
    course = _course(ends_m, base_m, patrol_m_s, cruise_m_s)
    passes = _passes(course)
    if not folded:
        return [LegTour(s.drone, tuple(range(s.start, s.stop)), s.time_s) for s in passes]
    order, low, high = _order(course, passes), 0.0, max(s.time_s for s in passes)
    found = _fill(course, order, high)
    while not found.stretches:
        # Gaps between legs may hide a little from the passes.
        low, high = found.next_s, max(found.next_s, high * 1.1)
        found = _fill(course, order, high)
    best = found.stretches
    high = max(stretch.time_s for stretch in best)
    step = _FIRST_STEP * high
    # What is tried lies below `high` by more than is counted as within it: each success lowers it.
    while low < high * (1 - 4 * _ROUNDING):
        found = _fill(course, order, max((low + high) / 2, high - step))
        if found.stretches:
            best, step = found.stretches, _NEXT_STEP * step
            high = max(stretch.time_s for stretch in best)
        else:
            low, step = found.next_s, high
    return [LegTour(s.drone, _flown(course, s), s.time_s) for s in best]


class _Course(NamedTuple):
    near: Places
    far: Places
    along_s: Floats
    runs: NDArray[np.intp]
    base: Places
    cruise_m_s: float


class _Stretch(NamedTuple):
    drone: int
    start: int
    stop: int
    time_s: float


class _Filled(NamedTuple):
    """Stretches within a limit, none where legs are left over, and the next limit at which any drone comes further."""

    stretches: list[_Stretch]
    next_s: float


def _course(ends_m: Floats, base_m: Floats, patrol_m_s: float, cruise_m_s: float) -> _Course:
    for name, values, shape in (("ends_m", ends_m, (2, 2)), ("base_m", base_m, (2,))):
        if values.shape[1:] != shape or not len(values) or not np.isfinite(values).all():
            raise PlanError(
                f"{name} of shape {values.shape} cannot be shared out: give at least one row of finite metres"
            )
    if not 0 < patrol_m_s <= cruise_m_s:
        raise PlanError(f"patrol at {patrol_m_s} m/s and cruise at {cruise_m_s} m/s: patrol may not be the faster one")
    near, far = (_places(ends_m[:, end]) for end in (0, 1))
    along_s = np.concatenate([[0.0], np.cumsum(_apart(near, far) / patrol_m_s)])
    runs = np.append(0, 1 + np.flatnonzero(_apart(far[:-1], near[1:]) > _TOGETHER_M))
    return _Course(near, far, along_s, runs, _places(base_m), cruise_m_s)


def _places(xy: Floats) -> Places:
    out: Places = xy[..., 0] + 1j * xy[..., 1]
    return out


def _apart(a: Places | complex, b: Places | complex) -> Floats:
    out: Floats = np.abs(a - b)
    return out


def _passes(course: _Course) -> list[_Stretch]:
    """What each drone sees when every sortie is a pass from end to end, along the border."""
    stations = np.append(course.near, course.far[-1])
    gaps = np.append(_apart(course.far[:-1], course.near[1:]), 0.0) / course.cruise_m_s
    time_s = course.along_s + np.concatenate([[0.0], np.cumsum(gaps)])
    bases, which, sizes = np.unique(course.base, return_inverse=True, return_counts=True)
    none = np.zeros(len(stations))
    teams = []
    for base, size in zip(bases, sizes.tolist(), strict=True):
        way_s = _apart(stations, base) / course.cruise_m_s
        teams.append(Team(size, way_s, way_s, none, none, time_s, none, time_s, none, np.inf))
    drones = [np.flatnonzero(which == number).tolist() for number in range(len(bases))]
    made = []
    for block in share_out(teams, objective="once"):
        assert block.aircraft is not None  # one look is shared out among single aircraft
        drone, last = drones[block.team][block.aircraft], block.stop - 1
        ways_m = _apart(course.base[drone], np.array([course.near[block.start], course.far[last]])).sum()
        patrol_s = time_s[last] - time_s[block.start] + course.along_s[block.stop] - course.along_s[last]
        made.append(_Stretch(drone, block.start, block.stop, float(ways_m / course.cruise_m_s + patrol_s)))
    return made


def _order(course: _Course, passes: list[_Stretch]) -> list[int]:
    """The drones along the border: who has nothing to see waits where the border is nearest."""
    stations = np.append(course.near, course.far[-1])
    place = {drone: float(np.argmin(_apart(stations, base))) for drone, base in enumerate(course.base)}
    place |= {stretch.drone: (stretch.start + stretch.stop) / 2 for stretch in passes}
    return sorted(place, key=lambda drone: place[drone])


def _fill(course: _Course, order: list[int], limit_s: float) -> _Filled:
    """Each drone in turn takes the longest stretch that it manages within the limit."""
    start, made, next_s = 0, [], np.inf
    for drone in order:
        stretch, longer_s = _reach(course, drone, start, limit_s)
        next_s = min(next_s, longer_s)
        if stretch.stop > start:
            made.append(stretch)
        start = stretch.stop
        if start == len(course.near):
            return _Filled(made, next_s)
    return _Filled([], next_s)


def _reach(course: _Course, drone: int, start: int, limit_s: float) -> tuple[_Stretch, float]:
    """The longest stretch from leg `start` on that a drone sees within the limit; the time of one leg more."""
    growth = _Growth(course, drone, start, _last_within(course, start, limit_s))
    # A pass from end to end that is within the limit needs no closer look, unless it is the last that is.
    ways_m = growth.home[0] + growth.gaps + growth.home[1:]
    passes = np.flatnonzero(ways_m / course.cruise_m_s + growth.patrol_s <= limit_s)
    sure = int(passes[-1]) if len(passes) else 0
    stop, best_s = 0, 0.0
    for run in range(len(growth.tips)):
        growth.add(run)
        first = max(int(growth.runs[run]), sure)
        if first >= growth.runs[run + 1]:
            continue
        times = growth.patrol_s[first : growth.runs[run + 1]] + growth.closed(run, first) / course.cruise_m_s
        above = np.flatnonzero(times > limit_s * (1 + _ROUNDING))
        if len(above):
            last = int(above[0])
            if last:
                stop, best_s = first + last, float(times[last - 1])
            return _Stretch(drone, start, start + stop, best_s), float(times[last])
        stop, best_s = first + len(times), float(times[-1])
    return _Stretch(drone, start, start + stop, best_s), np.inf


def _last_within(course: _Course, start: int, limit_s: float) -> int:
    """The leg, without itself, up to which a stretch from `start` on is looked at: one more than patrol allows."""
    furthest = np.searchsorted(course.along_s, course.along_s[start] + limit_s, side="right")
    return min(int(furthest) + 1, len(course.near))


def _flown(course: _Course, stretch: _Stretch) -> tuple[int, ...]:
    """Legs in the order of the tour of a stretch."""
    growth = _Growth(course, stretch.drone, stretch.start, stretch.stop)
    kept = []
    for run in range(len(growth.tips)):
        growth.add(run)
        kept.append((growth.without[: run + 1].copy(), growth.within[: run + 1].copy()))
    count = stretch.stop - stretch.start
    # The base stands after all legs.
    beside: list[list[int]] = [[] for _ in range(count + 1)]

    def join(a: int, b: int, *, by_base: bool) -> None:
        for one, other in [(a, count), (count, b)] if by_base else [(a, b)]:
            beside[one].append(other)
            beside[other].append(one)

    within, tip = growth.closing()
    join(count - 1, growth.owner(tip), by_base=not within)
    for run in range(len(kept) - 1, -1, -1):
        turned = growth.turned(run, tip, kept[run]) if within else None
        within = within and turned is None
        for leg in range(int(growth.runs[run]) + 1, int(growth.runs[run + 1])):
            join(leg - 1, leg, by_base=leg == turned)
        if run:
            tip, joined, by_base = growth.before(run, tip, kept[run - 1], within=within)
            join(int(growth.runs[run]), growth.owner(joined), by_base=by_base)
            within = within and not by_base
    order, last, here = [], count, beside[count][0]
    while here != count:
        order.append(stretch.start + here)
        beside[here].remove(last)
        last, here = here, beside[here][0]
    return tuple(order if order[0] <= order[-1] else order[::-1])


class _Growth:
    """Two ways that grow along the border from the near end of its first leg.

    Tip 0 is the near end of the first leg, tip r the far end of the last leg before run r. When run r has begun, one
    way goes on along it and the other ends at a tip j, up to r; `without[j]` and `within[j]` are the least transit up
    to there, metres, less all gaps, for each j, the base not yet on either way, and on one of them.
    """

    def __init__(self, course: _Course, drone: int, start: int, stop: int) -> None:
        self.near, far = course.near[start:stop], course.far[start:stop]
        self.ends = np.append(self.near[:1], far)
        self.patrol_s = course.along_s[start + 1 : stop + 1] - course.along_s[start]
        self.home, self.out = _apart(self.ends, course.base[drone]), _apart(self.near, course.base[drone])
        self.gap = np.append(0.0, _apart(far[:-1], self.near[1:]))
        self.gaps = np.cumsum(self.gap)
        inner = slice(*np.searchsorted(course.runs, [start + 1, stop]))
        self.runs = np.concatenate([[0], course.runs[inner] - start, [stop - start]])
        self.tips, self.tips_home = self.ends[self.runs[:-1]], self.home[self.runs[:-1]]
        self.without, self.within = np.full(len(self.tips), np.inf), np.full(len(self.tips), np.inf)
        self._by_base = np.inf

    def owner(self, tip: int) -> int:
        """The leg that ends at a tip."""
        return max(int(self.runs[tip]) - 1, 0)

    def add(self, run: int) -> None:
        """Begin the next run: on the way along the one before, or on the other."""
        if run == 0:
            self.without[0], self._by_base = 0.0, self.tips_home[0]
            return
        leg, gap, without, within = self.runs[run], self.gap[self.runs[run]], self.without[:run], self.within[:run]
        if leg - self.runs[run - 1] > 1:
            within[:] = self._done(run - 1, without, within)
        hop = _apart(self.tips[:run], self.near[leg])
        self.without[run] = (without + hop).min() - gap
        self.within[run] = min((within + hop).min(), self._by_base + self.out[leg]) - gap
        np.minimum(within, without + (self.home[leg] + self.out[leg] - gap), out=within)
        self._by_base = min(self._by_base, self.without[run] + self.tips_home[run])

    def closed(self, run: int, first: int) -> Floats:
        """Transit of the shortest tours of the legs up to each of a run, from leg `first` of it on, metres."""
        within, without = self._closings(run, first)
        out: Floats = np.minimum(within.min(axis=0), without.min(axis=0))
        out += self.gaps[self.runs[run]]
        return out

    def closing(self) -> tuple[bool, int]:
        """Whether the shortest tour of all legs has the base on a way, and the other tip at which it closes."""
        within, without = self._closings(len(self.tips) - 1, int(self.runs[-1]) - 1)
        if within.min() < without.min():
            return True, int(within.argmin())
        return False, int(without.argmin())

    def turned(self, run: int, tip: int, kept: tuple[Floats, Floats]) -> int | None:
        """The leg of a run before which the base was put in between two of its legs; None where it was not.

        `kept` are `without` and `within` when the run had begun.
        """
        without, within = kept
        inner = self._inner(run)
        if not len(inner) or without[tip] + 2 * inner.min() >= within[tip]:
            return None
        return int(self.runs[run]) + 1 + int(inner.argmin())

    def before(self, run: int, tip: int, kept: tuple[Floats, Floats], *, within: bool) -> tuple[int, int, bool]:
        """How the least transit to the beginning of `run` and `tip` came about.

        `kept` are `without` and `within` when the run before had begun. Returned are the other tip then, the tip that
        the run was joined to, and whether by the base.
        """
        without_then, within_then = kept[0], self._done(run - 1, *kept)
        leg = self.runs[run]
        tips = np.arange(run) if tip == run else np.array([tip])
        joined = tips if tip == run else np.array([run])
        hop = _apart(self.tips[joined], self.near[leg])
        straight = (within_then if within else without_then)[tips] + hop
        by_base = without_then[tips] + self.tips_home[joined] + self.out[leg] if within else np.array([np.inf])
        by = bool(by_base.min() < straight.min())
        k = int((by_base if by else straight).argmin())
        return int(tips[k]), int(joined[k]), by

    def _inner(self, run: int) -> Floats:
        """How far the base is from each place between two legs of a run."""
        return self.home[self.runs[run] + 1 : self.runs[run + 1]]

    def _done(self, run: int, without: Floats, within: Floats) -> Floats:
        """`within` at the end of a run: the base may have been put in between two of its legs."""
        out: Floats = np.minimum(within, without + 2 * self._inner(run).min(initial=np.inf))
        return out

    def _closings(self, run: int, first: int) -> tuple[Floats, Floats]:
        """Transit of the shortest tour for each other tip, less all gaps, shape (tips, legs)."""
        turns = 2 * np.minimum.accumulate(np.append(np.inf, self._inner(run)))[first - self.runs[run] :]
        tips, legs = slice(run + 1), slice(first + 1, self.runs[run + 1] + 1)
        without = self.without[tips, None]
        within = np.minimum(self.within[tips, None], without + turns)
        within += _apart(self.tips[tips, None], self.ends[legs])
        return within, without + (self.tips_home[tips, None] + self.home[legs])
