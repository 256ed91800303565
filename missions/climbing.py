"""Circles that wings fly where the ground rises or falls faster than they climb or descend.

Before a slope that they cannot follow wings circle beside their way, and go on higher or lower. Which heights they can
have at a place of the way is an interval, carried along the way by what they climb and descend; where it becomes empty
the way cannot be flown on. A circle that touches the way at a place before, flown a few times, makes the interval there
wider. Of all such places the one is taken that leads farthest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from missions.effort import effort, rises
from missions.fleet import Aircraft
from missions.slopes import Followed, Slopes, followed
from missions.wind import Wind

__all__ = ["Circles", "Circling", "Flown", "Profile", "circlings", "courses", "flown_over"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CORNERS = 18
"""Vertices of a circle as it is flown."""

_WIDER = 1.03
"""Its radius, in radii of the tightest turn: chords turn no faster than the arc between them."""

_HALVES = 2
"""Samples of the ground on each of its chords."""

_MOST_LAPS = 8
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

_SPARE_M = 1.0
"""What circles keep within their bounds, metres: the ground is sampled closer when they are built."""

_AT_ONCE = 4096
_SAME_M = 1e-6


class Profile(NamedTuple):
    """A way over the ground, and how high above it it may be flown.

    Parameters
    ----------
    steps
        Pieces between samples, metres east and north, shape (n - 1, 2).
    ground_m
        Elevation of the ground at samples, metres AMSL, shape (n,).
    low_m, high_m, wanted_m
        Heights above ground: what is planned at least and at most, and what is wanted, metres, shape (n,).
    slopes
        What `rises` says of the pieces, shape (4, n - 1).
    floor_m
        Heights above ground that are flown at least, metres, shape (n,): what is planned is nowhere below.
    late_m
        By how much a long climb is flown late, metres.
    """

    steps: Floats
    ground_m: Floats
    low_m: Floats
    high_m: Floats
    wanted_m: Floats
    slopes: Floats
    floor_m: Floats
    late_m: float

    def followed(self) -> Followed:
        """Heights along it that can be flown, metres AMSL."""
        return followed(
            self.ground_m + self.low_m,
            self.ground_m + self.high_m,
            self.ground_m + self.wanted_m,
            Slopes.of(*self.slopes[:2]),
            Slopes.of(*self.slopes[2:]),
        )


class Circling(NamedTuple):
    """Circles from a sample of a way back to it: to the left, 1, or to the right, -1, so many laps of them."""

    sample: int
    side: int
    laps: int


@dataclass(frozen=True)
class Circles:
    """The circles that may be flown beside a way.

    Parameters
    ----------
    aircraft, wind
        Who flies them, in what wind.
    sides
        On which side of the way they lie at each sample, 1 left, -1 right, 0 either, shape (n,).
    ground
        Elevations, metres AMSL, shape (m, k), at places so far, metres east and north, shape (m, k, 2), from samples of
        the way, shape (m,); NaN where there is none.
    clear
        Whether a circle, given as `ground` has it for one sample, touches nothing that is shut.
    """

    aircraft: Aircraft
    wind: Wind
    sides: Ints
    ground: Callable[[Ints, Floats], Floats]
    clear: Callable[[int, Floats], bool]

    @property
    def radius_m(self) -> float:
        """Radius of a circle, metres."""
        return _WIDER * self.aircraft.turn_radius_in(self.wind)

    def lap(self, courses: Floats, side: int) -> Floats:
        """Vertices of one lap, from the way back to it, metres from the place, shape (m, `CORNERS` + 1, 2).

        `courses` are those of the way there, unit vectors, shape (m, 2).
        """
        radius_m = self.radius_m
        turned = np.linspace(0.0, 2 * math.pi, CORNERS + 1)[:, None]
        normals = side * np.stack([-courses[:, 1], courses[:, 0]], axis=-1)
        return np.asarray(radius_m * (np.sin(turned) * courses[:, None] + (1 - np.cos(turned)) * normals[:, None]))


@dataclass(frozen=True)
class _Laps:
    """One lap at each of some samples, on one side: as a `Profile` has it, samples along the second axis.

    `over_m` is by how much the ground that it is flown over is above that below it.
    """

    samples: Ints
    side: int
    lap: Floats
    steps: Floats
    ground_m: Floats
    over_m: Floats
    slopes: Floats

    @classmethod
    def at(cls, samples: Ints, side: int, way: Profile, circles: Circles) -> _Laps:
        course = courses(way.steps)[0][samples]
        lap = circles.lap(course, side)
        share = np.arange(_HALVES) / _HALVES
        parts = lap[:, :-1, None] + share[:, None] * np.diff(lap, axis=1)[:, :, None]
        places = np.concatenate([parts.reshape(len(samples), -1, 2), lap[:, -1:]], axis=1)
        steps = np.diff(places, axis=1)
        craft = circles.aircraft
        slopes = np.array(rises(craft, steps.reshape(-1, 2), craft.cruise_m_s, circles.wind, patrol=False))
        # It is flown outside of where it is planned.
        radius_m = circles.radius_m
        centre = side * radius_m * np.stack([-course[:, 1], course[:, 0]], axis=-1)[:, None]
        wide = centre + (places - centre) * (1 + craft.wide_in(circles.wind) / radius_m)
        ground_m, beside_m = circles.ground(samples, places), circles.ground(samples, wide)
        over_m = np.fmax(beside_m - ground_m, 0.0)
        return cls(samples, side, lap, steps, ground_m, over_m, slopes.reshape(4, *steps.shape[:2]))


def courses(steps: Floats) -> tuple[Floats, Floats]:
    """Course of a way at its samples, unit vectors, shape (n, 2), and by how much it bends there, radians, shape (n,).

    Bends to the left are above 0. Pieces of no length have the course of the one before.
    """
    length = np.hypot(*steps.T)
    some = np.maximum.accumulate(np.where(length > 0, np.arange(len(steps)), 0))
    some[: int(np.argmax(length > 0))] = int(np.argmax(length > 0))
    unit = steps[some] / np.maximum(length[some], 1e-12)[:, None]
    before, after = np.concatenate([unit[:1], unit]), np.concatenate([unit, unit[-1:]])
    middle = before + after
    bend = np.arctan2(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0], (before * after).sum(axis=1))
    return middle / np.maximum(np.hypot(*middle.T), 1e-12)[:, None], bend


class _Reach(NamedTuple):
    """Least and greatest heights that can be had at samples from one on, and the first at which there are none."""

    low_m: Floats
    high_m: Floats
    stop: int | None


def _reached(low: Floats, high: Floats, up: Floats, down: Floats) -> tuple[Floats, Floats]:
    """Heights that can be had from the first sample on, along the last axis."""
    zero = np.zeros((*up.shape[:-1], 1))
    rise, fall = (np.concatenate([zero, np.cumsum(v, axis=-1)], axis=-1) for v in (up, down))
    return (
        np.maximum.accumulate(low + fall, axis=-1) - fall,
        np.minimum.accumulate(high - rise, axis=-1) + rise,
    )


def circlings(way: Profile, circles: Circles) -> list[Circling]:
    """Where wings circle on a way so that they can fly as much of it as can be.

    None where the way can be flown without. What cannot be flown with any circle before it is left to
    `Profile.followed` to say; beyond it the way begins anew.
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
        begun = least[places - start], greatest[places - start]
        best = _farthest(way, circles, places, begun, at)
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
    tried = []
    for side in (1, -1):
        own = np.flatnonzero(circles.sides[places] != -side)
        if len(own):
            laps = _Laps.at(places[own], side, way, circles)
            tried += [(laps, *one) for one in _widened(way, laps, begun[0][own], begun[1][own], at)]
    tried.sort(key=lambda one: (-one[1], one[2], -int(one[0].samples[one[3]])))
    for laps, _, count, k, heights in tried:
        sample = int(laps.samples[k])
        if circles.clear(sample, laps.lap[k]):
            return Circling(sample, laps.side, count), heights
    return None


