"""What height wings are given at each place, so that what an autopilot makes of it keeps floor and ceiling.

What autopilots make of a line of heights is in `missions.lags`.

So the least heights of a way are the floor and what a climb along them is flown late by: nothing where they are level,
in a long climb 3 or 3.5 seconds of it, and for a while beyond its top. What descends is planned to do so later by what
it may be flown early, less what it is flown late. Any line of heights above that one is flown above the floor: a lag is
linear in the heights, and of two lines that meet the one that was higher before lags less. A leg that descends by less
than `SLOPED_M` ends above the floor of all of it (`missions.profile.linked`). Outside of bends the highest ground
counts that wings come over (`Aircraft.wide_in`).

All this holds of ceilings upside down: a descent is flown late above them, and outside of bends the lowest ground
counts. But of the two the floor goes first. It bounds what can be flown at all; the heights that keep the ceiling are
planned where that leaves room for them, and where it does not the plan tells (`missions.overflown`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from missions.fleet import Aircraft
from missions.lags import Rates, highest, late_s
from missions.laps import Profile, courses
from missions.slopes import Followed, Slopes
from missions.wind import Wind

__all__ = [
    "SLOPED_M",
    "SPARE_M",
    "Heights",
    "eased",
    "flown_above",
    "late_m",
    "late_up_m",
    "level_m",
    "levelled",
    "profiled",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SLOPED_M = 15.0
"""By how much the ends of a leg differ at least, metres, that is flown as a slope by every autopilot."""

SPARE_M = 2.0
"""What heights are planned below a ceiling over real ground, metres, where there is room: without it straight pieces
over a hollow, which lie above the heights at its rims, would need a waypoint at each sample."""

_SUNK_M = 2.0
"""What goes over to its wings does so from this far below the height that it climbs to on the spot at most, metres:
ArduPlane and PX4 take a place for reached there (Q_WP_RAD, NAV_MC_ALT_RAD), and it keeps the height it has."""

_CATCH_S, _CAUGHT_S = 0.6, 4.0
"""What ends a descent comes below its end by as much as it descended in this time, seconds, and soon after: a rate of
descent takes most of a second to change."""

_WIDE_RAD = np.pi / 2
"""Wings that turn by this are as far outside as in any turn; by less in proportion."""

_BACK_S, _AHEAD_RADII = 8.5, 1.0
"""For how long after a bend they are outside of the way, seconds, half of a NAVL1_PERIOD; and from where before it on,
in radii of their turn."""

_SAME_M = 1e-6

_WIDE_M = 1.0
"""Less than this off a way is not looked at, metres."""


class Heights(NamedTuple):
    """Between which heights above ground a way is flown, metres, each of shape (n,) or one for all.

    Parameters
    ----------
    floor_m, ceiling_m, wanted_m
        Least, greatest and wanted.
    start_m, stop_m
        What its ends are given, in the place of those; None where they are not.
    sunk_m
        How far below what is planned it may be, whatever rises, metres, shape (n,) or one for all.
    flown_m
        What is nowhere flown above, metres: the ceiling of what is planned may lie lower.
    """

    floor_m: Floats | float
    ceiling_m: Floats | float
    wanted_m: Floats | float
    start_m: float | None = None
    stop_m: float | None = None
    sunk_m: Floats | float = 0.0
    flown_m: float = np.inf


def late_m(aircraft: Aircraft, wind: Wind) -> float:
    """How far behind its place a height of a long climb is flown at cruise, metres."""
    return late_s() * (aircraft.true_m_s(aircraft.cruise_m_s, wind) + wind.speed_m_s)


def level_m(aircraft: Aircraft, wind: Wind) -> float:
    """For how far from where it took off on the spot it goes over to its wings, and climbs not, metres."""
    carried_m_s = aircraft.true_m_s(aircraft.min_m_s, wind)
    return 0.0 if aircraft.needs_runway else aircraft.transition_s * (carried_m_s / 2 + wind.speed_m_s)


def levelled(steps: Floats, slopes: Floats, far_m: float) -> tuple[Floats, Floats]:
    """What may be climbed and descended on pieces, and how far it may have sunk at samples, of a way that begins so.

    Parameters
    ----------
    steps, slopes
        As `profiled` takes them.
    far_m
        For how far it goes over to its wings, metres; 0 where it flies on them.

    Returns
    -------
    tuple of numpy.ndarray
        Of shapes (4, n - 1) and (n,).
    """
    out, before = slopes.copy(), np.concatenate([[0.0], np.cumsum(np.hypot(*steps.T))])
    out[::2, before[:-1] < far_m] = 0.0
    return out, np.where((before <= far_m) & (far_m > 0), _SUNK_M, 0.0)


def late_up_m(aircraft: Aircraft) -> float:
    """By how much a long climb is flown late, metres upright."""
    return late_s() * aircraft.climb_m_s


def profiled(
    steps: Floats,
    ground_m: Floats,
    slopes: Floats,
    bounds: Heights,
    *,
    by: tuple[Aircraft, Wind],
    beside: Callable[[Ints, Floats], Floats],
) -> Profile:
    """A way of wings over the ground, with the heights that are planned at least.

    Parameters
    ----------
    steps
        Pieces between samples, metres east and north, shape (n - 1, 2), in the order of flight.
    ground_m
        Elevation at samples, metres, shape (n,).
    slopes
        What `rises` says of the pieces, shape (4, n - 1).
    bounds
        Between which heights it is flown.
    by
        What flies, in what wind.
    beside
        The ground beside the way, as `Circles.ground` has it.
    """
    aircraft, _ = by
    floor, high, wanted = (np.array(np.broadcast_to(v, len(ground_m)), dtype=float) for v in bounds[:3])
    highest_m, lowest_m = _beside(steps, ground_m, by=by, beside=beside)
    flown = bounds.flown_m + lowest_m - ground_m
    given = tuple(None if v is None else v + ground_m[k] for v, k in ((bounds.start_m, 0), (bounds.stop_m, -1)))
    rates = Rates(Slopes.of(*slopes[2:]), slopes[0] / aircraft.climb_m_s, aircraft.climb_m_s, aircraft.descent_m_s)
    least = rates.kept(highest_m + floor + bounds.sunk_m, given)
    low = np.maximum(floor, least - ground_m)
    most, upside_down = flown.copy(), rates.reversed()
    if upside_down.matters(-ground_m - flown, -ground_m - high):
        # Upside down a ceiling is a floor, and a descent a climb.
        most = -upside_down.kept(-ground_m - flown, tuple(None if v is None else -v for v in given)) - ground_m
    for given_m, k in ((bounds.start_m, 0), (bounds.stop_m, -1)):
        if given_m is not None:
            low[k] = high[k] = wanted[k] = given_m
    return Profile(steps, ground_m, low, high, wanted, slopes, floor, late_up_m(aircraft), flown, most)


def flown_above(
    steps: Floats,
    ground_m: Floats,
    height_m: Floats,
    took_s: Floats,
    *,
    by: tuple[Aircraft, Wind],
    beside: Callable[[Ints, Floats], Floats],
) -> Floats:
    """How high any autopilot flies a line of heights at most, above the lowest ground that it comes over, shape (n,).

    Parameters
    ----------
    steps, ground_m, by, beside
        As `profiled` has them.
    height_m, took_s
        Heights at samples, metres AMSL, shape (n,), and what the pieces take, seconds, shape (n - 1,).
    """
    aircraft, _ = by
    _, lowest_m = _beside(steps, ground_m, by=by, beside=beside)
    still = Slopes.of(np.zeros(len(steps)), np.zeros(len(steps)))
    rates = Rates(still, took_s, aircraft.climb_m_s, aircraft.descent_m_s)
    return np.asarray(rates.most_of(height_m) - lowest_m)


def eased(way: Profile, aircraft: Aircraft, found: Followed | None = None) -> tuple[Profile, Followed]:
    """A way of wings and its heights, off its bounds, where there is room, by what ends of climbs and descents miss.

    Below the ceiling it is `SPARE_M` besides, for the straight pieces that are laid over it.

    Parameters
    ----------
    way, aircraft
        What flies where.
    found
        What `Profile.followed` says of the way, where that is known.
    """
    slowest = Slopes.of(*way.slopes[2:])
    found = found or way.followed()
    over, under = (
        _passed(rate * np.diff(found.height_m), way.slopes[1] / aircraft.descent_m_s, most)
        for rate, most in ((-1.0, aircraft.descent_m_s), (1.0, aircraft.climb_m_s))
    )
    given = way.low_m == way.high_m
    lowest = np.where(given, way.low_m, way.floor_m + over)
    highest_m = np.minimum(np.minimum(way.high_m, way.most_m), way.ceiling_m - under) - SPARE_M
    highest_m = np.where(given, way.high_m, highest_m)
    agl_m = found.height_m - way.ground_m
    if ((lowest <= agl_m + _SAME_M) & (agl_m <= highest_m + _SAME_M)).all():
        return way, found
    # What can be flown between the bounds can be after each of these too.
    room = slowest.below(way.ground_m + way.high_m) - way.ground_m
    way = way._replace(low_m=np.maximum(way.low_m, np.minimum(lowest, room)))
    room = slowest.above(way.ground_m + way.low_m) - way.ground_m
    way = way._replace(high_m=np.minimum(way.high_m, np.maximum(highest_m, room)))
    return way, way.followed()


def _passed(falls_m: Floats, took_s: Floats, most_m_s: float) -> Floats:
    """By how much the end of a descent is passed below it, metres, at samples; a climb is a descent upside down."""
    sinks = np.clip(falls_m / np.maximum(took_s, 1e-9), 0.0, most_m_s)
    clock_s = np.concatenate([[0.0], np.cumsum(took_s)])
    before = highest(clock_s, np.concatenate([[0.0], sinks]), _CAUGHT_S)
    return np.asarray(_CATCH_S * (before - np.concatenate([sinks, [0.0]])))


def _beside(
    steps: Floats, ground_m: Floats, *, by: tuple[Aircraft, Wind], beside: Callable[[Ints, Floats], Floats]
) -> tuple[Floats, Floats]:
    """Elevations at samples, or outside of bends the higher and the lower of those beside them, metres, shape (n,)."""
    aircraft, wind = by
    along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*steps.T))])
    course, bend = courses(steps)
    behind_m = _BACK_S * (aircraft.true_m_s(aircraft.cruise_m_s, wind) + wind.speed_m_s)
    first = np.searchsorted(along_m, along_m - behind_m, side="left")
    last = np.searchsorted(along_m, along_m + _AHEAD_RADII * aircraft.turn_radius_in(wind), side="right")
    above, below, right = ground_m.copy(), ground_m.copy(), np.stack([course[:, 1], -course[:, 0]], axis=-1)
    for side in (1, -1):
        turned = np.concatenate([[0.0], np.cumsum(np.maximum(side * bend, 0.0))])
        off_m = aircraft.wide_in(wind) * np.minimum(1.0, (turned[last] - turned[first]) / _WIDE_RAD)
        own = np.flatnonzero(off_m > _WIDE_M)
        if len(own):
            found = beside(own, (side * off_m[own, None] * right[own])[:, None])[:, 0]
            above[own], below[own] = np.fmax(above[own], found), np.fmin(below[own], found)
    return above, below
