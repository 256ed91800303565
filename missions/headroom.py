"""What height wings are given at each place, so that what an autopilot makes of it keeps the floor.

Wings fly neither the heights of their waypoints nor the straight lines between them. Each autopilot has a way of its
own from one height to the next, and comes after it with a lag:

========  ==========================================================================================================
late      ArduPlane passes the height that it asks for through a low-pass filter of TECS_HDEM_TCONST (3 s) and feeds
          the rate forward: what is flown is the filtered height (AP_TECS.cpp).
late      PX4 climbs at FW_T_HRATE_FF (0.3) of the rate that it asks for, and by the error of height over FW_T_ALT_TC
          (5 s): 0.7 of a climb is made good with that time constant (TECS.cpp).
early     PX4 is at the height of a waypoint where it turns to the next one, NPFG_SW_DST_MLT (0.32) of NPFG_PERIOD
          (10 s) times NPFG_DAMPING (0.7) before it, however small its radius (FixedWingModeManager.cpp).
at once   ArduPlane flies a slope only where two waypoints differ by ALT_SLOPE_MIN (15 m; GLIDE_SLOPE_MIN before 4.7)
          or more; else it asks for the height of the next at the beginning of the leg (altitude.cpp).
========  ==========================================================================================================

So the least heights of a way are the floor and what a climb along them is flown late by: nothing where they are level,
in a long climb 3 or 3.5 seconds of it, and for a while beyond its top. What descends is planned to do so later by what
it may be flown early. Any line of heights above that one is flown above the floor: a lag is linear in the heights, and
of two lines that meet the one that was higher before lags less. A leg that descends by less than `SLOPED_M` ends above
the floor of all of it (`missions.profile.linked`). Outside of bends the highest ground counts that wings come over
(`Aircraft.wide_in`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from missions.fleet import Aircraft
from missions.laps import Profile, courses
from missions.slopes import Followed, Slopes
from missions.wind import Wind

__all__ = ["SLOPED_M", "Heights", "caught", "highest", "late_m", "late_up_m", "level_m", "levelled", "profiled"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SLOPED_M = 15.0
"""By how much the ends of a leg differ at least, metres, that is flown as a slope by every autopilot."""

_LAGS = ((1.0, 3.0), (0.7, 5.0))
"""Which share of a climb is flown late, and with which time constant, seconds: ArduPlane, PX4."""

_EARLY_S = 0.32 * 10.0 * 0.7
_SUNK_M = 2.0
"""What goes over to its wings does so from this far below the height that it climbs to on the spot at most, metres:
ArduPlane and PX4 take a place for reached there (Q_WP_RAD, NAV_MC_ALT_RAD), and it keeps the height it has."""

_CATCH_S, _CAUGHT_S = 0.6, 4.0
"""What ends a descent comes below its end by as much as it descended in this time, seconds, and soon after: a rate of
descent takes most of a second to change."""

_STEP_S = 0.5
_LONG_S = 60.0
"""In a piece that takes longer than this all that came before is forgotten, seconds: twelve time constants."""

_ROUNDS, _ALIKE_M = 4, 0.1
"""How often, most, the lag is reckoned of the heights that the last one made, until they stay the same to this,
metres."""

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
    """

    floor_m: Floats | float
    ceiling_m: Floats | float
    wanted_m: Floats | float
    start_m: float | None = None
    stop_m: float | None = None
    sunk_m: Floats | float = 0.0


def late_m(aircraft: Aircraft, wind: Wind) -> float:
    """How far behind its place a height of a long climb is flown at cruise, metres."""
    return _late_s() * (aircraft.cruise_m_s + wind.speed_m_s)


def level_m(aircraft: Aircraft, wind: Wind) -> float:
    """For how far from where it took off on the spot it goes over to its wings, and climbs not, metres."""
    return 0.0 if aircraft.needs_runway else aircraft.transition_s * (aircraft.min_m_s / 2 + wind.speed_m_s)


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
    return _late_s() * aircraft.climb_m_s


def _late_s() -> float:
    """How long after its time a height of a long climb is flown, seconds."""
    return max(share * constant_s for share, constant_s in _LAGS)


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
    aircraft, wind = by
    floor, high, wanted = (np.array(np.broadcast_to(v, len(ground_m)), dtype=float) for v in bounds[:3])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*steps.T))])
    slowest = Slopes.of(*slopes[2:])
    over = _highest_beside(steps, along, ground_m, by=by, beside=beside) + floor + bounds.sunk_m
    least = slowest.above(over)
    for _ in range(_ROUNDS):
        before = least
        least = slowest.above(over + _late(least, slopes[0] / aircraft.climb_m_s, aircraft.climb_m_s))
        if float((least - before).max()) < _ALIKE_M:
            break
    early_m = _EARLY_S * (aircraft.cruise_m_s + wind.speed_m_s)
    least = slowest.above(highest(along, least, early_m))
    # What is given is so, and what can be had from there.
    start, stop = (np.inf if v is None else v + ground_m[k] for v, k in ((bounds.start_m, 0), (bounds.stop_m, -1)))
    had = np.minimum(start + slowest.up_m, stop + slowest.down_m[-1] - slowest.down_m)
    low = np.maximum(floor, np.minimum(least, had) - ground_m)
    for given_m, k in ((bounds.start_m, 0), (bounds.stop_m, -1)):
        if given_m is not None:
            low[k] = high[k] = wanted[k] = given_m
    return Profile(steps, ground_m, low, high, wanted, slopes, floor, late_up_m(aircraft))