def _widened(
    way: Profile, laps: _Laps, least: Floats, greatest: Floats, at: int
) -> list[tuple[int, int, int, tuple[float, float]]]:
    """For laps that lead beyond sample `at`: how far, how many, which of the places, and the heights after them."""
    samples, out = laps.samples, []
    low = laps.ground_m + laps.over_m + way.floor_m[samples, None] + way.late_m + _SPARE_M
    high = laps.ground_m + way.high_m[samples, None] - _SPARE_M
    # A place without elevation bounds nothing that can be flown.
    low, high = np.where(np.isnan(low), np.inf, low), np.where(np.isnan(high), -np.inf, high)
    up, down = laps.slopes[2:]
    ahead = slice(int(samples[0]), min(len(way.ground_m), at + _AHEAD))
    numbers = np.arange(ahead.start, ahead.stop)
    before, here = numbers < samples[:, None], numbers == samples[:, None]
    low_ahead, high_ahead = ((way.ground_m + v)[ahead] for v in (way.low_m, way.high_m))
    pieces = slice(ahead.start, ahead.stop - 1)
    alive = np.ones(len(samples), dtype=bool)
    for count in range(1, _MOST_LAPS + 1):
        own_low, own_high = low.copy(), high.copy()
        own_low[:, 0], own_high[:, 0] = least, greatest
        lows, highs = _reached(own_low, own_high, up, down)
        alive &= np.all(lows <= highs, axis=1)
        if not alive.any():
            break
        least, greatest = lows[:, -1], highs[:, -1]
        begun_low, begun_high = (np.where(here, v[:, None], w) for v, w in ((least, low_ahead), (greatest, high_ahead)))
        begun_low[before], begun_high[before] = -np.inf, np.inf
        shape = (len(samples), len(numbers) - 1)
        ups, downs = (np.broadcast_to(v[pieces], shape) for v in way.slopes[2:])
        lows, highs = _reached(begun_low, begun_high, ups, downs)
        empty = lows > highs + _SAME_M
        reach = np.where(empty.any(axis=1), empty.argmax(axis=1) + ahead.start, ahead.stop)
        out += [
            (int(reach[k]), count, int(k), (float(least[k]), float(greatest[k])))
            for k in np.flatnonzero(alive & (reach > at))
        ]
    return out


