"""Circles that wings fly where the ground rises or falls faster than they climb or descend.

Before a slope that they cannot follow wings circle beside their way, and go on higher or lower. Which heights they can
have at a place of the way is an interval, carried along the way by what they climb and descend; where it becomes empty
the way cannot be flown on. A circle that touches the way at a place before, flown a few times, makes the interval there
wider. Of all such places the one is taken that leads farthest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from missions.effort import effort
from missions.headroom import eased
from missions.laps import Bounds, Circles, Laps, Profile, courses

__all__ = ["Circling", "Flown", "circlings", "flown_over"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_BACK_M = 4000.0
"""How far before a slope there may be a circle for it, metres."""

_PLACES = 40
"""At how many places before a slope circles are tried, most."""

_AHEAD = 200
"""For how many samples beyond a slope it is looked where the way stops next, most."""

_BEND_RAD = 0.2
"""No circle touches a way where it bends by more than this."""

_LEAST_M = 5.0
"""Between bounds that are nearer to each other than this there is no room for a circle, metres."""

_AT_ONCE = 4096
_SAME_M = 1e-6


class Circling(NamedTuple):
    """Circles from a sample of a way back to it: to the left, 1, or to the right, -1, so many laps of them."""

    sample: int
    side: int
    laps: int


def _reached(low: Floats, high: Floats, up: Floats, down: Floats) -> tuple[Floats, Floats]:
    """Heights that can be had from the first sample on, along the last axis."""
    zero = np.zeros((*up.shape[:-1], 1))
    rise, fall = (np.concatenate([zero, np.cumsum(v, axis=-1)], axis=-1) for v in (up, down))
    return (
        np.maximum.accumulate(low + fall, axis=-1) - fall,
        np.minimum.accumulate(high - rise, axis=-1) + rise,
    )


def circlings(way: Profile, circles: Circles, *, whole: bool = False) -> list[Circling] | None:
    """Where wings circle on a way so that they can fly as much of it as can be.

    None where the way can be flown without. What cannot be flown with any circle before it is left to
    `Profile.followed` to say; beyond it the way begins anew, or where only the `whole` is of use None is returned.
    """
    low, high = way.ground_m + way.low_m, way.ground_m + way.high_m
    up, down = way.slopes[2:]
    bent = np.abs(courses(way.steps)[1]) > _BEND_RAD
    roomy = (way.high_m - way.low_m >= _LEAST_M) & ~bent
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*way.steps.T))])
    found: list[Circling] = []
    start, entry = 0, (low[0], high[0])
    while start < len(low) - 1:
        stop = min(len(low), start + _AT_ONCE)
        own_low, own_high = low[start:stop].copy(), high[start:stop].copy()
        own_low[0], own_high[0] = entry
        least, greatest = _reached(own_low, own_high, up[start : stop - 1], down[start : stop - 1])
        empty = np.flatnonzero(least > greatest + _SAME_M)
        if not len(empty):
            start, entry = stop - 1, (least[-1], greatest[-1])
            continue
        at = start + int(empty[0])
        first = max(start, int(np.searchsorted(along, along[at] - _BACK_M)))
        places = first + np.flatnonzero(roomy[first:at])
        places = places[:: max(1, math.ceil(len(places) / _PLACES))]
        best = _farthest(way, circles, places, (least[places - start], greatest[places - start]), at)
        if best is None and whole:
            return None
        if best is None:
            start, entry = at, (low[at], max(low[at], high[at]))
            continue
        circling, entry = best
        start = circling.sample
        if found and found[-1][:2] == circling[:2]:
            circling = circling._replace(laps=circling.laps + found.pop().laps)
        found.append(circling)
    return found


def _farthest(
    way: Profile, circles: Circles, places: Ints, begun: tuple[Floats, Floats], at: int
) -> tuple[Circling, tuple[float, float]] | None:
    """The circles that lead farthest beyond sample `at`, where the way stops without, and the heights after them.

    Of those that lead as far, the fewest laps, and of these the last. None where none leads beyond it.

    Parameters
    ----------
    places
        Samples at which to try them.
    begun
        Least and greatest heights that can be had there, metres AMSL.
    """
    which = np.arange(len(places))
    which, sides = np.concatenate([which, which]), np.repeat([1, -1], len(places))
    free = circles.sides[places[which]] != -sides
    which, sides = which[free], sides[free]
    if not len(which):
        return None
    laps = Laps.at(places[which], sides, way, circles)
    least, greatest = laps.flown(way, begun[0][which], begun[1][which])
    reach = _reach(way, places, at, which, (least, greatest))
    counts, own = np.nonzero(reach > at)
    # Of the same place, that to the left first.
    order = np.lexsort((-sides[own], -laps.samples[own], counts, -reach[counts, own]))
    for count, k in zip(counts[order].tolist(), own[order].tolist(), strict=True):
        sample = int(laps.samples[k])
        if circles.clear(sample, laps.lap[k]):
            return Circling(sample, int(sides[k]), count + 1), (float(least[count, k]), float(greatest[count, k]))
    return None


def _reach(way: Profile, places: Ints, at: int, which: Ints, heights: tuple[Floats, Floats]) -> Ints:
    """The first sample that cannot be flown to from heights at one of some places, shape (..., m).

    It is looked for up to a little beyond sample `at`. Nothing is reached from heights that are none.

    Parameters
    ----------
    places
        Samples of the way, rising.
    which
        From which of the places, by number, shape (m,).
    heights
        Least and greatest heights there, metres AMSL, shape (..., m).
    """
    least, greatest = heights
    begin, stop = int(places[0]), min(len(way.ground_m), at + _AHEAD)
    ahead, pieces = slice(begin, stop), slice(begin, stop - 1)
    rise, fall = (np.concatenate([[0.0], np.cumsum(v[pieces])]) for v in way.slopes[2:])
    own = places - begin
    before = np.arange(stop - begin) <= own[:, None]
    low = np.where(before, -np.inf, (way.ground_m + way.low_m)[ahead])
    high = np.where(before, np.inf, (way.ground_m + way.high_m)[ahead])
    bounds = Bounds.of(low, high, rise - rise[own, None], fall - fall[own, None])
    shut = np.where((bounds.room_m < -_SAME_M).any(axis=1), (bounds.room_m < -_SAME_M).argmax(axis=1), stop - begin)
    # Running, so that how many of them are kept says which is the first that is not.
    least_m = np.minimum.accumulate(bounds.least_m, axis=1)[which] + _SAME_M
    greatest_m = np.maximum.accumulate(bounds.greatest_m, axis=1)[which] - _SAME_M
    kept = [(least[..., None] <= least_m).sum(axis=-1), (greatest[..., None] >= greatest_m).sum(axis=-1)]
    return np.asarray(np.minimum(np.minimum(*kept), shut[which]) + begin)


class Flown(NamedTuple):
    """A way as wings fly it, circles included.

    Parameters
    ----------
    rise_m
        Rise of each piece, metres, shape (n - 1,).
    more
        What the circles at the beginning of each piece take, seconds and watt hours, shape (2, n - 1).
    ends_m
        Heights at its first and its last sample, metres AMSL.
    blocked
        Samples without which the parts of the way between them can be flown, shape (n,).
    """

    rise_m: Floats
    more: Floats
    ends_m: tuple[float, float]
    blocked: Bools


def flown_over(way: Profile, circles: Circles, *, whole: bool = False) -> Flown:
    """How wings fly a way, with circles where they cannot without.

    Where only the `whole` is of use, nobody looks further once a part of it cannot be flown.
    """
    count = len(way.steps)
    found = way.followed()
    where = circlings(way, circles, whole=whole) if found.blocked.any() else []
    if not where:
        found = eased(way, circles.aircraft, found)[1]
        return Flown(np.diff(found.height_m), np.zeros((2, count)), _ends(found.height_m), found.blocked)
    circled, piece = _with(way, where, circles)
    found = eased(circled, circles.aircraft, circled.followed())[1]
    own = piece >= 0
    rise = np.diff(found.height_m)
    craft = circles.aircraft
    round_s, round_wh = effort(
        craft, circled.steps[~own], rise[~own], speed_m_s=craft.cruise_m_s, wind=circles.wind, patrol=False
    )
    more = np.array([np.bincount(~piece[~own], v, count) for v in (round_s, round_wh)])
    blocked = np.zeros(count + 1, dtype=bool)
    # What of a circle cannot be flown stands for the place where it touches the way.
    before = np.where(own, piece, ~piece)
    blocked[before[np.flatnonzero(found.blocked[:-1])]] = True
    blocked[-1] |= found.blocked[-1]
    return Flown(rise[own], more, _ends(found.height_m), blocked)


def _ends(height_m: Floats) -> tuple[float, float]:
    return float(height_m[0]), float(height_m[-1])


def _with(way: Profile, where: Sequence[Circling], circles: Circles) -> tuple[Profile, Ints]:
    """A way with circles in it, and which of its pieces each piece is, or ~ it for a circle before that."""
    steps, ground, bounds, slopes, pieces = [], [], [], [], []
    levels = np.stack([way.low_m, way.high_m, way.wanted_m, way.floor_m, way.ceiling_m, way.most_m])
    last = 0
    for at, side, laps in [*where, Circling(len(way.steps), 1, 0)]:
        steps.append(way.steps[last:at])
        slopes.append(way.slopes[:, last:at])
        pieces.append(np.arange(last, at))
        ground.append(way.ground_m[last:at])
        bounds.append(levels[:, last:at])
        last = at
        if laps:
            one = Laps.at(np.array([at]), np.array([side]), way, circles)
            count = laps * one.steps.shape[1]
            steps.append(np.tile(one.steps[0], (laps, 1)))
            slopes.append(np.tile(one.slopes[:, 0], (1, laps)))
            pieces.append(np.full(count, ~at))
            # The first sample of a lap is that of the way, or the last one of the lap before.
            ground.append(np.tile(np.append(way.ground_m[at], one.ground_m[0, 1:-1]), laps))
            own = np.repeat(levels[:, at : at + 1], count, axis=1)
            own[0] = own[3] + way.late_m + np.tile(one.over_m[0, :-1], laps)
            bounds.append(own)
    ground.append(way.ground_m[-1:])
    bounds.append(levels[:, -1:])
    low, high, wanted, floor, ceiling, most = np.concatenate(bounds, axis=1)
    ground_m, all_slopes = np.concatenate(ground), np.concatenate(slopes, axis=1)
    whole = Profile(np.concatenate(steps), ground_m, low, high, wanted, all_slopes, floor, way.late_m, ceiling, most)
    return whole, np.concatenate(pieces).astype(np.int64)