def caught(way: Profile, aircraft: Aircraft) -> tuple[Profile, Followed]:
    """A way of wings and its heights, above the floor by what descents to it come lower, where there is room."""
    found = way.followed()
    took_s = way.slopes[1] / aircraft.descent_m_s
    sinks = np.clip(-np.diff(found.height_m) / np.maximum(took_s, 1e-9), 0.0, aircraft.descent_m_s)
    clock_s = np.concatenate([[0.0], np.cumsum(took_s)])
    before = highest(clock_s, np.concatenate([[0.0], sinks]), _CAUGHT_S)
    dip_m = _CATCH_S * (before - np.concatenate([sinks, [0.0]]))
    given = way.low_m == way.high_m
    low_m = np.where(given, way.low_m, np.maximum(way.low_m, np.minimum(way.floor_m + dip_m, way.high_m)))
    over = way._replace(low_m=low_m)
    again = over.followed()
    return (over, again) if float((again.over_m - np.maximum(found.over_m, 0.0)).max()) < _SAME_M else (way, found)


def _late(height_m: Floats, planned_s: Floats, climb_m_s: float) -> Floats:
    """By how much a line of heights is flown late at most, metres, shape (n,); a descent makes nothing good."""
    rise = np.clip(np.diff(height_m), 0.0, climb_m_s * _LONG_S)
    passed_s = np.concatenate([[0.0], np.cumsum(np.minimum(np.maximum(planned_s, rise / climb_m_s), _LONG_S))])
    clock_s = np.arange(0.0, passed_s[-1] + _STEP_S, _STEP_S)
    climbed = np.diff(np.interp(clock_s, passed_s, np.concatenate([[0.0], np.cumsum(rise)])), prepend=0.0)
    late = np.zeros(len(clock_s))
    for share, constant_s in _LAGS:
        kept = np.exp(-_STEP_S / constant_s)
        filtered = scipy.signal.lfilter([share * constant_s * (1 - kept) / _STEP_S], [1.0, -kept], climbed)
        late = np.maximum(late, filtered)
    return np.asarray(np.interp(passed_s, clock_s, late))


def _highest_beside(
    steps: Floats,
    along_m: Floats,
    ground_m: Floats,
    *,
    by: tuple[Aircraft, Wind],
    beside: Callable[[Ints, Floats], Floats],
) -> Floats:
    """Elevation at samples, or outside of bends that of the higher of the places beside them, metres, shape (n,)."""
    aircraft, wind = by
    course, bend = courses(steps)
    behind_m = _BACK_S * (aircraft.cruise_m_s + wind.speed_m_s)
    first = np.searchsorted(along_m, along_m - behind_m, side="left")
    last = np.searchsorted(along_m, along_m + _AHEAD_RADII * aircraft.turn_radius_in(wind), side="right")
    out, right = ground_m.copy(), np.stack([course[:, 1], -course[:, 0]], axis=-1)
    for side in (1, -1):
        turned = np.concatenate([[0.0], np.cumsum(np.maximum(side * bend, 0.0))])
        off_m = aircraft.wide_in(wind) * np.minimum(1.0, (turned[last] - turned[first]) / _WIDE_RAD)
        own = np.flatnonzero(off_m > _WIDE_M)
        if len(own):
            out[own] = np.fmax(out[own], beside(own, (side * off_m[own, None] * right[own])[:, None])[:, 0])
    return out


def highest(along_m: Floats, value_m: Floats, before_m: float) -> Floats:
    """The greatest value from so far before each sample to it, shape (n,).

    Between two samples values are straight, and one that lies in part within the reach counts as a whole.

    Parameters
    ----------
    along_m
        Distance of the samples along the way, metres, shape (n,), not falling.
    value_m
        A value at each, shape (n,).
    before_m
        How far, metres.
    """
    count = len(along_m)
    first = np.maximum(np.searchsorted(along_m, along_m - before_m, side="left") - 1, 0)
    size = np.arange(count) - first + 1
    # Greatest of 1, 2, 4, ... samples from each on: two of them cover any run of samples.
    out, level, width = value_m.copy(), value_m, 1
    while True:
        own = np.flatnonzero((size >= width) & (size < 2 * width))
        out[own] = np.maximum(level[first[own]], level[own - width + 1])
        if not (size >= 2 * width).any():
            return out
        level = np.maximum(level[: len(level) - width], level[width:])
        width *= 2