class Flown(NamedTuple):
    """A way as wings fly it, circles included.

    Parameters
    ----------
    rise_m
        Rise of each piece, metres, shape (n - 1,).
    more
        What the circles at the beginning of each piece take, seconds and watt hours, shape (2, n - 1).
    blocked
        Samples without which the parts of the way between them can be flown, shape (n,).
    """

    rise_m: Floats
    more: Floats
    blocked: Bools


def flown_over(way: Profile, circles: Circles) -> Flown:
    """How wings fly a way, with circles where they cannot without."""
    count = len(way.steps)
    found = way.followed()
    where = circlings(way, circles) if found.blocked.any() else []
    if not where:
        return Flown(np.diff(found.height_m), np.zeros((2, count)), found.blocked)
    whole, piece = _with(way, where, circles)
    found = whole.followed()
    own = piece >= 0
    rise = np.diff(found.height_m)
    craft = circles.aircraft
    round_s, round_wh = effort(
        craft, whole.steps[~own], rise[~own], speed_m_s=craft.cruise_m_s, wind=circles.wind, patrol=False
    )
    more = np.array([np.bincount(~piece[~own], v, count) for v in (round_s, round_wh)])
    blocked = np.zeros(count + 1, dtype=bool)
    # What of a circle cannot be flown stands for the place where it touches the way.
    before = np.where(own, piece, ~piece)
    blocked[before[np.flatnonzero(found.blocked[:-1])]] = True
    blocked[-1] |= found.blocked[-1]
    return Flown(rise[own], more, blocked)


def _with(way: Profile, where: Sequence[Circling], circles: Circles) -> tuple[Profile, Ints]:
    """A way with circles in it, and which of its pieces each piece is, or ~ it for a circle before that."""
    steps, ground, bounds, slopes, pieces = [], [], [], [], []
    levels = np.stack([way.low_m, way.high_m, way.wanted_m, way.floor_m])
    last = 0
    for at, side, laps in [*where, Circling(len(way.steps), 1, 0)]:
        steps.append(way.steps[last:at])
        slopes.append(way.slopes[:, last:at])
        pieces.append(np.arange(last, at))
        ground.append(way.ground_m[last:at])
        bounds.append(levels[:, last:at])
        last = at
        if laps:
            one = _Laps.at(np.array([at]), side, way, circles)
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
    low, high, wanted, floor = np.concatenate(bounds, axis=1)
    whole = Profile(
        np.concatenate(steps),
        np.concatenate(ground),
        low,
        high,
        wanted,
        np.concatenate(slopes, axis=1),
        floor,
        way.late_m,
    )
    return whole, np.concatenate(pieces).astype(np.int64)
