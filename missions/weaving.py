"""One look at many legs by many drones, where a flight may leave legs out on its way out and see them on its way back.

`share_out` has every sortie patrol one stretch from end to end. Where a border folds back upon itself, a flight is
shorter that goes out over some legs of its stretch and comes back over the others: a bitonic tour (Cormen et al.,
Introduction to Algorithms, problem 15-3), here through legs instead of points and with the base put in where that costs
least. Both ways grow together along the border, so that one programme finds the shortest such tour of every stretch
from its first leg on. A pass from end to end is one of them: no sortie is longer than without.

Less of a stretch never takes longer, so that filling the border drone by drone is best for a limit on the time, and
bisection finds the least limit: the best division into stretches in the order that `share_out` found.
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

_CLOSE = 3e-4
"""Bisection ends when the limit is known to this share of itself."""

_FIRST_STEP = 0.005


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
    order, high = _order(course, passes), max(s.time_s for s in passes) * (1 + 1e-9)
    low, best = 0.0, _fill(course, order, high)
    while best is None:
        # Gaps between legs may hide a little from the passes.
        low, high = high, high * 1.1
        best = _fill(course, order, high)
    high = max(stretch.time_s for stretch in best)
    # What folds save is little: the first guesses are close to what is known.
    step = _FIRST_STEP * high
    while high - low > _CLOSE * high:
        middle = max((low + high) / 2, high - step)
        found = _fill(course, order, middle)
        if found is None:
            low, step = middle, high
        else:
            best, high, step = found, max(stretch.time_s for stretch in found), 2 * step
    return [LegTour(s.drone, _flown(course, s), s.time_s) for s in best]


class _Course(NamedTuple):
    near: Floats
    far: Floats
    along_s: Floats
    base: Floats
    cruise_m_s: float


class _Stretch(NamedTuple):
    drone: int
    start: int
    stop: int
    time_s: float


def _course(ends_m: Floats, base_m: Floats, patrol_m_s: float, cruise_m_s: float) -> _Course:
    for name, values, shape in (("ends_m", ends_m, (2, 2)), ("base_m", base_m, (2,))):
        if values.shape[1:] != shape or not len(values) or not np.isfinite(values).all():
            raise PlanError(
                f"{name} of shape {values.shape} cannot be shared out: give at least one row of finite metres"
            )
    if not 0 < patrol_m_s <= cruise_m_s:
        raise PlanError(f"patrol at {patrol_m_s} m/s and cruise at {cruise_m_s} m/s: patrol may not be the faster one")
    near, far = ends_m[:, 0], ends_m[:, 1]
    along_s = np.concatenate([[0.0], np.cumsum(_apart(near, far) / patrol_m_s)])
    return _Course(near, far, along_s, base_m, cruise_m_s)


def _apart(a: Floats, b: Floats) -> Floats:
    out: Floats = np.hypot(a[..., 0] - b[..., 0], a[..., 1] - b[..., 1])
    return out


def _passes(course: _Course) -> list[_Stretch]:
    """What each drone sees when every sortie is a pass from end to end, along the border."""
    stations = np.vstack([course.near, course.far[-1:]])
    gaps = np.append(_apart(course.far[:-1], course.near[1:]), 0.0) / course.cruise_m_s
    time_s = course.along_s + np.concatenate([[0.0], np.cumsum(gaps)])
    bases, which, sizes = np.unique(course.base, axis=0, return_inverse=True, return_counts=True)
    none = np.zeros(len(stations))
    teams = []
    for base, size in zip(bases, sizes.tolist(), strict=True):
        way_s = _apart(stations, base) / course.cruise_m_s
        teams.append(Team(size, way_s, way_s, none, none, time_s, none, time_s, none, np.inf))
    drones = [np.flatnonzero(which.ravel() == number).tolist() for number in range(len(bases))]
    made = []
    for block in share_out(teams, objective="once"):
        assert block.aircraft is not None  # one look is shared out among single aircraft
        drone, last = drones[block.team][block.aircraft], block.stop - 1
        ways_m = _apart(course.base[drone], np.stack([course.near[block.start], course.far[last]])).sum()
        patrol_s = time_s[last] - time_s[block.start] + course.along_s[block.stop] - course.along_s[last]
        made.append(_Stretch(drone, block.start, block.stop, float(ways_m / course.cruise_m_s + patrol_s)))
    return made


def _order(course: _Course, passes: list[_Stretch]) -> list[int]:
    """The drones along the border: who has nothing to see waits where the border is nearest."""
    stations = np.vstack([course.near, course.far[-1:]])
    place = {drone: float(np.argmin(_apart(stations, base))) for drone, base in enumerate(course.base)}
    place |= {stretch.drone: (stretch.start + stretch.stop) / 2 for stretch in passes}
    return sorted(place, key=lambda drone: place[drone])


def _fill(course: _Course, order: list[int], limit_s: float) -> list[_Stretch] | None:
    """Stretches when each drone in turn takes the longest that it manages; None where legs are left over."""
    start, made = 0, []
    for drone in order:
        stop, time_s = _reach(course, drone, start, limit_s)
        if stop > start:
            made.append(_Stretch(drone, start, stop, time_s))
        start = stop
        if start == len(course.near):
            return made
    return None


def _reach(course: _Course, drone: int, start: int, limit_s: float) -> tuple[int, float]:
    """The furthest leg, without itself, up to which a drone sees all from leg `start` on within the limit; its time."""
    patrol_s = course.along_s[start + 1 :] - course.along_s[start]
    patrol_s = patrol_s[: np.searchsorted(patrol_s, limit_s, side="right")]
    if not len(patrol_s):
        return start, 0.0
    growth = _Growth(course, drone, start, start + len(patrol_s))
    # A pass from end to end that is within the limit needs no closer look, unless it is the last that is.
    passes = (growth.home[0] + growth.gaps + growth.home[1:]) / course.cruise_m_s + patrol_s <= limit_s
    sure = int(np.flatnonzero(passes)[-1]) if passes.any() else 0
    stop, best_s = start, 0.0
    for leg in range(len(patrol_s)):
        growth.add(leg)
        if leg >= sure:
            time_s = float(patrol_s[leg]) + min(growth.closed(leg)) / course.cruise_m_s
            if time_s > limit_s * (1 + 1e-12):
                break
            stop, best_s = start + leg + 1, time_s
    return stop, best_s


def _flown(course: _Course, stretch: _Stretch) -> tuple[int, ...]:
    """Legs in the order of the tour of a stretch."""
    growth = _Growth(course, stretch.drone, stretch.start, stretch.stop)
    count = stretch.stop - stretch.start
    kept = []
    for leg in range(count):
        kept.append((growth.without[:leg].copy(), growth.within[:leg].copy()))
        growth.add(leg)
    beside: list[list[int]] = [[] for _ in range(count + 1)]

    def join(a: int, b: int) -> None:
        beside[a].append(b)
        beside[b].append(a)

    def connect(leg: int, tip: int, *, by_base: bool) -> None:
        owner = max(tip - 1, 0)
        if by_base:
            # The base stands after all legs.
            join(leg, count)
            join(count, owner)
        else:
            join(leg, owner)

    within, tip = growth.last_tip(count - 1)
    connect(count - 1, tip, by_base=not within)
    for leg in range(count - 1, 0, -1):
        before = growth.before(leg, tip, kept[leg], within=within)
        tip, from_tip, by_base = before
        connect(leg, from_tip, by_base=by_base)
        within = within and not by_base
    order, last, here = [], count, beside[count][0]
    while here != count:
        order.append(stretch.start + here)
        beside[here].remove(last)
        last, here = here, beside[here][0]
    return tuple(order if order[0] <= order[-1] else order[::-1])


class _Growth:
    """Two ways that grow along the border from the near end and from the far end of its first leg.

    Tip 0 is the near end of the first leg, tip k + 1 the far end of leg k. When legs 0 to k are placed, one way ends
    at tip k + 1 and the other at a tip j before it; `without[j]` and `within[j]` are the least transit, metres, for
    each j, the base not yet on either way, and on one of them.
    """

    def __init__(self, course: _Course, drone: int, start: int, stop: int) -> None:
        self.near, far = course.near[start:stop], course.far[start:stop]
        self.tips = np.vstack([self.near[:1], far])
        self.home, self.out = _apart(self.tips, course.base[drone]), _apart(self.near, course.base[drone])
        self.gap = np.append(0.0, _apart(far[:-1], self.near[1:]))
        self.gaps = np.cumsum(self.gap)
        self.without, self.within = np.full(stop - start, np.inf), np.full(stop - start, np.inf)

    def add(self, leg: int) -> None:
        """Place the next leg: on the way that ends at the one before, or on the other."""
        if leg == 0:
            self.without[0] = 0.0
            return
        without, within = self.without[:leg], self.within[:leg]
        hop = _apart(self.tips[:leg], self.near[leg])
        other = float((without + hop).min())
        other_within = min(float((within + hop).min()), float((without + self.home[:leg]).min()) + float(self.out[leg]))
        within += self.gap[leg]
        np.minimum(within, without + (self.home[leg] + self.out[leg]), out=within)
        without += self.gap[leg]
        self.without[leg], self.within[leg] = other, other_within

    def closed(self, leg: int) -> tuple[float, float]:
        """Transit of the shortest tours of the legs up to `leg`, metres: the base on a way, or where the ways meet."""
        within, without = self._closings(leg)
        return float(within.min()), float(without.min())

    def _closings(self, leg: int) -> tuple[Floats, Floats]:
        """Transit of the shortest tour for each other tip."""
        within = self.within[: leg + 1] + _apart(self.tips[: leg + 1], self.tips[leg + 1])
        return within, self.without[: leg + 1] + (self.home[: leg + 1] + self.home[leg + 1])

    def last_tip(self, leg: int) -> tuple[bool, int]:
        """Whether the shortest tour has the base on a way, and the other tip at which it closes."""
        within, without = self._closings(leg)
        if within.min() < without.min():
            return True, int(within.argmin())
        return False, int(without.argmin())

    def before(self, leg: int, tip: int, kept: tuple[Floats, Floats], *, within: bool) -> tuple[int, int, bool]:
        """How the least transit to `leg` and `tip` came about.

        `kept` are `without` and `within` before the leg was placed. Returned are the other tip then, the tip that the
        leg was joined to, and whether by the base.
        """
        without_then, within_then = kept
        tips = np.arange(leg) if tip == leg else np.array([tip])
        joined = tips if tip == leg else np.array([leg])
        hop = _apart(self.tips[joined], self.near[leg])
        detour = self.home[joined] + self.out[leg]
        straight = (within_then if within else without_then)[tips] + hop
        by_base = without_then[tips] + detour if within else np.array([np.inf])
        if by_base.min() < straight.min():
            k, by = int(by_base.argmin()), True
        else:
            k, by = int(straight.argmin()), False
        return int(tips[k]), int(joined[k % len(joined)]), by
